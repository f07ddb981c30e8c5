//! A request that waits keeps everything that its decision has found out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::lookup::{Fetched, LookupEnv, QueryId, Step};

const ROLLOUTS: [&str; 4] = ["none", "shadow", "canary", "enforce"];
const SPLITS: [&str; 5] = ["none", "shadow", "canary", "named", "drawn"];
const TRIALS: [&str; 3] = ["none", "shadow", "canary"];
const ROUTES: [&str; 3] = ["one", "drawn", "failover"];

const FILES: [&str; 6] = [
    "@v/list",
    "@latest",
    "@v/main.info",
    "@v/v1.1.0.info",
    "@v/v1.1.0.mod",
    "@v/v1.1.0.zip",
];

/// Stages as documents have them; nothing for what is not a stage.
fn stage(name: &str) -> Option<Map<String, Value>> {
    let stage = match name {
        "shadow" | "enforce" => json!({"stage": name}),
        "canary" => json!({"stage": name, "percent": 50, "by": "client"}),
        _ => return None,
    };
    stage.as_object().cloned()
}

fn with(stage: Map<String, Value>, key: &str, value: Value) -> Value {
    let mut all = stage;
    all.insert(key.to_owned(), value);
    Value::Object(all)
}

fn routes(kind: &str, first: &str) -> Value {
    let lib = match kind {
        "one" => json!({"id": "lib", "modules": ["corp.example"], "backend": first}),
        "drawn" => json!({
            "id": "lib", "modules": ["corp.example"], "backends": {"a": 50, "b": 50}, "by": "client",
        }),
        _ => json!({
            "id": "lib", "modules": ["corp.example"], "backends": {"a": 50, "b": 50}, "by": "client",
            "on_failure": "next",
        }),
    };
    json!([
        {"id": "up", "path_prefix": "/up", "rewrite": "/there", "backend": first},
        lib,
        {"id": "all", "backend": first},
    ])
}

fn policy([rollout, split, trial, route]: [&str; 4]) -> Policy {
    let backend = |cluster: &str| {
        json!({
            "cluster": cluster, "base_path": "/base",
            "redirects": [{"to": "https://cdn.example", "rewrite": "/up"}],
        })
    };
    let mut document = json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {"rules": ["young"]}, "web": {"rules": ["first", "young"]}},
        "rules": {
            "first": [{"id": "cve", "deny": ["corp.example/lib"], "versions": "v0.9.0"}],
            "young": [{"id": "week", "allow": ["*"], "min_age": "7d", "go_mod": "deny"}],
            "next": [
                {"id": "old", "deny": ["corp.example/other"]},
                {"id": "month", "allow": ["*"], "min_age": "30d", "go_mod": "deny"},
            ],
        },
        "backends": {"a": backend("ca"), "b": backend("cb")},
        "routes": routes(route, "a"),
        "integrity": {
            "mode": "enforce", "on_unknown": "allow",
            "first_seen": ["*"],
        },
    });
    if let Some(stage) = stage(rollout) {
        document["tenants"]["web"]["rollout"] = with(stage, "candidate", json!(["first", "next"]));
    }
    if let Some(stage) = stage(trial) {
        document["routes_rollout"] = with(stage, "candidate", routes(route, "b"));
    }
    if split != "none" {
        let assign = match split {
            "drawn" => json!([{"weights": {"old": 40, "new": 60}}]),
            _ => json!([{"tenants": ["web"], "variant": "new"}, {"variant": "old"}]),
        };
        document["splits"] = json!({"lib": {
            "module": "corp.example/lib", "control": "old",
            "variants": {"old": "v1.0.0", "new": "v1.1.0"}, "assign": assign,
        }});
        if let Some(stage) = stage(split) {
            document["splits"]["lib"]["rollout"] = Value::Object(stage);
        }
    }
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

struct From(&'static str);

impl Facts for From {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        (path == ["source", "address"]).then(|| self.0.as_bytes().to_vec())
    }
}

