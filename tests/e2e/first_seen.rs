//! Hashes that were seen first, in front of somebody who wants another one's to be forgotten: on real
//! Envoy and on `modgate serve`, with real go.

use std::net::SocketAddr;
use std::path::Path;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Output, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::serve::Serve;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

const MODULE: &str = "corp.example/lib@v1.0.0";

fn policy(integrity: Value) -> Value {
    json!({
        "version": "1", "default": "allow", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {}, "ci": {}},
        "backends": {"main": {"cluster": "backend"}, "second": {"cluster": "second"}},
        "routes": [
            {"id": "second", "path_prefix": "/second", "rewrite": "", "backend": "second"},
            {"id": "all", "backend": "main"},
        ],
        "integrity": integrity,
    })
}

fn both(policy: &Value, clusters: &[(&str, SocketAddr)]) -> [Host; 2] {
    let mut config = Config::new(policy.clone(), clusters);
    // Each of them has to find what the other one notes.
    config.concurrency = 2;
    [
        Host::Envoy(Box::new(Envoy::start(&config))),
        Host::Serve(Box::new(Serve::start(policy, clusters))),
    ]
}

/// The module's version with this in it.
fn write(folder: &Path, content: &str) {
    let file = format!("package lib // {content}\n");
    let module = Module::new("corp.example/lib", "v1.0.0").file("lib.go", file);
    Tree::write(folder, &[module]).unwrap();
}

fn download(host: &Host, prefix: &str) -> Output {
    let go = Go::new(
        format!("http://{}/t/web{prefix}", host.address()),
        Sumdb::Off,
    );
    go.run(&["mod", "download", MODULE])
}

/// Where a hash that has no secret puts a file, of 4,096 places.
fn place(line: &str) -> u16 {
    let digest = digest(&SHA256, line.as_bytes());
    u16::from_be_bytes([digest.as_ref()[16], digest.as_ref()[17]]) % 4096
}

/// Versions of another module whose go.mod files such a hash puts where it puts the victim's files: more
/// than there is room for.
fn colliding() -> Vec<String> {
    let wanted = [
        place("corp.example/lib v1.0.0"),
        place("corp.example/lib v1.0.0/go.mod"),
    ];
    let versions = (0..).map(|n| format!("v1.{}.{}", n / 1000, n % 1000));
    let mut chosen = Vec::new();
    let mut missing = [40, 40];
    for version in versions {
        let at = place(&format!("corp.example/attacker {version}/go.mod"));
        for (wanted, missing) in wanted.iter().zip(&mut missing) {
            if at == *wanted && *missing > 0 {
                *missing -= 1;
                chosen.push(version.clone());
            }
        }
        if missing == [0, 0] {
            return chosen;
        }
    }
    unreachable!("there is no end of versions")
}

#[test]
fn nobody_takes_the_room_that_another_ones_file_needs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).unwrap();
    let files = folder.path().join("corp.example/attacker/@v");
    std::fs::create_dir_all(&files).unwrap();
    let chosen = colliding();
    for version in &chosen {
        let go_mod = "module corp.example/attacker\n";
        std::fs::write(files.join(format!("{version}.mod")), go_mod).unwrap();
    }
    let remembered = policy(json!({
        "mode": "enforce", "first_seen": ["corp.example"], "on_unknown": "allow",
        "allow_on_headers_stop_iteration": true,
    }));
    let clusters = [("backend", server.address()), ("second", server.address())];
    for host in both(&remembered, &clusters) {
        for version in &chosen {
            let path = format!("/t/ci/corp.example/attacker/@v/{version}.mod");
            assert_eq!(host.get(&path).status, 200);
        }
        write(folder.path(), "honest");
        download(&host, "").expect_ok();
        write(folder.path(), "forged");
        download(&host, "").expect_failure();
        let figures = host.figures();
        let checks = |result| {
            let labels = [("result", result), ("tenant", "web")];
            figures.sum("modgate_integrity_checks_total", &labels)
        };
        assert_eq!([checks("first"), checks("mismatch")], [2.0, 1.0]);
        assert_eq!([checks("unknown"), checks("no_room")], [0.0, 0.0]);
    }
}

#[test]
fn who_runs_one_backend_does_not_decide_for_another_unless_the_policy_says_so() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let servers = [0, 1].map(|n: usize| Server::start(folders[n].path()).unwrap());
    write(folders[0].path(), "honest");
    write(folders[1].path(), "forged");
    let clusters = [
        ("backend", servers[0].address()),
        ("second", servers[1].address()),
    ];
    let integrity = json!({
        "mode": "enforce", "first_seen": ["corp.example"], "on_unknown": "refuse",
        "allow_on_headers_stop_iteration": true,
    });
    for host in both(&policy(integrity.clone()), &clusters) {
        download(&host, "/second").expect_ok();
        download(&host, "").expect_ok();
        // Each of them is held to its own.
        download(&host, "").expect_ok();
        download(&host, "/second").expect_ok();
    }
    let mut for_all = integrity;
    for_all["first_seen_scope"] = json!("all");
    for host in both(&policy(for_all), &clusters) {
        download(&host, "/second").expect_ok();
        download(&host, "").expect_failure();
    }
}
