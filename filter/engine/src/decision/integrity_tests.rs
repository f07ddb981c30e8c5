//! What is wrong with `integrity` and `redirects`, and what a plan is made of them.

use super::*;
use super::{Decision, evaluate};
use modgate_go::gomod::Artifact;
use modgate_go::http::Header;
use modgate_go::integrity::{Checked, Evidence};
use modgate_policy::model::Plan;
use serde_json::{Value, json};

/// The key of sum.golang.org (cmd/go/internal/modfetch/key.go).
pub(super) const KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const H1: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn document(integrity: Value) -> Value {
    json!({
        "version": "1", "default": "allow", "integrity": integrity,
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {}, "trial": {"integrity": "shadow"}, "free": {"integrity": "off"}},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
    })
}

fn read(document: &Value) -> Result<Policy, Vec<String>> {
    let read = Policy::from_json(document.to_string().as_bytes());
    read.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn plan(integrity: &Value, path: &str) -> Plan {
    let policy = read(&document(integrity.clone())).unwrap();
    let headers = [(":method", "GET"), (":path", path)]
        .map(|(name, value)| -> Header { (name.to_owned(), value.as_bytes().to_vec()) });
    evaluate(&policy, &headers, &()).plan
}

#[test]
fn a_pin_counts_before_a_first_seen_hash() {
    let integrity = json!({
        "mode": "enforce", "on_unknown": "refuse", "first_seen": ["corp.example"],
        "pins": [format!("corp.example/lib v1.0.0 {H1}")]
    });
    let checked = |path: &str| match plan(&integrity, path) {
        Plan::Check(Checked {
            artifact,
            evidence,
            enforce,
            ..
        }) => (artifact, evidence, enforce),
        other => panic!("{path}: {other:?}"),
    };
    let pin = Evidence::Pin(H1.parse().unwrap());
    assert_eq!(
        checked("/corp.example/lib/@v/v1.0.0.zip"),
        (Artifact::Zip, pin, true)
    );
    assert_eq!(
        checked("/t/trial/corp.example/lib/@v/v1.0.0.zip"),
        (Artifact::Zip, pin, false)
    );
    assert_eq!(
        checked("/corp.example/lib/@v/v1.0.0.mod"),
        (Artifact::GoMod, Evidence::FirstSeen, true)
    );
    let rows = [
        ("/a.b/c/@v/v1.0.0.zip", Plan::Refuse(Artifact::Zip)),
        (
            "/t/trial/a.b/c/@v/v1.0.0.mod",
            Plan::Unknown(Artifact::GoMod),
        ),
        ("/t/free/corp.example/lib/@v/v1.0.0.zip", Plan::Pass),
        ("/corp.example/lib/@v/v1.0.0.info", Plan::Pass),
        ("/corp.example/lib/@v/list", Plan::Pass),
    ];
    table_rows::check(rows, |(path, expected)| {
        assert_eq!(plan(&integrity, path), expected, "{path}");
    });
}

#[test]
fn a_first_hash_is_a_backends_own_unless_the_policy_says_otherwise() {
    let mut integrity = json!({
        "mode": "enforce", "on_unknown": "allow", "first_seen": ["corp.example"]
    });
    let checked =
        |integrity: &Value| match plan(integrity, "/t/trial/corp.example/lib/@v/v1.0.0.zip") {
            Plan::Check(checked) => checked,
            other => panic!("{other:?}"),
        };
    let by_backend = checked(&integrity);
    assert_eq!(by_backend.remembered.source.as_deref(), Some("b"));
    assert_eq!(by_backend.remembered.tenant, "trial");
    assert!(by_backend.refuse_no_room);
    integrity["first_seen_scope"] = json!("all");
    integrity["on_no_room"] = json!("allow");
    let for_all = checked(&integrity);
    assert_eq!(for_all.remembered.source, None);
    assert!(!for_all.refuse_no_room);
}

#[test]
fn a_file_without_a_known_hash_is_denied_by_integrity() {
    let integrity = json!({"mode": "enforce", "on_unknown": "refuse"});
    let policy = read(&document(integrity)).unwrap();
    for method in ["GET", "HEAD"] {
        let headers = [
            (":method", method),
            (":path", "/a.b/c/@v/v1.0.0.zip"),
            ("x-request-id", "8d3f"),
        ];
        let headers =
            headers.map(|(name, value)| -> Header { (name.to_owned(), value.as_bytes().to_vec()) });
        let decision = evaluate(&policy, &headers, &());
        assert_eq!(decision.decision_labels(), Some(("deny", "integrity")));
        let Decision::LocalReply(reply) = decision.action else {
            panic!("it was forwarded");
        };
        assert_eq!(reply.status, 403);
        let body = reply.body;
        assert!(
            body.starts_with("modgate: not verified: a.b/c@v1.0.0\n")
                && body.ends_with("request: 8d3f\n"),
            "{body}"
        );
    }
}

#[test]
fn contradictory_settings_are_refused_with_their_path() {
    let pin = |sum: &str| format!("corp.example/lib v1.0.0 {sum}");
    let other = H1.replace("47DE", "57DE");
    for (integrity, error) in [
        (
            json!({"mode": "enforce"}),
            "$.integrity.on_unknown: missing",
        ),
        (
            json!({"mode": "off", "pins": [pin("h1:short")]}),
            "$.integrity.pins[0]: not a valid go.sum line: the hash is not",
        ),
        (
            json!({"mode": "off", "pins": [pin(H1), pin(&other)]}),
            "$.integrity.pins[1]: an earlier pin has",
        ),
        (
            json!({"mode": "off", "first_seen": ["corp"]}),
            "$.integrity.first_seen[0]: the pattern",
        ),
        (
            json!({"mode": "off", "first_seen_scope": "all"}),
            "$.integrity.first_seen_scope: it needs first_seen",
        ),
        (
            json!({"mode": "off", "on_no_room": "allow"}),
            "$.integrity.on_no_room: it needs first_seen",
        ),
        (
            json!({"mode": "strict"}),
            "$.integrity.mode: unknown variant `strict`",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": "sum.golang.org", "backend": "b"}}),
            "$.integrity.sumdb.key: a verifier key is NAME+HASH+KEY",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY.replace("Ac4", "Ac5"), "backend": "b"}}),
            "$.integrity.sumdb.key: the hash in the middle does not",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY, "backend": "c"}}),
            "$.integrity.sumdb.backend: no backend is named \"c\"",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY}}),
            "$.integrity.sumdb: missing field `backend`",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY, "backend": "b", "timeout": "0s"}}),
            "$.integrity.sumdb.timeout: a lookup timeout must be from 1ms to 60s",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY, "backend": "b", "timeout": "61s"}}),
            "$.integrity.sumdb.timeout: a lookup timeout must be",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY, "backend": "b", "authority": "a b"}}),
            "$.integrity.sumdb.authority: \"a b\" is not a valid host",
        ),
        (
            json!({"mode": "off", "sumdb": {"key": KEY, "backend": "b"}, "private": ["corp"]}),
            "$.integrity.private[0]: the pattern",
        ),
        (
            Value::Null,
            "$.tenants.trial.integrity: the policy has no `integrity`",
        ),
    ] {
        let errors = read(&document(integrity)).unwrap_err();
        assert!(errors.iter().any(|e| e.starts_with(error)), "{errors:?}");
    }
}

