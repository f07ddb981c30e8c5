//! Routes and splits that are tried before they hold.

use std::net::SocketAddr;

use modgate_goproxy::Module;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::hosts::Host;
use modgate_harness::serve::Serve;
use serde_json::json;

use crate::splits::{ASSIGNED, LIB, VERSIONS, by_tenant, files, got, lib};

#[test]
fn a_split_in_shadow_changes_nothing_and_counts_those_that_it_would_lead() {
    let (_dir, server) = files(&VERSIONS.map(lib));
    let shadow = by_tenant(json!({"strict": true, "rollout": {"stage": "shadow"}}));
    for host in Host::both(&shadow, server.address()) {
        let latest = format!("{LIB}@latest");
        assert_eq!(got(&host, "beta", &[&["get", &latest]]), "v1.4.0");
        let would = [("variant", "beta"), ("stage", "shadow")];
        assert!(host.figures().sum(ASSIGNED, &would) >= 1.0);
        assert_eq!(host.figures().sum(ASSIGNED, &[("stage", "enforce")]), 0.0);
        let answer = host.get(&format!("/t/beta/{LIB}/@v/list"));
        assert_eq!(answer.header("x-modgate-variant"), None);
    }
}

#[test]
fn a_canary_of_a_split_leads_its_tenants_and_nobody_else() {
    let (_dir, server) = files(&VERSIONS.map(lib));
    let canary = |percent: u32| {
        by_tenant(json!({"rollout": {"stage": "canary", "percent": percent, "by": "tenant"}}))
    };
    for (percent, version, stage) in [(100, "v1.3.0-beta.1", "canary"), (0, "v1.4.0", "shadow")] {
        for host in Host::both(&canary(percent), server.address()) {
            let latest = format!("{LIB}@latest");
            assert_eq!(got(&host, "beta", &[&["get", &latest]]), version);
            let counted = host.figures();
            let of_stage = counted.sum(ASSIGNED, &[("stage", stage)]);
            assert!(of_stage >= 1.0);
            assert_eq!(counted.sum(ASSIGNED, &[]), of_stage);
        }
    }
}

#[test]
fn tried_routes_are_counted_beside_those_that_are_followed() {
    let modules = [Module::new("corp.example/a", "v1.0.0").file("a.go", "package a\n")];
    let servers = [files(&modules), files(&modules)];
    let clusters: [(&str, SocketAddr); 2] = [
        ("old", servers[0].1.address()),
        ("new", servers[1].1.address()),
    ];
    let policy = |stage: &str| {
        json!({
            "version": "1", "default": "allow", "identity": [{"path_prefix": "/t/{tenant}"}],
            "tenants": {"*": {}},
            "backends": {"old": {"cluster": "old"}, "new": {"cluster": "new"}},
            "routes": [{"id": "all", "backend": "old"}],
            "routes_rollout": {
                "stage": stage, "candidate": [{"id": "all", "backend": "new"}],
            },
        })
    };
    for (stage, label, requested) in [("shadow", "enforce", 0), ("enforce", "enforce", 1)] {
        let policy = policy(stage);
        let envoy = Envoy::start(&Config::new(policy.clone(), &clusters));
        let serve = Serve::start(&policy, &clusters);
        for host in [Host::Envoy(Box::new(envoy)), Host::Serve(Box::new(serve))] {
            for (_, server) in &servers {
                server.forget_requests();
            }
            let go = host.go("web");
            go.run(&["get", "corp.example/a@latest"]).expect_ok();
            let counts = [0, 1].map(|i: usize| servers[i].1.requests().len());
            assert!(
                counts[requested] > 0 && counts[1 - requested] == 0,
                "{stage}: {counts:?}"
            );
            let names = ["old", "new"];
            let labels = [
                ("stage", label),
                ("backend", names[requested]),
                ("alternative", names[1 - requested]),
            ];
            let counted = host.figures().sum("modgate_route_trials_total", &labels);
            assert!(
                counted >= counts[requested] as f64,
                "{counted} of {counts:?}"
            );
        }
    }
}
