//! The JSON Schema of the policy document: the shipped one is the engine's, and says what the engine
//! says of a document's shape.

use std::path::PathBuf;

use jsonschema::Validator;
use modgate_harness::envoy::shipped;
use modgate_harness::modgate::{modgate, stdout};
use modgate_harness::policies::three_tenants;
use modgate_harness::tools::root;
use serde_json::{Value, json};

fn schema() -> Value {
    let file = root().join("docs/policy.schema.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

/// The blocks of JSON on a page.
fn blocks(page: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let blocks = text.split("```json\n").skip(1);
    let block = |block: &str| block.split("```").next().unwrap().to_owned();
    blocks.map(block).collect()
}

fn pages() -> Vec<PathBuf> {
    let folders =
        ["start", "guides", "reference", "explain"].map(|name| root().join("docs").join(name));
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    pages.chain([root().join("README.md")]).collect()
}

#[test]
fn the_shipped_schema_is_the_one_that_is_made_of_the_engine() {
    let printed = modgate(["check", "--schema"], b"");
    let file = root().join("docs/policy.schema.json");
    assert_eq!(
        stdout(&printed),
        std::fs::read_to_string(file).unwrap(),
        "write it anew: modgate check --schema > docs/policy.schema.json"
    );
    jsonschema::meta::validate(&schema()).unwrap();
}

#[test]
fn every_policy_that_is_shown_has_the_schemas_shape() {
    let validator = validator();
    let mut policies = vec![three_tenants("goproxy")];
    let examples = ["demo", "envoy", "split"].map(|name| format!("examples/{name}/policy.json"));
    for file in examples {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        policies.push(serde_json::from_str(&text).unwrap());
    }
    let filter = shipped("modgate.yaml");
    let text = filter.pointer("/resources/0/typed_config/config/configuration/value");
    policies.push(serde_json::from_str(text.unwrap().as_str().unwrap()).unwrap());
    let mut fragments = 0;
    for block in pages().iter().flat_map(blocks) {
        let value = serde_json::from_str::<Value>(&block);
        if let Ok(whole) = value {
            if whole.get("routes").is_some() {
                policies.push(whole);
            }
            continue;
        }
        // Some members of a policy.
        let Ok(Value::Object(members)) = serde_json::from_str(&format!("{{{block}}}")) else {
            continue;
        };
        let schema = schema();
        let known = schema["properties"].as_object().unwrap();
        if members.keys().any(|key| !known.contains_key(key)) {
            continue;
        }
        let mut policy = three_tenants("goproxy");
        policy.as_object_mut().unwrap().extend(members);
        policies.push(policy);
        fragments += 1;
    }
    assert!(
        policies.len() - fragments >= 6 && fragments >= 3,
        "{fragments}"
    );
    for policy in policies {
        let errors: Vec<String> = validator
            .iter_errors(&policy)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, [] as [&str; 0], "{policy:#}");
    }
}

#[test]
fn nulls_are_as_if_they_were_absent() {
    let mut policy = three_tenants("athens");
    for key in [
        "contact",
        "identity",
        "require",
        "rules",
        "integrity",
        "sumdb",
        "tests",
    ] {
        policy[key] = Value::Null;
    }
    policy["tenants"] = json!({"web": {"rules": null, "rollout": null}});
    assert!(validator().is_valid(&policy), "{policy:#}");
    assert!(
        modgate(["check", "-"], policy.to_string().as_bytes())
            .status
            .success()
    );
}

#[test]
fn what_has_another_shape_is_refused_by_the_schema_and_by_the_engine() {
    let validator = validator();
    let good = three_tenants("athens");
    assert!(validator.is_valid(&good));
    for (pointer, value) in [
        ("/version", json!(1)),
        ("/version", Value::Null),
        ("/default", json!("maybe")),
        ("/contact", json!(["#go"])),
        ("/tenants", json!([])),
        ("/tenants/web/rules", json!("org")),
        ("/tenants/web/rules", json!([true])),
        ("/tenants/web", json!({"ruels": []})),
        ("/tenants/web", json!({"integrity": "on"})),
        ("/tenants/web", json!({"rollout": {"candidate": []}})),
        (
            "/tenants/web",
            json!({"rollout": {"candidate": [], "stage": "half"}}),
        ),
        (
            "/tenants/web",
            json!({"rollout": {"candidate": [], "stage": "canary", "percent": "5"}}),
        ),
        ("/rules/org/0", json!({"id": "a"})),
        (
            "/rules/org/0",
            json!({"id": "a", "allow": ["*"], "deny": ["*"]}),
        ),
        ("/rules/org/0", json!({"id": "a", "allow": "*"})),
        ("/rules/org/0", json!({"allow": ["*"]})),
        (
            "/rules/org/0",
            json!({"id": "a", "deny": ["*"], "hide": "yes"}),
        ),
        (
            "/rules/org/0",
            json!({"id": "a", "deny": ["*"], "min_age": 7}),
        ),
        ("/rules/org", json!({})),
        ("/identity/0", json!({})),
        (
            "/identity/0",
            json!({"path_prefix": "/{tenant}", "header": "x"}),
        ),
        (
            "/identity/0",
            json!({"jwt_claim": {"tenant": 1}, "payload": "p"}),
        ),
        ("/identity/0", json!({"jwt_claim": [1], "payload": "p"})),
        ("/identity/0", json!({"sni": "{tenant}.x", "map": {"a": 1}})),
        ("/backends/main", json!({})),
        (
            "/backends/main",
            json!({"cluster": "c", "kind": "artifactory"}),
        ),
        ("/backends/main", json!({"cluster": "c", "age": "created"})),
        (
            "/backends/main",
            json!({"cluster": "c", "redirects": [{"to": "/x"}]}),
        ),
        (
            "/backends/main",
            json!({"cluster": "c", "redirects": [{"to": "/x", "rewrite": "/", "pass": true}]}),
        ),
        ("/routes", json!({})),
        ("/routes/0", json!({"id": "all"})),
        (
            "/routes/0",
            json!({"id": "all", "backend": "main", "prefix": "/x"}),
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        refused(&validator, &bad);
    }
    for (key, value) in [
        ("$schema", json!("policy.schema.json")),
        ("tenant", json!({})),
        ("access_log", json!("no")),
        ("integrity", json!({"mode": "enforced"})),
        ("integrity", json!({"pins": []})),
        ("sumdb", json!({"sum.golang.org": {"backends": "main"}})),
        ("tests", json!([{"tenant": "web", "module": "a.b/c"}])),
        (
            "tests",
            json!([{"tenant": "web", "module": "a.b/c", "expect": "allowed"}]),
        ),
        ("require", json!("mtls")),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        refused(&validator, &bad);
    }
    for key in ["version", "default", "tenants", "backends", "routes"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(key);
        refused(&validator, &bad);
    }
}

#[track_caller]
fn refused(validator: &Validator, bad: &Value) {
    assert!(!validator.is_valid(bad), "the schema takes {bad:#}");
    let checked = modgate(["check", "-"], bad.to_string().as_bytes());
    assert_eq!(checked.status.code(), Some(1), "the engine takes {bad:#}");
}
