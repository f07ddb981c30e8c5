//! What go comes to behind routes and backend splits, against what the same commands come to at the
//! backend itself.

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use serde_json::json;

use crate::splits::{LIB, lib};

const APP: &str = "corp.example/app";
const PRIVATE: &str = "private.proxy/v1";

/// Each begins with a go.mod of its own.
const SESSIONS: [&[&[&str]]; 8] = [
    &[&["get", "corp.example/lib@latest"]],
    &[&["get", "corp.example/lib@v1"]],
    &[&["get", "corp.example/lib@<v1.2.0"]],
    &[
        &["get", "corp.example/lib@v1.0.0"],
        &["get", "corp.example/lib@upgrade"],
    ],
    &[
        &["get", "corp.example/lib@v1.0.0"],
        &["list", "-m", "-u", "-versions", "corp.example/lib"],
        &["get", "-u", "corp.example/lib"],
    ],
    // Taken back, and obeyed all the same.
    &[
        &["get", "corp.example/lib@v1.3.0"],
        &["list", "-m", "-u", "corp.example/lib"],
    ],
    &[
        &["get", "corp.example/lib@v1.4.0-beta.1"],
        &["mod", "download"],
    ],
    // It needs a version of the other module that is not the latest.
    &[&["get", "corp.example/app@latest"]],
];

/// What a developer with this GOPROXY sees, and ends with.
fn seen(proxy: &str) -> Vec<String> {
    let session = |commands: &&[&[&str]]| {
        let go = Go::new(proxy, Sumdb::Off);
        let said = commands.iter().map(|command| {
            let output = go.run(command);
            let said = output.expect_ok();
            // Only `list` says anything that is not about the download.
            let is_list = command.contains(&"list");
            if is_list {
                said.to_owned()
            } else {
                String::new()
            }
        });
        let said: String = said.collect();
        let all = go.run(&["list", "-m", "all"]);
        format!("{commands:?}: {said}{}", all.expect_ok())
    };
    SESSIONS.iter().map(session).collect()
}

/// Two servers with all modules, at their root and behind a base path.
fn server() -> (tempfile::TempDir, Server) {
    let newest = lib("v1.3.1").retracts("[v1.3.0, v1.3.1]", "it loses data");
    let app = Module::new(APP, "v1.0.0")
        .requires(LIB, "v1.1.0")
        .file("app.go", "package app\n\nimport _ \"corp.example/lib\"\n");
    let released = ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0-beta.1"];
    let modules: Vec<Module> = released.map(lib).into_iter().chain([newest, app]).collect();
    let dir = tempfile::tempdir().unwrap();
    for root in [dir.path().to_owned(), dir.path().join(PRIVATE)] {
        Tree::write(root, &modules).unwrap();
    }
    let server = Server::start(dir.path()).unwrap();
    (dir, server)
}

#[test]
fn go_comes_to_the_same_behind_routes_and_backend_splits_as_at_the_backend() {
    let (first, second) = (server(), server());
    let servers = [&first.1, &second.1];
    let direct = seen(&format!("http://{}/{PRIVATE}", first.1.address()));
    let taken = |version: &str| direct[0].contains(&format!("{LIB} {version}\n"));
    assert!(taken("v1.2.0"), "{direct:?}");

    let policy = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "backends": {"first": {"cluster": "first"}, "second": {"cluster": "second"}},
        "routes": [
            {"id": "v1", "path_prefix": "/go.dev/v1", "rewrite": "/private.proxy/v1", "backend": "first"},
            {"id": "half", "backends": {"first": 50, "second": 50}},
        ],
    });
    let clusters = [("first", first.1.address()), ("second", second.1.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let reached = |public: &str| {
            for server in servers {
                server.forget_requests();
            }
            let proxy = format!("http://{}/t/web{public}", host.address());
            assert_eq!(seen(&proxy), direct, "{proxy}");
            servers.map(|server| -> Vec<String> {
                let requests = server.requests();
                requests.into_iter().map(|request| request.path).collect()
            })
        };
        let [private, other] = reached("/go.dev/v1");
        assert_eq!(other, Vec::<String>::new());
        let rewritten = format!("/{PRIVATE}/corp.example/");
        assert!(
            private.iter().all(|path| path.starts_with(&rewritten)),
            "{private:?}"
        );

        // Every file of a module comes from the one that its share gives.
        let halves = reached("");
        for module in [LIB, APP] {
            let requested = |paths: &Vec<String>| {
                let own = format!("/{module}/@");
                paths.iter().any(|path| path.starts_with(&own))
            };
            assert_eq!(
                halves.iter().filter(|paths| requested(paths)).count(),
                1,
                "{halves:?}"
            );
        }
    }
}
