//! Which of a client's headers a backend gets.

use super::*;
use serde_json::{Value, json};

fn policy_of(identity: Value, backend: &Value) -> Result<Policy, Vec<String>> {
    let document = json!({
        "version": "1", "default": "allow", "identity": identity, "tenants": {"web": {}, "*": {}},
        "backends": {"b": backend}, "routes": [{"id": "r", "backend": "b"}],
    });
    let policy = Policy::from_json(document.to_string().as_bytes());
    policy.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Which of these names go up.
fn up<'n>(policy: &Policy, names: &[&'n str]) -> Vec<&'n str> {
    let own = [(":method", "GET"), (":path", "/a.b/@v/list")];
    let mut headers: Vec<Header> = own
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    for name in names.iter().chain(names) {
        headers.push(((*name).to_owned(), b"web".to_vec()));
    }
    let decision = evaluate(policy, &headers, &());
    let removed = &decision.remove_headers;
    assert!(
        !removed.iter().any(|name| name.starts_with(':')),
        "{removed:?}"
    );
    let distinct: std::collections::BTreeSet<_> = removed.iter().collect();
    assert_eq!(distinct.len(), removed.len(), "each is removed once");
    assert!(matches!(decision.action, Decision::Forward { .. }));
    let goes = |name: &&&str| !removed.iter().any(|removed| removed == **name);
    names.iter().filter(goes).copied().collect()
}

#[test]
fn a_backend_gets_what_a_go_proxy_needs_and_nothing_else() {
    let policy = policy_of(json!([]), &json!({"cluster": "b"})).unwrap();
    let needed = [
        "accept",
        "accept-encoding",
        "authorization",
        "b3",
        "disable-module-fetch",
        "if-modified-since",
        "if-none-match",
        "range",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-cloud-trace-context",
        "x-datadog-trace-id",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    ];
    assert_eq!(up(&policy, &needed), needed);
    let others = [
        "client-cert",
        "client-cert-chain",
        "cookie",
        "forwarded",
        "ssl-client-cert",
        "ssl-client-s-dn",
        "via",
        "x-amzn-oidc-identity",
        "x-anything",
        "x-authenticated-userid",
        "x-consumer-username",
        "x-envoy-original-path",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-goog-authenticated-user-email",
        "x-http-method-override",
        "x-ms-client-principal-name",
        "x-original-url",
        "x-rewrite-url",
        // What is like a name that goes up, to servers that take `_` for `-` or care for no case.
        "accept_encoding",
        "Accept",
        "user_agent",
        "x_forwarded_for",
        "x-request-id ",
        "",
    ];
    assert_eq!(up(&policy, &others), Vec::<&str>::new());
}

#[test]
fn forward_headers_reach_the_backend_unless_the_proxy_sets_them() {
    let backend = json!({"cluster": "b", "forward_headers": ["Private-Token", "x-forwarded-host"]});
    let policy = policy_of(json!([]), &backend).unwrap();
    let sent = [
        "private-token",
        "private_token",
        "x-forwarded-host",
        "x-other",
    ];
    assert_eq!(up(&policy, &sent), ["private-token", "x-forwarded-host"]);

    // What says who the client is ends here, though it is a header that all backends get.
    let odd = json!([{"header": "traceparent"}, {"header": "user-agent", "trusted": false}]);
    let policy = policy_of(odd, &json!({"cluster": "b"})).unwrap();
    assert_eq!(
        up(&policy, &["traceparent", "user-agent", "accept"]),
        ["accept"]
    );

    let given = json!({"cluster": "b", "headers": {"Authorization": {"secret": "s"}}});
    let policy = policy_of(json!([]), &given).unwrap();
    assert_eq!(up(&policy, &["authorization", "accept"]), ["accept"]);
}

#[test]
fn forward_headers_cannot_name_identity_or_reserved_headers() {
    let identity = json!([{"header": "x-team", "trusted": true}]);
    let rows = [
        ("authorization", "always forwarded"),
        ("host", "a hop-by-hop header"),
        ("Transfer-Encoding", "a hop-by-hop header"),
        ("proxy_authorization", "a hop-by-hop header"),
        ("x-modgate-tenant", "verified identity"),
        ("client-cert-chain", "verified identity"),
        ("SSL_CLIENT_CERT", "verified identity"),
        ("x-goog-authenticated-user-id", "verified identity"),
        ("x-ms-client-principal", "verified identity"),
        ("x-amzn-oidc-data", "verified identity"),
        ("cf-access-jwt-assertion", "verified identity"),
        ("x-consumer-id", "verified identity"),
        ("x-authenticated-userid", "verified identity"),
        (
            "x-original-url",
            "something other than what the policy evaluated",
        ),
        (
            "x_rewrite_url",
            "something other than what the policy evaluated",
        ),
        (
            "x-http-method-override",
            "something other than what the policy evaluated",
        ),
        (
            "x-envoy-original-dst-host",
            "something other than what the policy evaluated",
        ),
        ("X-Team", "$.identity reads this header"),
        ("x_team", "$.identity reads this header"),
        ("x-token", "the proxy sets this header"),
        ("a b", "not a valid header name"),
        (":path", "not a valid header name"),
    ];
    table_rows::check(rows, |(name, why)| {
        let backend = json!({
            "cluster": "b", "forward_headers": [name], "headers": {"x_token": {"secret": "s"}}
        });
        let errors = policy_of(identity.clone(), &backend).unwrap_err();
        let place = "$.backends.b.forward_headers[0]: ";
        assert!(
            errors
                .iter()
                .any(|e| e.starts_with(place) && e.contains(why)),
            "{name}: {errors:?}"
        );
    });
}
