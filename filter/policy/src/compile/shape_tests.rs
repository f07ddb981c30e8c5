//! Every mistake of shape is told at once, and nothing that only follows from one.

use super::*;
use serde_json::json;

fn errors(document: &serde_json::Value) -> Vec<String> {
    let refused = Policy::from_json(document.to_string().as_bytes());
    let errors = refused.expect_err("it should have been refused");
    errors.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_errors(document: &serde_json::Value, wanted: &[(&str, &str)]) {
    let mut found = errors(document);
    let place = |error: &str| {
        wanted.iter().position(|(path, hint)| {
            error.starts_with(&format!("{path}: ")) && error.contains(hint)
        })
    };
    found.sort_by_key(|error| place(error));
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (error, (path, hint)) in found.iter().zip(wanted) {
        let at = error.strip_prefix(path).and_then(|e| e.strip_prefix(": "));
        assert!(
            at.is_some_and(|e| e.contains(hint)),
            "{path}: {hint}: {found:#?}"
        );
    }
}

#[test]
fn all_errors_are_reported_together() {
    let document = json!({
        "version": 1.2,
        "default": "dney",
        "contct": "#go",
        "identity": [{"path-prefix": "/t/{tenant}"}, 7],
        "tenants": {"web": {"rules": ["ogr"]}, "ops": ["org"]},
        "rules": {"org": [
            {"id": "a", "dney": ["corp"], "hide": "yes"},
            {"allow": "*"}
        ]},
        "backends": {"main": {"cluster": "c", "knd": "athens", "hit_below": "soon"}},
        "routes": [{"id": "all", "backend": "mian"}]
    });
    assert_errors(
        &document,
        &[
            (
                "$.version",
                "expected a string, found the number 1.2: quote it",
            ),
            ("$.default", "did you mean \"deny\"?"),
            ("$.contct", "did you mean \"contact\"?"),
            ("$.identity[0].path-prefix", "did you mean \"path_prefix\"?"),
            ("$.identity[1]", "invalid type: integer `7`"),
            ("$.tenants.web.rules[0]", "did you mean \"org\"?"),
            (
                "$.tenants.ops",
                "invalid type: list, expected an object of rules",
            ),
            ("$.rules.org[0].dney", "did you mean \"deny\"?"),
            // Read as what was meant, so that what is wrong inside is told too.
            ("$.rules.org[0].deny[0]", "has no dot"),
            ("$.rules.org[0].hide", "invalid type: string \"yes\""),
            ("$.rules.org[1]", "missing field `id`"),
            ("$.rules.org[1].allow", "invalid type: string \"*\""),
            ("$.backends.main.knd", "did you mean \"kind\"?"),
            ("$.backends.main.hit_below", "soon"),
            ("$.routes[0].backend", "did you mean \"main\"?"),
        ],
    );
}

#[test]
fn consequential_errors_are_not_reported() {
    // The backends cannot be read, so whether the routes name one of them is not known.
    let document = json!({
        "version": "1", "default": "deny", "tenants": {"*": {}},
        "backends": [], "routes": [{"id": "all", "backend": "main"}]
    });
    assert_errors(&document, &[("$.backends", "invalid type: sequence")]);
    // Neither allow nor deny may be what the unknown key was meant to be.
    let document = json!({
        "version": "1", "default": "deny", "tenants": {"*": {"rules": ["org"]}},
        "rules": {"org": [{"id": "a", "modules": ["*"]}]},
        "backends": {"main": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "main"}]
    });
    assert_errors(&document, &[("$.rules.org[0].modules", "unknown field")]);
    assert_errors(
        &json!({}),
        &["version", "default", "tenants", "backends", "routes"].map(|key| ("$", key)),
    );
    assert_errors(&json!([]), &[("$", "invalid type: list")]);
}

#[test]
fn duplicate_keys_and_too_large_numbers_are_all_reported() {
    let text = br#"{"version": 9007199254740993, "a": {"b": 1, "b": 2}, "a": [1e300]}"#;
    let errors = Policy::from_json(text).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
    // And what is wrong otherwise.
    let reported = ["$.version", "$.a.b", "$.a", "$.a[0]", "$", "$", "$", "$"];
    assert_eq!(paths, reported);
}

#[test]
fn many_mistakes_are_bounded() {
    let tenants: serde_json::Map<_, _> = (0..300).map(|i| (format!("t{i}"), json!(7))).collect();
    let found = errors(&json!({"tenants": tenants}));
    assert!(found.len() <= 101, "{}", found.len());
    assert!(
        found
            .iter()
            .any(|error| error.contains("there may be more"))
    );
}

#[test]
fn tests_do_not_change_the_hash_but_must_be_valid() {
    let mut document = json!({
        "version": "1", "default": "deny", "tenants": {"web": {}},
        "backends": {"main": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "main"}]
    });
    let hash = |document: &serde_json::Value| {
        let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
        policy.hash().to_owned()
    };
    let without = hash(&document);
    document["tests"] = json!([{"tenant": "web", "module": "corp.example/a", "expect": "deny"}]);
    assert_eq!(hash(&document), without);
    document["tests"] = json!([
        {"tenant": "wbe", "module": "corp", "expect": "deny"},
        {"tenant": "web", "module": "corp.example/a", "operation": "zip", "expect": "allow", "backend": "mian"},
        {"tenant": "web", "module": "corp.example/a", "expect": "refuse", "rule": "typo"}
    ]);
    assert_errors(
        &document,
        &[
            ("$.tests[0].tenant", "did you mean \"web\"?"),
            ("$.tests[0].module", "dot"),
            ("$.tests[1].version", "missing"),
            ("$.tests[1].backend", "did you mean \"main\"?"),
            ("$.tests[2].expect", "expected one of"),
            ("$.tests[2].rule", "no rule is named \"typo\""),
        ],
    );
}

/// Who connects would drop a port that is none, and so reach another server.
#[test]
fn a_port_that_is_none_is_refused_wherever_a_host_is_written() {
    let document = json!({
        "version": "1", "default": "deny",
        "tenants": {"*": {"rules": []}},
        "rules": {},
        "backends": {"main": {
            "cluster": "c", "authority": "proxy.example:70000",
            "redirects": [{"to": "https://storage.example:70000/modules", "pass": true}],
        }},
        "routes": [{"id": "all", "backend": "main"}]
    });
    assert_errors(
        &document,
        &[
            ("$.backends.main.authority", "with or without a port"),
            ("$.backends.main.redirects[0].to", "give a URL"),
        ],
    );
}