#[test]
fn the_checksum_database_counts_after_pins_and_before_first_seen_hashes() {
    let integrity = json!({
        "mode": "enforce", "on_unknown": "refuse", "first_seen": ["corp.example", "a.b/seen"],
        "pins": [format!("a.b/pinned v1.0.0 {H1}")],
        "sumdb": {"key": KEY, "backend": "b"}, "private": ["corp.example", "*.corp.example"]
    });
    let rows = [
        (
            "a.b/pinned/@v/v1.0.0.zip",
            Evidence::Pin(H1.parse().unwrap()),
        ),
        (
            "a.b/pinned/@v/v1.0.0.mod",
            Evidence::Sumdb {
                or_first_seen: false,
            },
        ),
        (
            "a.b/seen/c/@v/v1.0.0.zip",
            Evidence::Sumdb {
                or_first_seen: true,
            },
        ),
        ("corp.example/lib/@v/v1.0.0.zip", Evidence::FirstSeen),
    ];
    table_rows::check(rows, |(path, evidence)| {
        match plan(&integrity, &format!("/{path}")) {
            Plan::Check(checked) => assert_eq!(checked.evidence, evidence, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    });
    let unknown = plan(&integrity, "/git.corp.example/lib/@v/v1.0.0.zip");
    assert_eq!(unknown, Plan::Refuse(Artifact::Zip));
}

#[test]
fn the_policy_chooses_the_checksum_databases_backend() {
    let database = |sumdb: Value| {
        let mut document = document(json!({"mode": "off", "sumdb": sumdb}));
        document["tenants"] = json!({"*": {}});
        document["backends"]["b"]["base_path"] = json!("/go");
        let policy = read(&document).unwrap();
        policy.database().unwrap().clone()
    };
    let direct = database(json!({"key": KEY, "backend": "b"}));
    assert_eq!(
        (
            &*direct.prefix,
            &*direct.authority,
            direct.timeout.as_secs()
        ),
        ("/go", "sum.golang.org", 5)
    );
    assert!(direct.refuse_unavailable);
    let proxied = database(json!({
        "key": KEY, "backend": "b", "proxied": true, "authority": "proxy.corp.example:8080",
        "timeout": "250ms", "on_unavailable": "allow"
    }));
    assert_eq!(
        (
            &*proxied.prefix,
            &*proxied.authority,
            proxied.timeout.as_millis()
        ),
        ("/go/sumdb/sum.golang.org", "proxy.corp.example:8080", 250)
    );
    assert!(!proxied.refuse_unavailable);
}

#[test]
fn a_redirect_rule_needs_a_location_and_an_action() {
    for (redirect, error) in [
        (json!({"to": "elsewhere", "pass": true}), ".to: give a URL"),
        (
            json!({"to": "https://a.b/?x", "pass": true}),
            ".to: give a URL",
        ),
        (json!({"to": "https://a.b"}), ": give either rewrite"),
        (
            json!({"to": "https://a.b", "pass": false}),
            ": give either rewrite",
        ),
        (
            json!({"to": "https://a.b", "pass": true, "rewrite": "/x"}),
            ": give either rewrite",
        ),
        (
            json!({"to": "https://a.b", "rewrite": "x"}),
            ".rewrite: it must begin with a slash",
        ),
    ] {
        let mut document = document(json!({"mode": "off"}));
        document["backends"]["b"]["redirects"] = json!([redirect]);
        document["tenants"] = json!({"*": {}});
        let errors = read(&document).unwrap_err();
        let error = format!("$.backends.b.redirects[0]{error}");
        assert!(errors.iter().any(|e| e.starts_with(&error)), "{errors:?}");
    }
}
