//! What a decision costs, by the number of rules, and what compiling them takes.
//!
//! `cargo bench -p modgate-engine --bench decide`

#![allow(clippy::expect_used, reason = "a benchmark stops at whatever is wrong")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use modgate_go::gomod::semver;
use modgate_policy::model::{Age, Policy, RuleSetSide, Subject};
use serde_json::{Value, json};

/// A policy of this many rules, every tenth of which is about versions. The last allows all.
fn document(rules: usize) -> Vec<u8> {
    let mut all: Vec<Value> = (0..rules.saturating_sub(1))
        .map(|i| {
            let module = format!("github.com/org{}/lib{i}", i % 997);
            match i % 10 {
                0 => json!({"id": format!("r{i}"), "deny": [module], "versions": "<1.4.0 || v2"}),
                1..=8 => json!({"id": format!("r{i}"), "deny": [module]}),
                _ => json!({"id": format!("r{i}"), "allow": [format!("{module}/*-x")]}),
            }
        })
        .collect();
    all.push(json!({"id": "all", "allow": ["*"]}));
    let document = json!({
        "version": "1", "default": "deny",
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": all},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    document.to_string().into_bytes()
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("decide");
    for rules in [100, 10_000, 100_000, 1_000_000] {
        let policy = Policy::from_json(&document(rules)).expect("a good policy");
        let tenant = policy.tenant(None).expect("everybody");
        let version = semver::parse("v1.5.0").expect("a version");
        let subject = Subject::Version(version, Age::Unasked);
        for (what, module) in [
            ("none", "golang.org/x/text/encoding"),
            ("denied", "github.com/org5/lib5"),
            ("by_version", "github.com/org0/lib0"),
        ] {
            let id = BenchmarkId::new(what, rules);
            group.bench_function(id, |bench| {
                bench.iter(|| {
                    policy.decide(
                        tenant,
                        RuleSetSide::Active,
                        black_box(module),
                        &subject,
                        false,
                    )
                });
            });
        }
    }
    group.finish();
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    for rules in [10_000, 100_000] {
        let document = document(rules);
        group.bench_function(BenchmarkId::from_parameter(rules), |bench| {
            bench.iter(|| Policy::from_json(black_box(&document)).expect("a good policy"));
        });
    }
    group.finish();
    criterion.final_summary();
}
