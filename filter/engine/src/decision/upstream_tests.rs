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
    let judgement = judge(policy, &headers, &());
    let removed = &judgement.remove_headers;
    assert!(
        !removed.iter().any(|name| name.starts_with(':')),
        "{removed:?}"
    );
    let distinct: std::collections::BTreeSet<_> = removed.iter().collect();
    assert_eq!(distinct.len(), removed.len(), "each is removed once");
    assert!(matches!(judgement.answer, Answer::Forward { .. }));
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
fn a_backend_gets_what_the_policy_names_for_it_unless_somebody_else_says_it() {
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
fn no_policy_names_a_header_by_which_a_client_speaks_for_another() {
    let identity = json!([{"header": "x-team", "trusted": true}]);
    let rows = [
        ("authorization", "goes to a backend without being named"),
        ("host", "between the client and the proxy"),
        ("Transfer-Encoding", "between the client and the proxy"),
        ("proxy_authorization", "between the client and the proxy"),
        ("x-modgate-tenant", "who the client is"),
        ("client-cert-chain", "who the client is"),
        ("SSL_CLIENT_CERT", "who the client is"),
        ("x-goog-authenticated-user-id", "who the client is"),
        ("x-ms-client-principal", "who the client is"),
        ("x-amzn-oidc-data", "who the client is"),
        ("cf-access-jwt-assertion", "who the client is"),
        ("x-consumer-id", "who the client is"),
        ("x-authenticated-userid", "who the client is"),
        ("x-original-url", "something else than what was judged"),
        ("x_rewrite_url", "something else than what was judged"),
        (
            "x-http-method-override",
            "something else than what was judged",
        ),
        (
            "x-envoy-original-dst-host",
            "something else than what was judged",
        ),
        ("X-Team", "$.identity reads this header"),
        ("x_team", "$.identity reads this header"),
        ("x-token", "the proxy gives this header"),
        ("a b", "no header name"),
        (":path", "no header name"),
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
