//! Candidate rules rolled out: real go behind real Envoy with two workers, and the simulator.

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

/// How many modules there are.
const MODULES: usize = 40;

fn module(i: usize) -> String {
    format!("corp.example/m{i}")
}

fn modules() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<Module> = (0..MODULES)
        .map(|i| Module::new(module(i), "v1.0.0").file("m.go", "package m\n"))
        .collect();
    Tree::write(dir.path(), &all).unwrap();
    let server = Server::start(dir.path()).unwrap();
    (dir, server)
}

fn policy(version: &str, rollout: Value) -> Value {
    json!({
        "version": version, "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["now"], "rollout": rollout}},
        "rules": {
            "now": [{"id": "all", "allow": ["*"]}],
            "next": [{"id": "freeze", "deny": ["*"], "reason": "nothing new this week"}],
        },
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// The modules that are refused.
fn refused(address: std::net::SocketAddr) -> Vec<usize> {
    let status = |i: &usize| {
        let path = format!("/t/web/{}/@v/v1.0.0.mod", module(*i));
        http::get(address, &path).status
    };
    (0..MODULES).filter(|i| status(i) == 403).collect()
}

#[test]
fn a_candidate_goes_from_nobody_to_some_to_all() {
    let (_dir, server) = modules();
    let shadow = policy("1", json!({"candidate": ["next"], "stage": "shadow"}));
    let clusters = [("backend", server.address())];
    let mut config = Config::new(shadow, &clusters);
    config.concurrency = 2;
    let mut envoy = Envoy::start_with(&config, |listener| listener.close_at_once());
    let go = Go::new(format!("http://{}/t/web", envoy.address()), Sumdb::Off);
    go.run(&["mod", "download", "corp.example/m0@v1.0.0"])
        .expect_ok();
    let decisions = |envoy: &Envoy, labels: &[(&str, &str)]| {
        Figures::parse(&envoy.prometheus()).sum("modgate_decisions_total", labels)
    };
    let stands_at = |envoy: &Envoy, stage: &str| {
        let figures = Figures::parse(&envoy.prometheus());
        for other in ["shadow", "canary", "enforce"] {
            let labels = [("tenant", "web"), ("stage", other)];
            let value = f64::from(u8::from(other == stage));
            assert_eq!(figures.sum("modgate_rollout_info", &labels), value);
        }
    };
    stands_at(&envoy, "shadow");
    let applied = [
        ("stage", "enforce"),
        ("decision", "allow"),
        ("agreement", "differ"),
    ];
    let beside = [
        ("stage", "shadow"),
        ("decision", "deny"),
        ("rule", "freeze"),
    ];
    assert_eq!(decisions(&envoy, &applied), 3.0);
    assert_eq!(decisions(&envoy, &beside), 3.0);
    let line = &envoy.process().json_lines(3)[0];
    let rows = [
        ("decision", "allow"),
        ("stage", "enforce"),
        ("other_decision", "deny"),
        ("other_rule", "freeze"),
    ];
    table_rows::check(rows, |(member, value)| {
        assert_eq!(line[member], value, "{line}");
    });

    let half = json!({"candidate": ["next"], "stage": "canary", "percent": 50, "by": "module"});
    assert!(envoy.reload(&policy("2", half.clone())));
    let first = refused(envoy.address());
    assert!((8..=32).contains(&first.len()), "{first:?}");
    stands_at(&envoy, "canary");
    let canary = [("stage", "canary"), ("decision", "deny")];
    assert_eq!(decisions(&envoy, &canary), first.len() as f64);
    // The same on other workers, after a reload, in another process and in the simulator.
    assert!(envoy.reload(&policy("3", half.clone())));
    assert_eq!(refused(envoy.address()), first);
    let serve = Serve::start(&policy("3", half.clone()), &clusters);
    assert_eq!(refused(serve.address()), first);
    let more = json!({"candidate": ["next"], "stage": "canary", "percent": 75, "by": "module"});
    assert!(envoy.reload(&policy("4", more)));
    let grown = refused(envoy.address());
    assert!(first.iter().all(|i| grown.contains(i)) && grown.len() > first.len());

    assert!(envoy.reload(&policy(
        "5",
        json!({"candidate": ["next"], "stage": "enforce"})
    )));
    stands_at(&envoy, "enforce");
    let go = Go::new(format!("http://{}/t/web", envoy.address()), Sumdb::Off);
    let said = go.run(&["mod", "download", "corp.example/m0@v1.0.0"]);
    assert!(said.expect_failure().contains("nothing new this week"));
    assert!(envoy.reload(&policy("6", json!({"candidate": ["next"], "stage": "off"}))));
    assert_eq!(refused(envoy.address()), [] as [usize; 0]);
    stands_at(&envoy, "off");
}

#[test]
fn a_canary_by_client_goes_by_the_address_where_nothing_else_is_known() {
    let (_dir, server) = modules();
    let all = json!({"candidate": ["next"], "stage": "canary", "percent": 100, "by": "client"});
    let clusters = [("backend", server.address())];
    let config = Config::new(policy("1", all.clone()), &clusters);
    let mut envoy = Envoy::start_with(&config, |listener| listener.close_at_once());
    let mut serve = Serve::start(&policy("1", all), &clusters);
    for (address, process) in [
        (envoy.address(), envoy.process()),
        (serve.address(), serve.process()),
    ] {
        assert_eq!(refused(address).len(), MODULES);
        assert_eq!(process.json_lines(MODULES)[0]["client"], "address");
    }
}
