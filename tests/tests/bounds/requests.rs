//! What clients send, and where backends lead them.

use serde_json::{Value, json};

use super::counted::Counted;

/// Headers of 60 KiB, which is what Envoy takes of one request, and a path as long as it may be.
#[test]
fn a_request_is_judged_within_the_bound() {
    let sources: Vec<Value> = (0..32)
        .map(|n| json!({"header": format!("x-team-{n}")}))
        .chain([json!({"path_prefix": "/t/{tenant}"})])
        .collect();
    let rules: Vec<Value> = (0..64)
        .map(|n| json!({"id": format!("r{n}"), "deny": [format!("re:(a|b)*/{n}x*(/.*)?$")]}))
        .chain([json!({"id": "all", "allow": ["*/*/*/*/x"]})])
        .collect();
    let policy = json!({
        "version": "1", "default": "deny", "identity": sources,
        "tenants": {"*": {"rules": ["r"]}}, "rules": {"r": rules},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let elements = format!("/a.b{}/@v/v1.0.0.zip", "/a".repeat(2000));
    let short = "/a.b/c/@v/v1.0.0.zip".to_owned();
    let escaped = format!("/a.b/{}/@latest", "!a%61".repeat(800));
    let many = |name: &dyn Fn(usize) -> String, count| -> Vec<(String, String)> {
        (0..count).map(|n| (name(n), "v".to_owned())).collect()
    };
    for (what, path, headers) in [
        ("no headers", &elements, Vec::new()),
        ("escapes", &escaped, Vec::new()),
        ("short headers", &short, many(&|n| format!("{n:x}"), 10_000)),
        (
            "the same header",
            &short,
            many(&|_| "x-team-7".to_owned(), 5_000),
        ),
        (
            "headers that almost name a tenant",
            &short,
            many(&|n| format!("x-team-{n}"), 4_000),
        ),
        (
            "a long header",
            &elements,
            vec![("x-team-7".to_owned(), "v".repeat(60 << 10))],
        ),
    ] {
        let mut counted = Counted::start(&policy);
        counted.headers = headers;
        counted.get(path, &[], b"", 1);
        counted.assert_bounded(what);
    }
}

/// The longest redirects.
#[test]
fn a_redirect_is_read_within_the_bound() {
    let policy = json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    for place in [
        "a/".repeat(30 << 10),
        "%".repeat(60 << 10),
        "../".repeat(20 << 10),
    ] {
        let mut counted = Counted::start(&policy);
        counted.redirect = Some(format!("https://a.b/{place}"));
        let answer = counted.get("/a.b/c/@v/v1.0.0.zip", &[], b"", 1);
        assert_eq!(answer.status, 502);
        counted.assert_bounded("a redirect");
    }
}
