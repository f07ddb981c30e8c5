//! What a platform engineer writes, and what they are told when it is wrong.

use super::*;
use crate::model::{RolloutSide, RuleOutcome, Subject};
use serde_json::{Value, json};

/// A document that is good; tests change one thing in it.
fn document() -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"payments": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "typosquat", "deny": ["github.com/boltdb-go/bolt"], "reason": "typosquat"},
            {"id": "own", "allow": ["corp.example/payments/lib"]},
            {"id": "exact", "allow": ["re:tools\\.example/cli"]},
            {"id": "public", "allow": ["github.com"]}
        ]},
        "backends": {"public": {"cluster": "athens"}},
        "routes": [{"id": "rest", "backend": "public"}]
    })
}

fn compile(document: &Value) -> Result<Policy, Vec<PolicyError>> {
    Policy::from_json(document.to_string().as_bytes())
}

/// The good document with the value at a JSON pointer replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    document
}

#[track_caller]
fn assert_refused(document: &Value, path: &str, hint: &str) {
    let errors = compile(document).expect_err("it should have been refused");
    let found = errors
        .iter()
        .any(|e| e.path == path && e.message.contains(hint));
    assert!(found, "wanted {path}: ...{hint}..., got {errors:#?}");
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let rows = [
        (
            "/tenents",
            json!({}),
            "$.tenents",
            "unknown field `tenents`",
        ),
        (
            "/rules/org/0/denny",
            json!([]),
            "$.rules.org[0].denny",
            "unknown field",
        ),
        (
            "/default",
            json!("maybe"),
            "$.default",
            "expected `allow` or `deny`",
        ),
        ("/version", json!(1), "$.version", "quote it"),
        ("/contact", json!(true), "$.contact", "quote it"),
        ("/contact", json!("a\nb"), "$.contact", "graphic"),
        (
            "/rules/org/0/id",
            json!(false),
            "$.rules.org[0].id",
            "quote it",
        ),
        ("/rules/org/0/id", json!("a b"), "$.rules.org[0].id", "A-Z"),
        (
            "/rules/org/0/id",
            json!("own"),
            "$.rules.org[1].id",
            "already at [0]",
        ),
        (
            "/rules/org/0/id",
            json!("default"),
            "$.rules.org[0].id",
            "reserved",
        ),
        (
            "/rules/org/0/allow",
            json!(["*"]),
            "$.rules.org[0]",
            "exactly one of allow and deny",
        ),
        (
            "/rules/org/0/deny",
            json!(["corp"]),
            "$.rules.org[0].deny[0]",
            "no dot",
        ),
        (
            "/rules/org/0/deny",
            json!([]),
            "$.rules.org[0].deny",
            "empty list",
        ),
        (
            "/rules/org/0/deny",
            json!([null]),
            "$.rules.org[0].deny[0]",
            "expected a string",
        ),
        (
            "/rules/org/0/deny",
            json!(["re:("]),
            "$.rules.org[0].deny[0]",
            "unclosed",
        ),
        (
            "/rules/org/0/reason",
            json!("x".repeat(161)),
            "$.rules.org[0].reason",
            "at most 160",
        ),
        (
            "/tenants/payments/rules",
            json!(["ord"]),
            "$.tenants.payments.rules[0]",
            "there are: org",
        ),
        (
            "/tenants/payments/rules",
            json!(["org", "org"]),
            "$.tenants.payments.rules[1]",
            "already at [0]",
        ),
        (
            "/tenants/true",
            json!({}),
            "$.tenants.true",
            "quote it in YAML",
        ),
        ("/tenants/a.b", json!({}), "$.tenants['a.b']", "A-Z"),
        ("/tenants", json!({}), "$.tenants", "no tenant"),
        ("/backends", json!({}), "$.backends", "at least one backend"),
        (
            "/backends/public/cluster",
            json!("a b"),
            "$.backends.public.cluster",
            "no spaces",
        ),
        (
            "/backends/public/base_path",
            json!("x"),
            "$.backends.public.base_path",
            "slash",
        ),
        (
            "/backends/public/base_path",
            json!("/a/../b"),
            "$.backends.public.base_path",
            "dot segment",
        ),
        (
            "/backends/public/kind",
            json!("nexus"),
            "$.backends.public.kind",
            "unknown variant",
        ),
        (
            "/backends/public/hit_below",
            json!("5"),
            "$.backends.public.hit_below",
            "duration",
        ),
        ("/routes", json!([]), "$.routes", "at least one route"),
        (
            "/routes/0/backend",
            json!("x"),
            "$.routes[0].backend",
            "there are: public",
        ),
        (
            "/routes/0/rewrite",
            json!("/x"),
            "$.routes[0].rewrite",
            "base_path",
        ),
        (
            "/routes/0/path_prefix",
            json!("/sumdb"),
            "$.routes[0].path_prefix",
            "checksum",
        ),
        (
            "/routes/0/path_prefix",
            json!("/"),
            "$.routes[0].path_prefix",
            "leave it out",
        ),
        (
            "/identity/0/path_prefix",
            json!("/t/x"),
            "$.identity[0].path_prefix",
            "{tenant}",
        ),
        (
            "/identity/0/header",
            json!("x-t"),
            "$.identity[0]",
            "exactly one source",
        ),
        (
            "/sumdb",
            json!({"x": {"backend": "y"}}),
            "$.sumdb.x",
            "host",
        ),
        (
            "/rules/org/0/x",
            json!(9_007_199_254_740_993_u64),
            "$.rules.org[0].x",
            "2^53",
        ),
    ];
    table_rows::check(rows, |(pointer, value, path, hint)| {
        assert_refused(&with(pointer, value), path, hint);
    });
}

