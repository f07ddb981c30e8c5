//! Rules about versions: what real go sees of a module of which a tenant may have some versions only,
//! behind real Envoy and behind the simulator.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use http_status::StatusCode;
use jiff::{Span, Timestamp};
use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::Go;
use modgate_harness::hosts::Host;
use modgate_harness::http;
use serde_json::{Value, json};

const LIB: &str = "corp.example/lib";
const PSEUDO: &str = "v1.3.1-0.20240101120000-0123456789ab";

/// A folder of modules, served.
struct Backend {
    dir: tempfile::TempDir,
    server: Server,
}

impl Backend {
    fn of(modules: &[Module]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Tree::write(dir.path(), modules).unwrap();
        let server = Server::start(dir.path()).unwrap();
        Self { dir, server }
    }

    /// Adds what no module tree has: a branch.
    fn branch(&self, name: &str, version: &str) {
        let file = self.dir.path().join(format!("{LIB}/@v/{name}.info"));
        let info = json!({"Version": version, "Time": "2024-01-01T12:00:00Z"});
        std::fs::write(file, info.to_string()).unwrap();
    }

    fn requested(&self) -> Vec<String> {
        let requests = self.server.requests();
        self.server.forget_requests();
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        requests.iter().map(|request| file(&request.path)).collect()
    }
}

fn lib(version: &str) -> Module {
    Module::new(LIB, version).file("lib.go", format!("package lib // {version}\n"))
}

