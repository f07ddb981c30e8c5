//! What `modgate explain` says of a request with a split.

use modgate_harness::modgate;
use serde_json::{Value, json};

use super::{LIB, example};

fn explain(arguments: &[&str]) -> String {
    modgate::stdout(&modgate::modgate(arguments, b""))
}

#[test]
fn explain_says_who_gets_which_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.json");
    std::fs::write(&file, example().to_string()).unwrap();
    let file = file.to_string_lossy();
    let ask = ["explain", "--policy", &file, "--path-prefix", "/t/web"];
    let who = [
        "--fact",
        "source.address=10.0.0.7:1",
        "--header",
        "x-ab-test: group-b",
    ];
    let module = format!("{LIB}@latest");
    let said = explain(&[ask.as_slice(), &who, &[module.as_str()]].concat());
    let drawn = "assign[1] draws it by client, bucket ";
    assert!(
        said.contains("lib-beta, variant ") && said.contains(drawn),
        "{}",
        said
    );
    let said = explain(&["explain", "--policy", &file, "--tenant", "bank", &module]);
    let named = "lib-beta, variant stable, v1.2.0: assign[0] names it";
    assert!(said.contains(named), "{said}");
}

#[test]
fn explain_shows_what_goes_upstream_without_the_tenants_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.json");
    let rows = [
        ("in force", json!({})),
        ("strict", json!({"strict": true})),
        ("in shadow", json!({"rollout": {"stage": "shadow"}})),
        (
            "a canary",
            json!({"rollout": {"stage": "canary", "percent": 50, "by": "tenant"}}),
        ),
    ];
    table_rows::check(rows, |(_, more)| {
        let mut policy = example();
        for (key, value) in more.as_object().unwrap() {
            policy["splits"]["lib-beta"][key] = value.clone();
        }
        std::fs::write(&file, policy.to_string()).unwrap();
        let file = file.to_string_lossy();
        for version in ["", "@latest", "@v1.2.0", "@v1.3.0-beta.1", "@v1"] {
            let module = format!("{LIB}{version}");
            let prefix = ["--policy", &file, "--path-prefix", "/t/web", "--json"];
            let said = explain(&[["explain", &module].as_slice(), &prefix].concat());
            let said: Value = serde_json::from_str(&said).unwrap();
            for request in said[0]["requests"].as_array().unwrap() {
                let path = request["path"].as_str().unwrap().strip_prefix("/t/web");
                let upstream = request["upstream"].as_str();
                // A strict split refuses other versions, and nothing goes upstream.
                if request["status"].is_null() || upstream.is_some() {
                    assert_eq!(upstream, path, "{request}");
                }
            }
        }
    });
}