#[test]
fn a_route_behind_one_that_takes_everything_can_never_match() {
    let routes = json!([
        {"id": "rest", "backend": "public"},
        {"id": "corp", "modules": ["corp.example"], "backend": "public"}
    ]);
    assert_refused(&with("/routes", routes), "$.routes[1]", "can never match");
}

#[test]
fn all_errors_are_reported_at_once() {
    let mut document = with("/contact", json!(""));
    document["routes"][0]["backend"] = json!("nowhere");
    let errors = compile(&document).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["$.contact", "$.routes[0].backend"]);
}

#[test]
fn an_invalid_document_is_refused() {
    for (text, hint) in [
        ("", "empty"),
        ("{", "EOF"),
        ("[]", "expected an object of version"),
        ("{} x", "trailing"),
        (r#"{"version":"1","version":"2"}"#, "twice"),
        (r#"{"a":null,"a":1}"#, "twice"),
    ] {
        let errors = Policy::from_json(text.as_bytes()).unwrap_err();
        assert!(errors[0].message.contains(hint), "{text}: {errors:?}");
    }
    let forged = r#"{"a\nmodgate: policy in force": 1}"#;
    let errors = Policy::from_json(forged.as_bytes()).unwrap_err();
    let text = errors[0].to_string();
    assert!(
        !text.contains('\n') && text.contains("`a\\nmodgate"),
        "{text}"
    );
    let nested = r#"{"tenants":{"a":{"rules":[],"rules":[]}}}"#;
    let errors = Policy::from_json(nested.as_bytes()).unwrap_err();
    assert_eq!(errors[0].path, "$.tenants.a.rules");
}

#[test]
fn a_document_means_the_same_after_a_trip_through_a_control_plane() {
    let written = r##"{
        "version": "1", "routes": [{"id": "rest", "backend": "public"}], "default": "deny",
        "tenants": {"b": {"rules": ["r"]}, "a": {"rules": ["r"]}}, "contact": null,
        "rules": {"r": [{"reason": "a & b", "id": "x", "deny": ["a.b"]}]},
        "backends": {"public": {"cluster": "c", "base_path": null}}
    }"##;
    let handed_on = r#"{"backends":{"public":{"cluster":"c"}},"default":"deny","routes":[{"backend":"public","id":"rest"}],"rules":{"r":[{"deny":["a.b"],"id":"x","reason":"a \u0026 b"}]},"tenants":{"a":{"rules":["r"]},"b":{"rules":["r"]}},"version":"1"}"#;
    let first = Policy::from_json(written.as_bytes()).unwrap();
    let second = Policy::from_json(handed_on.as_bytes()).unwrap();
    assert_eq!(first.hash(), second.hash());
    assert_eq!(first.hash().len(), 12);
    assert_ne!(first.hash(), compile(&document()).unwrap().hash());
}

fn decide(module: &str, is_probe: bool) -> (RuleOutcome, String) {
    let policy = compile(&document()).unwrap();
    let tenant = policy.tenant(Some("payments")).unwrap();
    let verdict = policy.decide(
        tenant,
        RolloutSide::Active,
        module,
        &Subject::Module,
        is_probe,
    );
    (verdict.decision, verdict.rule_label().to_owned())
}

#[test]
fn a_probe_above_or_below_what_a_tenant_may_have_is_not_a_denial() {
    // Above an allowed module, by pattern and by expression.
    for module in ["corp.example", "corp.example/payments", "tools.example"] {
        assert_eq!(
            decide(module, true),
            (RuleOutcome::Probe, "default".into()),
            "{module}"
        );
        // A .mod or .zip is never a probe.
        assert_eq!(
            decide(module, false),
            (RuleOutcome::Deny, "default".into()),
            "{module}"
        );
    }
    // Below an allowed module whose rule does not cover what is below.
    assert_eq!(
        decide("tools.example/cli/cmd/x", true),
        (RuleOutcome::Probe, "default".into())
    );
    // Neither: a true denial.
    assert_eq!(
        decide("corp.example/other", true),
        (RuleOutcome::Deny, "default".into())
    );
    assert_eq!(
        decide("tools.example/other", true),
        (RuleOutcome::Deny, "default".into())
    );
    // A rule that denies stands, though the host is allowed further down.
    for module in ["github.com/boltdb-go/bolt", "github.com/boltdb-go/bolt/sub"] {
        assert_eq!(
            decide(module, true),
            (RuleOutcome::Deny, "typosquat".into()),
            "{module}"
        );
    }
    assert_eq!(
        decide("github.com/boltdb-go", true),
        (RuleOutcome::Allow, "public".into())
    );
}

#[test]
fn the_first_rule_set_that_matches_decides() {
    let mut document = document();
    document["rules"]["team"] = json!([{"id": "ours", "allow": ["github.com/boltdb-go"]}]);
    document["tenants"]["payments"]["rules"] = json!(["team", "org"]);
    let policy = compile(&document).unwrap();
    let tenant = policy.tenant(Some("payments")).unwrap();
    let verdict = policy.decide(
        tenant,
        RolloutSide::Active,
        "github.com/boltdb-go/bolt",
        &Subject::Module,
        true,
    );
    assert_eq!(
        (verdict.decision, verdict.rule_label()),
        (RuleOutcome::Allow, "ours")
    );
}
