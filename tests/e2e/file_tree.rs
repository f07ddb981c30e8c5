//! Real Envoy in front of a folder of files: what reaches the backend, and what does not.

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::http;
use modgate_harness::policies::three_tenants;
use modgate_harness::tools::upstream_goproxy;
use serde_json::json;
use tempfile::TempDir;

fn tree(modules: &[Module]) -> (TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::write(dir.path(), modules).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

/// The paths that reached a backend.
fn reached(server: &Server) -> Vec<String> {
    server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect()
}

#[test]
fn a_module_cache_is_a_backend_of_real_modules() {
    let filler = Go::new(upstream_goproxy(), Sumdb::Verify);
    for module in [
        "github.com/BurntSushi/toml@v1.3.2",
        "gopkg.in/yaml.v3@v3.0.1",
    ] {
        filler.run(&["mod", "download", module]).expect_ok();
    }
    let server = Server::start(filler.downloads()).unwrap();
    let config = Config::new(three_tenants("static"), &[("backend", server.address())]);
    let envoy = Envoy::start(&config);
    let go = Go::new(format!("http://{}/t/web", envoy.address()), Sumdb::Off);
    go.run(&["get", "github.com/BurntSushi/toml@v1.3.2"])
        .expect_ok();
    go.run(&["mod", "download", "gopkg.in/yaml.v3@v3.0.1"])
        .expect_ok();
    assert!(go.has("github.com/!burnt!sushi/toml@v1.3.2") && go.has("gopkg.in/yaml.v3@v3.0.1"));

    // What the cache keeps for itself is no part of the protocol.
    let path = "/t/web/github.com/!burnt!sushi/toml/@v/v1.3.2.ziphash";
    server.forget_requests();
    assert_eq!(http::get(envoy.address(), path).status, 400);
    assert_eq!(reached(&server), Vec::<String>::new());
}

#[test]
fn a_prefix_leads_to_the_private_proxy() {
    let lib =
        |version: &str| Module::new("corp.example/lib", version).file("lib.go", "package lib\n");
    let dir = tempfile::tempdir().unwrap();
    let private_root = dir.path().join("private.proxy/v1");
    Tree::write(&private_root, &[lib("v1.0.0"), lib("v1.1.0")]).unwrap();
    let private = Server::start(dir.path()).unwrap();
    let (_public_dir, public) = tree(&[Module::new("example.org/words", "v0.1.0")]);

    let mut policy = three_tenants("static");
    policy["backends"]["private"] = json!({"cluster": "private", "kind": "static"});
    policy["routes"] = json!([
        {"id": "v1", "path_prefix": "/go.dev/v1", "rewrite": "/private.proxy/v1", "backend": "private"},
        {"id": "rest", "backend": "main"}
    ]);
    let clusters = [
        ("backend", public.address()),
        ("private", private.address()),
    ];
    let envoy = Envoy::start(&Config::new(policy, &clusters));
    let go = Go::new(
        format!("http://{}/t/web/go.dev/v1", envoy.address()),
        Sumdb::Off,
    );
    let versions = go.run(&["list", "-m", "-versions", "corp.example/lib"]);
    assert_eq!(
        versions.expect_ok().trim(),
        "corp.example/lib v1.0.0 v1.1.0"
    );
    go.run(&["get", "corp.example/lib@latest"]).expect_ok();
    assert!(go.has("corp.example/lib@v1.1.0"));
    assert!(
        reached(&private).contains(&"/private.proxy/v1/corp.example/lib/@v/v1.1.0.zip".to_owned())
    );
    assert_eq!(reached(&public), Vec::<String>::new());
}

#[test]
fn what_reaches_the_backend_is_what_was_evaluated() {
    let (_dir, server) = tree(&[Module::new("example.org/Words", "v0.1.0")]);
    let mut policy = three_tenants("static");
    policy["identity"] = json!([
        {"path_prefix": "/t/{tenant}"},
        {"header": "x-corp-tenant", "trusted": true},
        {"header": "x-old-tenant"}
    ]);
    let envoy = Envoy::start(&Config::new(policy, &[("backend", server.address())]));

    // Every spelling becomes the one that go writes.
    for path in [
        "/t/web/example.org/!words/@v/v0.1.0.info",
        "/t/web/example.org/%21words/@v/v0.1.0.info",
        "/t/web/example.org/%21words/%40v/v0.1.0%2einfo",
        "/%74/web/example%2Eorg/!words/@v/v0.1.0.info",
    ] {
        server.forget_requests();
        let answer = http::get(envoy.address(), path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(
            reached(&server),
            ["/example.org/%21words/@v/v0.1.0.info"],
            "{path}"
        );
    }

    // Everything that claims identity or chooses a cluster stays behind.
    server.forget_requests();
    let claims = [
        ("x-corp-tenant", "web"),
        ("x-old-tenant", "locked"),
        ("x-modgate-cluster", "elsewhere"),
        ("x-modgate-tenant", "locked"),
        ("x_corp_tenant", "locked"),
        ("user-agent", "Go-http-client/1.1"),
    ];
    let path = "/example.org/!words/@v/v0.1.0.info";
    assert_eq!(
        http::request(envoy.address(), "GET", path, &claims).status,
        200
    );
    let requests = server.requests();
    let names: Vec<_> = requests[0]
        .headers
        .keys()
        .map(|name| name.as_str())
        .collect();
    for name in names {
        assert!(
            !name.contains("tenant") && !name.contains("modgate"),
            "{name} went upstream"
        );
    }

    // What cannot be read never goes there.
    server.forget_requests();
    for path in [
        "/t/web/example.org/%2521words/@v/list",
        "/t/web/example.org%2f!words/@v/list",
        "/t/web/example.org//!words/@v/list",
        "/t/web/example.org/x/../!words/@v/list",
        "/t/web/example.org/!words/@v/list?x=1",
        "/t/web/example.org/!words;x/@v/list",
        "/t/web/example.org/!words/@v/list/",
        "/t/web/example.org/Words/@v/list",
        "/t/web/example.org/!words/@v/%00.info",
        "//t/web/example.org/!words/@v/list",
    ] {
        let status = http::get(envoy.address(), path).status;
        assert!(matches!(status, 400 | 403), "{path}: {status}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = http::request(envoy.address(), method, path_of_list(), &[]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    assert_eq!(reached(&server), Vec::<String>::new());

    let head = http::request(envoy.address(), "HEAD", path_of_list(), &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let denied = http::request(
        envoy.address(),
        "HEAD",
        "/t/locked/example.org/!words/@v/v0.1.0.mod",
        &[],
    );
    assert_eq!((denied.status, denied.body.as_str()), (403, ""));
}

fn path_of_list() -> &'static str {
    "/t/web/example.org/!words/@v/list"
}
