//! What is told, seen on real Envoy: with the fault it goes wrong, and without it does not.

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use serde_json::{Value, json};

const LIST: &str = "/corp.example/lib/@v/list";

fn backend() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let module = Module::new("corp.example/lib", "v1.0.0").file("lib.go", "package lib\n");
    Tree::write(dir.path(), &[module]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    (dir, server)
}

/// Under it the filter answers lists itself.
fn policy() -> Value {
    json!({
        "version": "1", "default": "allow", "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [{"id": "one", "deny": ["corp.example"], "versions": ">=v2"}]},
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// The answer to a path by an Envoy whose connection manager is changed.
fn requested(filter: bool, path: &str, change: impl FnOnce(&mut Value)) -> http::Response {
    let (_dir, server) = backend();
    let mut config = Config::new(policy(), &[("backend", server.address())]);
    config.filter = filter;
    let envoy = Envoy::start_with(&config, |listener| change(listener.manager()));
    http::request(
        envoy.address(),
        "GET",
        path,
        &[("x-modgate-cluster", "backend")],
    )
}

#[test]
fn a_body_format_makes_garbage_of_a_list_unless_it_is_for_failures() {
    let format = json!({"json_format": {"message": "%LOCAL_REPLY_BODY%"}});
    let for_all = json!({"body_format": format});
    let for_failures = json!({"mappers": [{
        "filter": {"status_code_filter": {"comparison": {
            "op": "GE", "value": {"default_value": 400, "runtime_key": "x"},
        }}},
        "body_format_override": format,
    }]});
    let list =
        |config: Value| requested(true, LIST, |manager| manager["local_reply_config"] = config);
    let garbage = list(for_all);
    assert_eq!(
        (garbage.status, garbage.body.starts_with('{')),
        (200, true),
        "{garbage:?}"
    );
    let good = list(for_failures);
    assert_eq!((good.status, good.body.as_str()), (200, "v1.0.0\n"));
}

#[test]
fn merged_slashes_are_evaluated_as_something_that_nobody_sent() {
    let path = "/corp.example//lib/@v/list";
    let merged = requested(true, path, |manager| manager["merge_slashes"] = json!(true));
    assert_eq!(merged.status, 200);
    assert_eq!(requested(true, path, |_| ()).status, 400);
}

#[test]
fn without_the_removal_and_without_the_filter_a_client_chooses_the_cluster() {
    let extensions = "early_header_mutation_extensions";
    let chosen = requested(false, LIST, |manager| {
        manager.as_object_mut().unwrap().remove(extensions);
    });
    assert_eq!(chosen.status, 200);
    assert_eq!(requested(false, LIST, |_| ()).status, 503);
}
