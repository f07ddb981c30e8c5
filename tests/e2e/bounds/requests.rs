//! What clients send, and where backends lead them.

use serde_json::{Value, json};

use super::counted::Counted;

/// Headers of 60 KiB, which is what Envoy takes of one request, and a path as long as it may be.
#[test]
fn a_request_is_evaluated_within_the_bound() {
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
    let many = |name: &dyn Fn(usize) -> String, count| -> Vec<(String, Vec<u8>)> {
        (0..count).map(|n| (name(n), b"v".to_vec())).collect()
    };
    let rows = [
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
            vec![("x-team-7".to_owned(), vec![b'v'; 60 << 10])],
        ),
    ];
    table_rows::check(rows, |(what, path, headers)| {
        let mut counted = Counted::start(&policy);
        counted.headers = headers;
        counted.get(path, &[], b"", 1);
        counted.assert_bounded(what);
    });
}

/// Each value that a client may choose as long as it may be, and of what takes longest to be written for the
/// access log.
#[test]
fn a_line_of_the_access_log_is_made_within_the_bound() {
    let name = format!("t{}", "x".repeat(62));
    let policy = json!({
        "version": "1", "default": "allow", "identity": [{"header": "x-team", "trusted": true}],
        "tenants": {(name.as_str()): {}, "*": {}},
        "backends": {"main": {"cluster": "backend"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let long = format!(
        "/a.b/{}/@v/v1.0.0-{}.info",
        "!a".repeat(900),
        "a".repeat(1_900)
    );
    let quotes = format!("/{}", "\"".repeat(50 << 10));
    let letters = format!("/{}", "\u{e9}".repeat(25 << 10));
    let query = format!("/a.b/c/@latest?{}", "a".repeat(50 << 10));
    let rows = [
        ("long names", &long, vec![b'a'; 1024]),
        ("a request id of no text", &long, vec![0xff; 56 << 10]),
        (
            "a request id of half characters",
            &long,
            [0xf0, 0x9f, 0x98].repeat(18 << 10),
        ),
        (
            "a request id of control characters",
            &long,
            vec![1; 56 << 10],
        ),
        ("a path of quotes", &quotes, vec![b'"'; 8 << 10]),
        ("a path of letters", &letters, vec![b'"'; 8 << 10]),
        ("a query", &query, vec![b'\\'; 8 << 10]),
    ];
    table_rows::check(rows, |(what, path, id)| {
        let mut counted = Counted::start(&policy);
        counted.headers = vec![
            ("x-team".to_owned(), name.clone().into_bytes()),
            ("x-request-id".to_owned(), id),
        ];
        counted.get(path, &[], b"", 1);
        counted.assert_bounded(what);
    });
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