fn request(prefix: &str, file: &str) -> Vec<Header> {
    let path = format!("/t/web/{prefix}corp.example/lib/{file}");
    [
        (":method", "GET"),
        (":path", &*path),
        ("x-request-id", "8d3f-1"),
        ("x-corp-secret", "no backend's"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .to_vec()
}

#[test]
fn a_resumed_decision_equals_the_suspended_one() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut note = |what: &'static str, is_so: bool| {
        *seen.entry(what).or_default() += u32::from(is_so);
    };
    let kinds = ROLLOUTS.iter().flat_map(|rollout| {
        let pairs = SPLITS
            .iter()
            .flat_map(|split| TRIALS.iter().map(move |trial| (split, trial)));
        pairs.flat_map(move |(split, trial)| ROUTES.map(|route| [*rollout, *split, *trial, route]))
    });
    for kind in kinds {
        let policy = policy(kind);
        for (prefix, file) in ["", "up/"]
            .iter()
            .flat_map(|p| FILES.map(|file| (*p, file)))
        {
            for client in ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.7:1"] {
                let headers = request(prefix, file);
                let decision = evaluate(&policy, &headers, &From(client));
                let before = format!("{decision:?}");
                note(
                    "rollout",
                    decision
                        .rule_decisions
                        .is_some_and(|rules| rules.shadow.is_some()),
                );
                note("split", decision.split.is_some());
                note("file of a variant", decision.file_of.is_some());
                note("drawn backend", decision.bucket.is_some());
                note("route trial", decision.route_trial.is_some());
                note("check", matches!(decision.plan, Plan::Check(_)));
                if let Decision::Pending {
                    backend, cluster, ..
                } = &decision.action
                {
                    note("fallback cluster", *cluster != backend.cluster);
                }
                let (suspended, lookup) = decision.suspend(&policy).expect("it waits");
                // Only ids and texts are kept, so the policy may be another copy of the same.
                let copy = policy.clone();
                let resumed = suspended.resume(&copy, lookup).expect("the same policy");
                assert_eq!(
                    format!("{resumed:?}"),
                    before,
                    "{kind:?} {prefix}{file} {client}"
                );
            }
        }
    }
    assert_eq!(seen.len(), 7);
    for (what, count) in seen {
        assert!(count > 50, "{what}: only {count} of the requests have one");
    }
}

#[test]
fn only_a_pending_decision_can_be_suspended() {
    let policy = policy(["none"; 4]);
    for path in ["/t/web/sumdb/sum.golang.org/tile/8/0/001", "/no"] {
        let mut headers = request("", "@v/list");
        headers[1].1 = path.as_bytes().to_vec();
        let decision = evaluate(&policy, &headers, &());
        assert!(decision.suspend(&policy).is_none(), "{path}");
    }
}

#[test]
fn another_policy_cannot_resume_a_decision() {
    let own = policy(["none", "named", "none", "one"]);
    for other in [
        policy(["none", "named", "none", "drawn"]),
        policy(["none", "none", "none", "one"]),
        policy(["shadow", "named", "none", "one"]),
    ] {
        let decision = evaluate(&own, &request("", "@v/list"), &());
        let (suspended, lookup) = decision.suspend(&own).unwrap();
        assert!(suspended.resume(&other, lookup).is_none());
    }
}

#[test]
fn a_lookup_under_another_policy_replies_503() {
    struct Nothing;
    impl LookupEnv for Nothing {
        fn now(&self) -> Option<u64> {
            None
        }
        fn recall(&self, _: &str) -> Option<Vec<u8>> {
            None
        }
        fn note(&self, _: &str, _: &[u8]) {}
        fn waited(&self) -> Duration {
            Duration::ZERO
        }
        fn warn(&self, _: &str) {}
    }
    let own = policy(["none"; 4]);
    let without_tenant = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "backends": {"a": {"cluster": "ca"}, "b": {"cluster": "cb"}},
        "routes": [{"id": "all", "backend": "a"}],
    });
    let other = Policy::from_json(without_tenant.to_string().as_bytes()).unwrap();
    for file in FILES {
        let decision = evaluate(&own, &request("", file), &());
        let (_, mut lookup) = decision.suspend(&own).unwrap();
        assert!(
            matches!(lookup.begin(&own, &Nothing), Step::Ask(_)),
            "{file}"
        );
        let answered = Fetched {
            status: Some(200),
            body: Some(b"v1.0.0\n"),
            ..Fetched::default()
        };
        let steps = [
            lookup.clone().begin(&other, &Nothing),
            lookup.answered(&other, &Nothing, QueryId(0), answered),
        ];
        for step in steps {
            let Step::Answer {
                rule_decisions,
                reply,
            } = step
            else {
                panic!("{file}: {step:?}");
            };
            assert_eq!((rule_decisions, reply.status), (None, 503), "{file}");
        }
    }
}
