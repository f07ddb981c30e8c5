//! What a new policy takes of a VM's memory, which never shrinks: a peak once, and nothing with each reload.

use envoy_wasm_host::{
    Engine, EngineOptions, Module, PluginConfig, Proxy, ProxyConfig, VmConfig, Worker,
};
use modgate::filter;
use modgate_harness::tools::dist;
use serde_json::json;

/// A policy of about 1 MB.
fn policy(version: usize) -> String {
    let advisory = |i: usize| {
        json!({
            "id": format!("d{i}"),
            "deny": [format!("github.com/bad{i}/mod{i}")],
            "reason": format!("advisory {version} {i} of a list that was made by a program"),
        })
    };
    let mut rules: Vec<_> = (0..9000).map(advisory).collect();
    rules.push(json!({"id": "public", "allow": ["*"]}));
    json!({
        "version": format!("v{version}"), "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}}, "rules": {"org": rules},
        "backends": {"main": {"cluster": "main"}}, "routes": [{"id": "all", "backend": "main"}],
    })
    .to_string()
}

fn plugin(version: usize) -> PluginConfig {
    PluginConfig {
        configuration: policy(version).into_bytes(),
        ..PluginConfig::default()
    }
}

fn worker() -> Worker {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::from_file(&engine, &dist("modgate.wasm")).unwrap();
    let proxy = Proxy::new(ProxyConfig {
        clusters: ["main".to_owned()].into(),
        route: filter::route(),
        ..ProxyConfig::default()
    });
    Worker::new(&module, VmConfig::default(), proxy).unwrap()
}

/// How often the policy's own bytes.
fn times(bytes: usize) -> f64 {
    bytes as f64 / policy(0).len() as f64
}

#[test]
fn a_reload_takes_no_more_than_the_one_before() {
    let mut worker = worker();
    let empty = worker.memory_size();
    let mut active = worker.start_plugin(plugin(0)).unwrap();
    let first = times(worker.memory_size() - empty);
    let mut sizes = Vec::new();
    for version in 1..=20 {
        let new = worker.start_plugin(plugin(version)).unwrap();
        worker.retire_plugin(std::mem::replace(&mut active, new));
        sizes.push(worker.memory_size());
    }
    println!(
        "{first:.1} times the policy for the first, {:?} bytes then",
        sizes
    );
    assert!(first < 8.0, "{first:.1} times the policy for the first");
    // With the one that is in force beside the one that comes.
    let peak = times(sizes[19] - empty);
    assert!(peak < 12.5, "{peak:.1} times the policy after 20 reloads");
    // A step now and then, where the free memory lies in pieces; a leak would take three times the policy
    // with each.
    let late = times(sizes[19] - sizes[9]);
    assert!(
        late < 2.0,
        "{late:.1} times the policy for ten reloads: {sizes:?}"
    );
}

/// An Envoy that is handed one policy after the other lets the old ones go when it has time.
#[test]
fn an_old_policy_that_is_not_let_go_yet_takes_little() {
    let mut worker = worker();
    for version in 0..3 {
        worker.start_plugin(plugin(version)).unwrap();
    }
    let before = worker.memory_size();
    for version in 3..13 {
        worker.start_plugin(plugin(version)).unwrap();
    }
    let each = times(worker.memory_size() - before) / 10.0;
    println!("{each:.2} times the policy for each");
    assert!(each < 3.5, "{each:.2} times the policy for each");
}