fn policy(rules: Value) -> Value {
    json!({
        "version": "1", "default": "deny", "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}, "free": {"rules": ["all"]}},
        "rules": {"org": rules, "all": [{"id": "all", "allow": ["*"]}]},
        "backends": {"main": {"cluster": "backend", "kind": "static"}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// What the tenant `web` gets of a file of the module.
fn get(host: &Host, file: &str) -> http::Response {
    host.get(&format!("/t/web/{LIB}/{file}"))
}

/// The version of the module that the developer's go.mod names after `go get`.
#[track_caller]
fn got(host: &Host, query: &str) -> String {
    let go = host.go("web");
    go.run(&["get", &format!("{LIB}@{query}")]).expect_ok();
    let listed = go.run(&["list", "-m", "-f", "{{.Version}}", LIB]);
    listed.expect_ok().trim().to_owned()
}

#[track_caller]
fn refused(host: &Host, query: &str) -> String {
    let go = host.go("web");
    go.run(&["get", &format!("{LIB}@{query}")])
        .expect_failure()
        .to_owned()
}

#[test]
fn go_sees_the_versions_that_a_tenant_may_have_and_no_other() {
    let versions = ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0-rc.1"];
    let backend = Backend::of(&versions.map(lib));
    backend.branch("main", PSEUDO);
    let rules = json!([
        {"id": "cve", "deny": [LIB], "versions": ">=1.2.0", "except": "v1.4", "reason": "CVE-2026-1"},
        {"id": "all", "allow": ["*"]},
    ]);
    for mut host in Host::both(&policy(rules), backend.server.address()) {
        let listed = host.go("web").run(&["list", "-m", "-versions", LIB]);
        assert_eq!(
            listed.expect_ok().trim(),
            format!("{LIB} v1.0.0 v1.1.0 v1.4.0-rc.1")
        );
        let listed = host.go("free").run(&["list", "-m", "-versions", LIB]);
        assert_eq!(
            listed.expect_ok().trim(),
            format!("{LIB} {}", versions.join(" "))
        );

        assert_eq!(got(&host, "latest"), "v1.1.0");
        assert_eq!(got(&host, "v1"), "v1.1.0");
        assert_eq!(got(&host, "v1.4.0-rc.1"), "v1.4.0-rc.1");
        for query in ["v1.2.0", "main"] {
            let said = refused(&host, query);
            for part in ["403", "rule: org/cve", "reason: CVE-2026-1", "#go-platform"] {
                assert!(said.contains(part), "{query}: {part} is not in {said}");
            }
        }
        assert!(refused(&host, "main").contains(PSEUDO));
        // Without go's own order of questions: no file of a refused version.
        for file in ["@v/v1.3.0.info", "@v/v1.3.0.zip"] {
            assert_eq!(get(&host, file).status, 403, "{file}");
        }
        assert_eq!(get(&host, "@v/v1.3.0.mod").status, 200);
        let list = get(&host, "@v/list");
        assert_eq!(
            list.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(list.body, "v1.0.0\nv1.1.0\nv1.4.0-rc.1\n");
        let head = http::request(
            host.address(),
            "HEAD",
            &format!("/t/web/{LIB}/@v/list"),
            &[],
        );
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let latest = get(&host, "@latest");
        assert!(latest.body.contains("v1.1.0"), "{}", latest.body);

        let log = host.process().json_lines(20);
        let denied = log
            .iter()
            .find(|line| line["module"] == LIB && line["version"] == "main");
        let denied = denied.unwrap();
        for (member, value) in [("decision", "deny"), ("rule", "cve"), ("backend", "main")] {
            assert_eq!(denied[member], value, "{denied}");
        }
        let figures = host.figures();
        let lists = [("operation", "list"), ("tenant", "web"), ("outcome", "ok")];
        assert!(figures.sum("modgate_requests_total", &lists) >= 2.0);
        let hits = [
            ("operation", "list"),
            ("tenant", "web"),
            ("cache_status", "hit"),
        ];
        assert!(figures.sum("modgate_cache_lookups_total", &hits) >= 2.0);
        let denials = [("tenant", "web"), ("rule", "cve"), ("decision", "deny")];
        assert!(figures.sum("modgate_decisions_total", &denials) >= 4.0);
    }
}

#[test]
fn a_version_that_its_author_took_back_is_not_chosen_because_the_newest_is_hidden() {
    let backend = Backend::of(&[
        lib("v1.0.0"),
        lib("v1.1.0"),
        lib("v1.2.0").retracts("v1.1.0", "broken"),
    ]);
    let rules = json!([
        {"id": "young", "deny": [LIB], "versions": ">=1.2.0"},
        {"id": "all", "allow": ["*"]},
    ]);
    for host in Host::both(&policy(rules), backend.server.address()) {
        assert_eq!(got(&host, "latest"), "v1.0.0");
        // Taken back is not denied.
        assert_eq!(got(&host, "v1.1.0"), "v1.1.0");
        assert_eq!(get(&host, "@v/list").body, "v1.0.0\n");
        backend.requested();
        assert_eq!(get(&host, "@v/list").body, "v1.0.0\n");
        assert_eq!(backend.requested(), ["list"], "the go.mod is known by now");
        // What is known under one authority says nothing under another.
        let path = format!("/t/web/{LIB}/@v/list");
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: elsewhere.example\r\nconnection: close\r\n\r\n");
        let elsewhere = http::raw(host.address(), head.as_bytes(), false).unwrap();
        assert_eq!(elsewhere.body, "v1.0.0\n");
        assert_eq!(backend.requested(), ["list", "v1.2.0.mod"]);
    }
}

#[test]
fn nothing_young_is_offered_or_served() {
    let ago = |days: i64| Timestamp::now() - Span::new().hours(24 * days);
    let backend = Backend::of(&[
        lib("v1.0.0").time(ago(300)),
        lib("v1.1.0").time(ago(8)),
        lib("v1.2.0").time(ago(6)),
        lib("v1.3.0").time(ago(0)),
        lib("v1.3.1").time(ago(0)),
    ]);
    let rules = json!([
        {"id": "urgent", "allow": [LIB], "versions": "v1.3.1"},
        {"id": "week", "allow": ["*"], "min_age": "7d", "reason": "one week of quarantine"},
    ]);
    let only_week = json!([rules[1].clone()]);
    for host in Host::both(&policy(only_week), backend.server.address()) {
        assert_eq!(got(&host, "latest"), "v1.1.0");
        assert_eq!(get(&host, "@v/list").body, "v1.0.0\nv1.1.0\n");
        let said = refused(&host, "v1.2.0");
        for part in [
            "rule: org/week",
            "one week of quarantine",
            "age: 6d; allowed from 7d on",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        // The zip alone, as a client asks that has the rest in its cache.
        assert_eq!(get(&host, "@v/v1.3.0.zip").status, 403);
        backend.requested();
        assert_eq!(get(&host, "@v/v1.0.0.mod").status, 200);
        assert_eq!(
            backend.requested(),
            ["v1.0.0.mod"],
            "its age does not count"
        );
        assert_eq!(get(&host, "@v/v1.0.0.zip").status, 200);
        assert_eq!(
            backend.requested(),
            ["v1.0.0.zip"],
            "its age is known by now"
        );
    }
    for host in Host::both(&policy(rules), backend.server.address()) {
        assert_eq!(got(&host, "latest"), "v1.3.1");
    }
}

/// A graph as most are: of the versions of one module that other modules name, only the highest is built.
fn graph() -> [Module; 6] {
    let ago = days_ago;
    let old = "module corp.example/old\n\ngo 1.16\n\nrequire corp.example/lib v1.0.1\n";
    [
        lib("v1.0.0").time(ago(300)),
        // An old line that was mended yesterday.
        lib("v1.0.1").time(ago(1)),
        lib("v1.5.0").time(ago(200)),
        lib("v1.6.0").time(ago(100)),
        // Without graph pruning.
        Module::new("corp.example/old", "v1.0.0")
            .file("go.mod", old)
            .file("old.go", "package old\n"),
        Module::new("corp.example/mid", "v1.0.0")
            .requires(LIB, "v1.0.0")
            .file("mid.go", "package mid\n\nimport _ \"corp.example/lib\"\n"),
    ]
}

/// A developer whose module needs both, and a version of the library that every rule serves.
fn developer_of_the_graph(host: &Host) -> Go {
    let go = host.go("web");
    go.write(
        "go.mod",
        "module app.example\n\ngo 1.21\n\nrequire (\n\tcorp.example/lib v1.5.0\n\
         \tcorp.example/mid v1.0.0\n\tcorp.example/old v1.0.0\n)\n",
    );
    go.write(
        "app.go",
        "package app\n\nimport (\n\t_ \"corp.example/lib\"\n\t_ \"corp.example/mid\"\n\
         \t_ \"corp.example/old\"\n)\n",
    );
    go
}

const GRAPH_COMMANDS: [&[&str]; 8] = [
    &["list", "-m", "all"],
    &["mod", "tidy"],
    &["list", "-m", "all"],
    &["list", "-deps", "./..."],
    &["mod", "download", "all"],
    &["list", "-m", "-u", "all"],
    &["mod", "vendor"],
    &["mod", "verify"],
];

#[test]
fn a_build_is_evaluated_by_what_it_builds_and_not_by_what_it_reads_on_the_way() {
    let backend = Backend::of(&graph());
    let others = json!(["corp.example/old", "corp.example/mid"]);
    let policies = [
        (
            "org/cve",
            json!([
                {"id": "cve", "deny": [LIB], "versions": "<1.5.0", "reason": "CVE-2026-1"},
                {"id": "all", "allow": ["*"]},
            ]),
        ),
        (
            "default",
            json!([
                {"id": "approved", "allow": [LIB], "versions": "v1.5.0 || v1.6.0"},
                {"id": "others", "allow": others, "versions": "v1.0.0"},
            ]),
        ),
        ("org/week", a_week()),
    ];
    for (rule, rules) in policies {
        for host in Host::both(&policy(rules.clone()), backend.server.address()) {
            let go = developer_of_the_graph(&host);
            for command in GRAPH_COMMANDS {
                go.run(command).expect_ok();
            }
            let listed = go.run(&["list", "-m", "all"]);
            assert_eq!(
                listed.expect_ok(),
                "app.example\ncorp.example/lib v1.5.0\ncorp.example/mid v1.0.0\n\
                 corp.example/old v1.0.0\n"
            );
            let graph = go.run(&["mod", "graph"]);
            assert!(graph.expect_ok().contains("corp.example/lib@v1.0.1"));
            let go = developer_of_the_graph(&host).with("GOWORK", "");
            go.run(&["work", "init", "."]).expect_ok();
            let go = go.with("GOFLAGS", "-modcacherw");
            go.run(&["work", "sync"]).expect_ok();

            // What is chosen by its name, or built, is refused all the same.
            let said = refused(&host, "v1.0.1");
            assert!(said.contains(&format!("rule: {rule}\n")), "{rules}: {said}");
            let rows = [
                ("@v/v1.0.1.info", 403),
                ("@v/v1.0.1.zip", 403),
                ("@v/v1.0.1.mod", 200),
            ];
            table_rows::check(rows, |(file, status)| {
                assert_eq!(get(&host, file).status, status, "{rules}: {file}");
            });
        }
    }
}

#[test]
fn a_rule_may_mean_go_mod_files_too_and_one_about_a_whole_module_does() {
    let backend = Backend::of(&graph());
    let all = json!({"id": "all", "allow": ["*"]});
    for (rule, said) in [
        (
            json!({"id": "cve", "deny": [LIB], "versions": "<1.5.0", "go_mod": "deny"}),
            "rule: org/cve",
        ),
        (
            json!({"id": "cve", "deny": [LIB], "versions": "<1.5.0", "hide": true}),
            "not found: corp.example/lib@v1.0",
        ),
        (json!({"id": "cve", "deny": [LIB]}), "rule: org/cve"),
    ] {
        let rules = json!([
            rule,
            {"id": "week", "deny": ["corp.example/mid"], "min_age": "7d", "go_mod": "deny"},
            all,
        ]);
        for host in Host::both(&policy(rules), backend.server.address()) {
            let go = developer_of_the_graph(&host);
            let tidy = go.run(&["mod", "tidy"]);
            let reported = tidy.expect_failure();
            assert!(reported.contains(said), "{rule}: {reported}");
            let mid = host.get("/t/web/corp.example/mid/@v/v1.0.0.mod");
            assert_eq!(mid.status, 200, "{}", mid.body);
        }
    }
}

fn days_ago(days: i64) -> Timestamp {
    Timestamp::now() - Span::new().hours(24 * days)
}

fn a_week() -> Value {
    json!([{"id": "week", "allow": ["*"], "min_age": "7d"}])
}

/// A line is mended as often behind its head as at it; and Go's own releases, which are prereleases of one
/// version.
fn lines() -> Vec<Module> {
    let toolchain = |(version, days): (&str, i64)| {
        let version = format!("v0.0.1-go{version}.linux-amd64");
        Module::new("golang.org/toolchain", version).time(days_ago(days))
    };
    let toolchains = [
        ("1.90.9", 40),
        ("1.91rc1", 120),
        ("1.91.0", 90),
        ("1.91.1", 45),
        ("1.91.2", 2),
        ("1.90.10", 2),
    ];
    let libs = [
        lib("v1.4.7").time(days_ago(300)),
        lib("v1.4.8").time(days_ago(90)),
        lib("v1.4.9").time(days_ago(1)),
        lib("v1.5.0").time(days_ago(30)),
        lib("v1.5.1").time(days_ago(20)),
        Module::new("corp.example/app", "v1.0.0")
            .requires(LIB, "v1.4.7")
            .time(days_ago(90))
            .file("app.go", "package app\n\nimport _ \"corp.example/lib\"\n"),
    ];
    libs.into_iter().chain(toolchains.map(toolchain)).collect()
}

/// Each is the first that is asked of a fresh proxy, which knows no age.
#[test]
fn what_a_list_offers_may_be_had_at_the_first_try() {
    let backend = Backend::of(&lines());
    let latest_of = |go: &Go, module: &str| {
        let listed = go.run(&["list", "-m", "-f", "{{.Version}}", module]);
        listed.expect_ok().trim().to_owned()
    };
    /// What is typed.
    type Typed = fn(&Go);
    let requested: [(&str, Typed); 5] = [
        ("v1.4.8", |go| {
            go.run(&["get", "corp.example/lib@v1.4"]).expect_ok();
        }),
        ("v1.4.8", |go| {
            go.run(&["get", "corp.example/lib@v1.4.7"]).expect_ok();
            go.run(&["get", "corp.example/lib@patch"]).expect_ok();
        }),
        ("v1.4.8", |go| {
            go.write("app.go", "package x\n\nimport _ \"corp.example/app\"\n");
            go.run(&["get", "corp.example/app@v1.0.0"]).expect_ok();
            go.run(&["get", "-u=patch", "./..."]).expect_ok();
        }),
        ("v1.5.1", |go| {
            go.run(&["get", "corp.example/lib"]).expect_ok();
        }),
        ("v1.5.1", |go| {
            go.run(&["get", "corp.example/app@v1.0.0"]).expect_ok();
            go.run(&["get", "-u", "corp.example/app"]).expect_ok();
        }),
    ];
    for (want, ask) in requested {
        for host in Host::both(&policy(a_week()), backend.server.address()) {
            let go = host.go("web");
            ask(&go);
            assert_eq!(latest_of(&go, LIB), want);
            let list = get(&host, "@v/list").body;
            assert_eq!(list, "v1.4.7\nv1.4.8\nv1.5.0\nv1.5.1\n");
        }
    }
    for (query, want) in [("go@1.91", "1.91.1"), ("toolchain@go1.90", "go1.90.9")] {
        for host in Host::both(&policy(a_week()), backend.server.address()) {
            assert_eq!(latest_of(&host.go("web"), query), want, "{query}");
        }
    }
}

/// Passes every answer on so much later.
fn delayed(backend: SocketAddr, by: Duration) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(backend) else {
                return;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (Ok(mut from), Ok(mut to)) = (client.try_clone(), server.try_clone()) else {
                return;
            };
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let (mut from, mut to) = (server, client);
            thread::spawn(move || {
                let mut buffer = vec![0; 64 << 10];
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    thread::sleep(by);
                    if to.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

#[test]
fn the_list_of_a_module_with_400_versions_takes_less_than_a_second() {
    let modules: Vec<Module> = (0..400)
        .map(|i| {
            let (minor, patch) = (i / 10, i % 10);
            let age = if patch == 9 { 1 } else { 30 };
            lib(&format!("v1.{minor}.{patch}")).time(days_ago(age))
        })
        .collect();
    let backend = Backend::of(&modules);
    let address = delayed(backend.server.address(), Duration::from_millis(50));
    let versions = |list: &http::Response| -> BTreeSet<String> {
        list.body.lines().map(ToOwned::to_owned).collect()
    };
    let old: BTreeSet<String> = modules
        .iter()
        .map(|module| module.version().to_owned())
        .filter(|version| !version.ends_with(".9"))
        .collect();
    // What else runs on the machine takes its time, too: the quickest of three counts.
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..3 {
        for (host, quickest) in Host::both(&policy(a_week()), address)
            .iter()
            .zip(&mut quickest)
        {
            let began = Instant::now();
            let list = get(host, "@v/list");
            *quickest = began.elapsed().min(*quickest);
            assert_eq!(list.status, 200, "{}", list.body);
            let listed = versions(&list);
            assert!(listed.is_subset(&old));
            for minor in 0..40 {
                assert!(listed.contains(&format!("v1.{minor}.8")), "{listed:?}");
            }
            // What time was too short for, the next ones have.
            let is_whole = (0..30).any(|_| versions(&get(host, "@v/list")) == old);
            assert!(is_whole);
            backend.requested();
            get(host, "@v/list");
            get(host, "@v/v1.7.3.zip");
            assert_eq!(backend.requested(), ["list", "v1.7.3.zip"]);
        }
    }
    for took in quickest {
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn where_nothing_is_left_go_says_why() {
    let backend = Backend::of(&[lib("v1.0.0"), lib("v1.1.0")]);
    let rules = json!([
        {"id": "gone", "deny": [LIB], "versions": ">=0.1.0", "reason": "use corp.example/other"},
        {"id": "all", "allow": ["*"]},
    ]);
    for host in Host::both(&policy(rules), backend.server.address()) {
        let said = refused(&host, "latest");
        for part in [
            "modgate: denied corp.example/lib@v1.1.0",
            "use corp.example/other",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
}

#[test]
fn a_backend_that_fails_meanwhile_is_distinguished_from_a_denial() {
    let backend = Backend::of(&[lib("v1.0.0"), lib("v1.1.0")]);
    let rules = json!([
        {"id": "cve", "deny": [LIB], "versions": "v1.1.0"},
        {"id": "week", "allow": ["*"], "min_age": "7d"},
    ]);
    for mut host in Host::both(&policy(rules), backend.server.address()) {
        backend.server.set_fault(
            format!("/{LIB}/@v/list"),
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        );
        assert_eq!(get(&host, "@v/list").status, 500);
        // What go.mod retracts cannot be known.
        backend.server.clear_faults();
        backend.server.set_fault(
            format!("/{LIB}/@v/v1.1.0.mod"),
            Fault::Status(StatusCode::NOT_FOUND),
        );
        let list = get(&host, "@v/list");
        assert_eq!(list.status, 502);
        assert!(
            list.body
                .contains("the go.mod of v1.1.0, which may retract"),
            "{}",
            list.body
        );
        backend.server.clear_faults();
        assert_eq!(get(&host, "@v/list").body, "v1.0.0\n");

        std::fs::write(
            backend.dir.path().join(format!("{LIB}/@v/next.info")),
            r#"{"Version":"v1.0.0","version":"v1.1.0"}"#,
        )
        .unwrap();
        let branch = get(&host, "@v/next.info");
        assert_eq!(branch.status, 502, "{}", branch.body);
        let figures = host.figures();
        let failed = [("outcome", "upstream_error"), ("backend", "main")];
        assert_eq!(figures.sum("modgate_requests_total", &failed), 3.0);
        assert!(host.process().json_lines(4).len() >= 4);
    }
    let nowhere = policy(json!([{"id": "week", "allow": ["*"], "min_age": "7d"}]));
    let mut elsewhere = nowhere;
    elsewhere["backends"]["main"]["cluster"] = json!("missing");
    let envoy = Envoy::start(&Config::new(
        elsewhere,
        &[("backend", backend.server.address())],
    ));
    let answer = http::get(envoy.address(), &format!("/t/web/{LIB}/@v/list"));
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("does not have its cluster"),
        "{}",
        answer.body
    );
}
