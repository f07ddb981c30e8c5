//! A backend that sends its clients elsewhere: they stay behind the filter, or get a refusal.

use jiff::{Span, Timestamp};
use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::backends::Backend;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const MODULE: &str = "corp.example/lib@v1.0.0";

fn files() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let module = Module::new("corp.example/lib", "v1.0.0").file("lib.go", "package lib\n");
    let tree = Tree::write(dir.path(), &[module]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

fn policy(redirects: Value) -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}},
        "rules": {"org": [{"id": "public", "allow": ["*"]}]},
        "backends": {
            "athens": {"cluster": "athens", "kind": "athens", "redirects": redirects},
            "files": {"cluster": "files"}
        },
        "routes": [
            {"id": "elsewhere", "path_prefix": "/elsewhere", "rewrite": "/", "backend": "files"},
            {"id": "all", "backend": "athens"}
        ]
    })
}

#[test]
fn go_follows_athens_redirects_without_leaving_the_filter() {
    let (_dir, server) = files();
    let athens = Backend::athens_that_redirects(server.address());
    let clusters = [("athens", athens.address()), ("files", server.address())];
    let mut envoy = Envoy::start(&Config::new(policy(json!([])), &clusters));
    let goproxy = format!("http://{}/t/web", envoy.address());

    let go = Go::new(&goproxy, Sumdb::Off);
    let said = go.run(&["mod", "download", MODULE]);
    let said = said.expect_failure();
    assert!(
        said.contains("502 Bad Gateway") && said.contains("modgate: redirect refused"),
        "{said}"
    );
    assert!(server.requests().is_empty(), "go went there by itself");
    let log = envoy.process().log();
    let host = format!("the policy lists no redirect to {}", server.address());
    assert!(log.contains(&host), "{log}");

    let to = format!("http://{}", server.address());
    let stays = json!([{"to": to, "rewrite": "/elsewhere"}]);
    assert!(envoy.reload(&policy(stays)));
    Go::new(&goproxy, Sumdb::Off)
        .run(&["mod", "download", MODULE])
        .expect_ok();
    // Every one of them came through Envoy, and so past the policy.
    let requests = server.requests();
    assert!(requests.len() >= 3, "{requests:?}");
    for request in requests {
        assert!(request.headers.contains_key("x-request-id"), "{request:?}");
    }

    let passes = json!([{"to": to, "pass": true}]);
    assert!(envoy.reload(&policy(passes)));
    let before = server.requests().len();
    Go::new(&goproxy, Sumdb::Off)
        .run(&["mod", "download", MODULE])
        .expect_ok();
    let requests = server.requests();
    let direct = requests.iter().skip(before);
    assert!(
        direct.clone().count() >= 3
            && direct
                .clone()
                .all(|r| !r.headers.contains_key("x-request-id"))
    );
}

#[test]
fn a_rule_about_versions_holds_behind_athens_that_redirects() {
    let dir = tempfile::tempdir().unwrap();
    let modules = [("v1.0.0", 100), ("v1.1.0", 1)].map(|(version, days)| {
        let module = Module::new("corp.example/lib", version).file("lib.go", "package lib\n");
        module.time(Timestamp::now() - Span::new().hours(24 * days))
    });
    let tree = Tree::write(dir.path(), &modules).unwrap();
    let server = Server::start(tree.root()).unwrap();
    let athens = Backend::athens_that_redirects(server.address());
    let to = format!("http://{}", server.address());
    let mut policy = policy(json!([{"to": to, "rewrite": "/elsewhere"}]));
    policy["rules"]["org"][0]["min_age"] = json!("7d");
    let clusters = [("athens", athens.address()), ("files", server.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let go = host.go("web");
        go.run(&["mod", "download", MODULE]).expect_ok();
        assert!(go.has("corp.example/lib@v1.0.0"));
        let young = go.run(&["mod", "download", "corp.example/lib@v1.1.0"]);
        let said = young.expect_failure();
        assert!(said.contains("age: 1d; allowed from 7d on"), "{said}");
    }
}

#[test]
fn no_location_takes_a_client_where_the_policy_does_not_send_it() {
    let (_dir, server) = files();
    let clusters = [("athens", server.address()), ("files", server.address())];
    let policy = policy(json!([
        {"to": "/corp.example", "rewrite": "/elsewhere/corp.example"},
        {"to": "https://cdn.example", "pass": true}
    ]));
    let envoy = Envoy::start(&Config::new(policy.clone(), &clusters));
    let serve = Serve::start(&policy, &clusters);
    let path = "/corp.example/lib/@v/v1.0.0.zip";
    let rows = [
        (
            "/corp.example/other/@v/v1.0.0.zip",
            Some("/t/web/elsewhere/corp.example/other/@v/v1.0.0.zip"),
        ),
        (
            "https://cdn.example/blob?sig=1",
            Some("https://cdn.example/blob?sig=1"),
        ),
        ("https://cdn.example.evil/blob", None),
        ("https://cdn.example@evil.example/blob", None),
        ("http://cdn.example/blob", None),
        ("//evil.example/blob", None),
        ("/other", None),
        // Relative to what the backend was asked for, and not to what the client has asked.
        (
            "v1.0.1.zip",
            Some("/t/web/elsewhere/corp.example/lib/@v/v1.0.1.zip"),
        ),
        (
            "../../other/@v/./v1.0.0.zip",
            Some("/t/web/elsewhere/corp.example/other/@v/v1.0.0.zip"),
        ),
        (
            "/x/../corp.example/other/@v/v1.0.0.zip",
            Some("/t/web/elsewhere/corp.example/other/@v/v1.0.0.zip"),
        ),
        (
            "//cdn.example/blob?sig=1",
            Some("https://cdn.example/blob?sig=1"),
        ),
        ("../../../other", None),
        ("../../../../../x", None),
        ("?sig=1", None),
        ("javascript:alert(1)", None),
    ];
    table_rows::check(rows, |(location, seen)| {
        let place = http_status::HeaderValue::from_static(location);
        server.set_fault(path, Fault::Redirect(place));
        for (host, address) in [("envoy", envoy.address()), ("serve", serve.address())] {
            let answer = http::get(address, &format!("/t/web{path}"));
            assert_eq!(answer.header("location"), seen, "{host}: {location}");
            let status = if seen.is_some() { 302 } else { 502 };
            assert_eq!(answer.status, status, "{host}: {location}");
            let said = seen.is_some() || answer.body.contains("contact: #go-platform");
            assert!(said, "{}", answer.body);
        }
    });
}
