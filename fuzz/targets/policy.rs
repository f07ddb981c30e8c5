//! Policy documents: a bad one is refused in words, a good one means the same once a control plane
//! has written it anew, and judges requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_engine::decision::evaluate;
use modgate_fuzz::budget::{OF_A_LONG_REQUEST, OF_A_POLICY, within};
use modgate_go::http::Header;
use modgate_policy::document::PolicyError;
use modgate_policy::model::Policy;
use serde_json::Value;

/// Paths behind a tenant's prefix.
const ASKED: [&str; 5] = [
    "/golang.org/x/text/@v/list",
    "/github.com/%21burnt%21sushi/toml/@v/v1.0.0.zip",
    "/corp.example/payments/lib/v2/@v/v2.0.0.mod",
    "/sumdb/sum.golang.org/lookup/corp.example/payments@v1.0.0",
    "/sumdb/sum.golang.org/latest",
];

fuzz_target!(|input: &[u8]| {
    match within(OF_A_POLICY, || Policy::from_json(input)) {
        Err(errors) => check_errors(&errors),
        Ok(policy) => {
            check_rewritten(input, &policy);
            check_judges(&policy);
        }
    }
});

/// Each error is one line with a place.
fn check_errors(errors: &[PolicyError]) {
    assert!(!errors.is_empty());
    for error in errors {
        assert!(error.path.starts_with('$') && !error.message.trim().is_empty());
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

/// With sorted keys and other white space it is the same policy.
fn check_rewritten(input: &[u8], policy: &Policy) {
    let value: Value = serde_json::from_slice(input).expect("a policy is JSON");
    let text = serde_json::to_string_pretty(&value).expect("JSON can be written");
    let again = Policy::from_json(text.as_bytes()).expect("the same document");
    assert_eq!(again.hash(), policy.hash());
    assert_eq!(again.version(), policy.version());
}

fn check_judges(policy: &Policy) {
    for tenant in policy.tenants().iter().take(4) {
        for path in ASKED {
            let path = format!("/t/{}{path}", tenant.name);
            check_judged(policy, &request(&path, &[]));
            check_judged(policy, &request(&path, &[&tenant.name]));
        }
    }
    // As many paths above it as a path can have, each of which may be a module.
    if let Some(tenant) = policy.tenants().first() {
        let path = format!("/corp.example{}/@v/list", "/x".repeat(1990));
        check_judged(policy, &request(&path, &[&tenant.name]));
    }
}

fn check_judged(policy: &Policy, headers: &[Header]) {
    within(OF_A_LONG_REQUEST, || {
        evaluate(policy, headers, &());
    });
}

fn request(path: &str, tenant: &[&str]) -> Vec<Header> {
    let mut headers = vec![
        (":method".to_owned(), b"GET".to_vec()),
        (":path".to_owned(), path.as_bytes().to_vec()),
    ];
    let named = tenant.iter().map(|name| name.as_bytes().to_vec());
    headers.extend(named.map(|name| ("x-corp-tenant".to_owned(), name)));
    headers
}
