//! Who is who, from every source alone and together.

use super::*;
use crate::model::Policy;
use serde_json::{Value, json};

fn policy(identity: &Value) -> Policy {
    let document = json!({
        "version": "1", "default": "deny", "identity": identity,
        "tenants": {"acme": {}, "web": {}, "third": {}},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap()
}

fn errors(identity: &Value) -> Vec<String> {
    let document = json!({
        "version": "1", "default": "deny", "identity": identity, "tenants": {"acme": {}},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
    });
    let errors = Policy::from_json(document.to_string().as_bytes()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

/// Properties by their path, joined with slashes.
struct Known<'a>(&'a [(&'a str, &'a [u8])]);

impl Facts for Known<'_> {
    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path = path.join("/");
        let found = self.0.iter().find(|(known, _)| **known == path);
        found.map(|(_, value)| value.to_vec())
    }
}

type Said = Result<(String, Option<&'static str>, String), RequestError>;

fn ask(
    identity: &Value,
    path: &str,
    headers: &[(&str, HeaderValue<'_>)],
    facts: &[(&str, &[u8])],
) -> Said {
    let policy = policy(identity);
    let facts = Known(facts);
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).unwrap_or_default()
    };
    let identified = identify(
        &policy.identity,
        |name| policy.has_tenant(name),
        path,
        header,
        &facts,
    )?;
    assert_eq!(format!("{}{}", identified.prefix, identified.rest), path);
    let said = match identified.claim.claimed() {
        Claimed::Nobody => "nobody".to_owned(),
        Claimed::Tenant(name) => name.to_owned(),
        Claimed::Conflict => "conflict".to_owned(),
        Claimed::Ambiguous => "ambiguous".to_owned(),
    };
    Ok((said, identified.claim.source, identified.rest.to_owned()))
}

fn said(name: &str, source: Option<&'static str>, rest: &str) -> Said {
    Ok((name.to_owned(), source, rest.to_owned()))
}

fn by_path_and_header() -> Value {
    json!([
        {"path_prefix": "/t/{tenant}"},
        {"header": "x-tenant", "trusted": true},
        {"header": "x-old"}
    ])
}

#[test]
fn the_prefix_is_taken_off() {
    let ask = |path| ask(&by_path_and_header(), path, &[], &[]);
    let by_path = Some("path_prefix");
    assert_eq!(
        ask("t/acme/a.b/@v/list"),
        said("acme", by_path, "a.b/@v/list")
    );
    let not_a_name = "t/ac.me/a.b/@v/list";
    assert_eq!(ask(not_a_name), said("nobody", None, not_a_name));
    assert_eq!(ask("tt/acme/x"), said("nobody", None, "tt/acme/x"));
}

#[test]
fn only_a_trusted_header_counts() {
    let value = HeaderValue::Single(b"acme");
    let ask = |name| ask(&by_path_and_header(), "p", &[(name, value)], &[]);
    assert_eq!(ask("x-tenant"), said("acme", Some("header"), "p"));
    assert_eq!(ask("x-old"), said("nobody", None, "p"));
}

#[test]
fn two_names_are_a_conflict_and_a_bad_one_is_refused() {
    let ask = |path, value| ask(&by_path_and_header(), path, &[("x-tenant", value)], &[]);
    let by_path = Some("path_prefix");
    let other = HeaderValue::Single(b"third");
    assert_eq!(ask("t/acme/p", other), said("conflict", by_path, "p"));
    let same = HeaderValue::Single(b"acme");
    assert_eq!(ask("t/acme/p", same), said("acme", by_path, "p"));
    for bad in [
        HeaderValue::Duplicate,
        HeaderValue::Single(b"a;b"),
        HeaderValue::Single(b""),
        HeaderValue::Single(b"\xff"),
    ] {
        assert_eq!(ask("p", bad), Err(RequestError::Identity));
    }
}

#[test]
fn what_the_host_verified_names_the_tenant() {
    const JWT: &str = "metadata/filter_metadata/envoy.filters.http.jwt_authn/modgate";
    let org = format!("{JWT}/org/tenant");
    let dotted = format!("{JWT}/https://corp.example/tenant");
    for (source, property, value, tenant) in [
        (
            json!({"mtls_uri_san": "spiffe://corp.example/ns/{tenant}/sa/*"}),
            "connection/uri_san_peer_certificate",
            "spiffe://corp.example/ns/acme/sa/build",
            "acme",
        ),
        (
            json!({"mtls_dns_san": "*.{tenant}.corp.example"}),
            "connection/dns_san_peer_certificate",
            "Build.ACME.corp.example",
            "acme",
        ),
        (
            json!({"mtls_subject": "OU={tenant}"}),
            "connection/subject_peer_certificate",
            "CN=build-7,OU=acme,O=corp",
            "acme",
        ),
        (
            json!({"mtls_subject": "OU={tenant}"}),
            "connection/subject_peer_certificate",
            r"CN=build\,OU=web,OU=acme",
            "acme",
        ),
        (
            json!({"mtls_subject": "OU=team {tenant}", "map": {"red": "acme"}}),
            "connection/subject_peer_certificate",
            "OU=team red",
            "acme",
        ),
        (
            json!({"mtls_subject": "OU={tenant}"}),
            "connection/subject_peer_certificate",
            "OU=acme,OU=web",
            "conflict",
        ),
        (
            json!({"jwt_claim": ["org", "tenant"], "payload": "modgate"}),
            &org,
            "acme",
            "acme",
        ),
        (
            json!({"jwt_claim": "https://corp.example/tenant", "payload": "modgate"}),
            &dotted,
            "acme",
            "acme",
        ),
        (
            json!({"jwt_claim": "https://corp.example/tenant", "payload": "modgate",
                   "map": {"Team Red": "web"}}),
            &dotted,
            "Team Red",
            "web",
        ),
        (
            json!({"sni": "{tenant}.goproxy.corp.example"}),
            "connection/requested_server_name",
            "acme.goproxy.corp.example",
            "acme",
        ),
        (
            json!({"listener": "goproxy-{tenant}"}),
            "xds/filter_chain_name",
            "goproxy-acme",
            "acme",
        ),
    ] {
        let facts = [(property, value.as_bytes())];
        let got = ask(&json!([source]), "p", &[], &facts).unwrap();
        assert_eq!(got.0, tenant, "{source}");
        assert!(source.get(got.1.unwrap()).is_some(), "{got:?}");
        // What says nothing, or something else, names nobody.
        assert_eq!(
            ask(&json!([source]), "p", &[], &[]),
            said("nobody", None, "p")
        );
    }
}

#[test]
fn an_unreadable_subject_is_refused_even_if_another_source_names_a_tenant() {
    let identity = json!([{"path_prefix": "/t/{tenant}"}, {"mtls_subject": "OU={tenant}"}]);
    let subject = "connection/subject_peer_certificate";
    for unreadable in [&b"OU=\"web"[..], b"OU=#0401", b"OU=web,", b"OU=\xff"] {
        let requested = ask(&identity, "t/acme/p", &[], &[(subject, unreadable)]);
        assert_eq!(requested, Err(RequestError::Identity));
    }
}

#[test]
fn a_claim_that_is_not_a_name_is_refused_and_an_unmapped_one_is_ignored() {
    let claim = "metadata/filter_metadata/envoy.filters.http.jwt_authn/m/t";
    let plain = json!([{"jwt_claim": "t", "payload": "m"}]);
    for bad in [&b""[..], b"a b", b"\0\0\0\0", b"\xff", b"acme\n"] {
        assert_eq!(
            ask(&plain, "p", &[], &[(claim, bad)]),
            Err(RequestError::Identity)
        );
    }
    let mapped = json!([{"jwt_claim": "t", "payload": "m", "map": {"red": "acme"}}]);
    let facts: &[(&str, &[u8])] = &[(claim, b"acme")];
    assert_eq!(ask(&mapped, "p", &[], facts), said("nobody", None, "p"));
}

fn list(elements: &[&str]) -> Vec<u8> {
    let mut bytes = (elements.len() as u32).to_le_bytes().to_vec();
    for element in elements {
        bytes.extend((element.len() as u32).to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
    }
    for element in elements {
        bytes.extend(element.bytes());
        bytes.extend([0, 0]);
    }
    bytes
}

#[test]
fn groups_name_a_tenant_alone_or_confirm_the_one_that_another_source_names() {
    let claim = "metadata/filter_metadata/envoy.filters.http.jwt_authn/m/groups";
    let identity = json!([
        {"path_prefix": "/t/{tenant}"},
        {"jwt_claim_list": "groups", "payload": "m", "map": {"red": "acme", "blue": "web"}}
    ]);
    let rows = [
        (
            "p",
            &["everyone", "red"] as &[&str],
            "acme",
            Some("jwt_claim_list"),
        ),
        ("p", &["everyone"], "nobody", None),
        ("p", &[], "nobody", None),
        ("p", &["red", "red"], "acme", Some("jwt_claim_list")),
        ("p", &["red", "blue"], "ambiguous", Some("jwt_claim_list")),
        ("t/web/p", &["red", "blue"], "web", Some("path_prefix")),
        (
            "t/third/p",
            &["red", "blue"],
            "conflict",
            Some("path_prefix"),
        ),
        // Nobody's group does not confirm what the path claims; `require` is what asks for that.
        ("t/web/p", &["everyone"], "web", Some("path_prefix")),
    ];
    table_rows::check(rows, |(path, groups, tenant, source)| {
        let groups = list(groups);
        let got = ask(&identity, path, &[], &[(claim, &groups)]).unwrap();
        assert_eq!((got.0.as_str(), got.1), (tenant, source), "{path}");
    });
    // Without a map the groups that the policy knows as tenants count.
    let unmapped = json!([{"jwt_claim_list": "groups", "payload": "m"}]);
    let groups = list(&["everyone", "a b", "web"]);
    let got = ask(&unmapped, "p", &[], &[(claim, &groups)]).unwrap();
    assert_eq!(got.0, "web");
    let text = ask(&unmapped, "p", &[], &[(claim, b"web")]);
    assert_eq!(text, Err(RequestError::Identity), "a string is no list");
}

#[test]
fn a_user_is_a_tenant_or_is_mapped_to_one() {
    let identity = json!([{"basic_user": "X-User", "map": {"alice@corp.example": "acme"}}]);
    let ask = |user: &[u8]| {
        ask(
            &identity,
            "p",
            &[("x-user", HeaderValue::Single(user))],
            &[],
        )
    };
    assert_eq!(
        ask(b"alice@corp.example"),
        said("acme", Some("basic_user"), "p")
    );
    assert_eq!(ask(b"acme"), said("nobody", None, "p"));
}

#[test]
fn an_invalid_source_is_refused_with_its_place() {
    for (identity, error) in [
        (json!([{}]), "$.identity[0]: give exactly one source"),
        (
            json!([{"sni": "{tenant}", "header": "x"}]),
            "$.identity[0]: give exactly one source",
        ),
        (
            json!([{"sni": "{tenant}", "trusted": true}]),
            "$.identity[0].trusted: only a header",
        ),
        (
            json!([{"sni": "{tenant}", "payload": "x"}]),
            "$.identity[0].payload: only a token claim",
        ),
        (
            json!([{"sni": "{tenant}.Corp.example"}]),
            "$.identity[0].sni: host names are compared in lower case",
        ),
        (
            json!([{"mtls_uri_san": "spiffe://x"}]),
            "$.identity[0].mtls_uri_san: it must contain {tenant} exactly once",
        ),
        (
            json!([{"mtls_subject": "payments"}]),
            "$.identity[0].mtls_subject: give the attribute and its value",
        ),
        (
            json!([{"jwt_claim": "tenant"}]),
            "$.identity[0].payload: missing",
        ),
        (
            json!([{"jwt_claim": [], "payload": "m"}]),
            "$.identity[0].jwt_claim: give the claim's name",
        ),
        (
            json!([{"jwt_claim": 7, "payload": "m"}]),
            "$.identity[0].jwt_claim: invalid type: integer `7`, expected a claim's name",
        ),
        (
            json!([{"basic_user": "x", "map": {"alice": "nobody"}}]),
            "$.identity[0].map.alice: no tenant is named \"nobody\"; there are: acme",
        ),
        (
            json!([{"path_prefix": "/t/{tenant}", "map": {"a": "acme"}}]),
            "$.identity[0].map: a path prefix already",
        ),
    ] {
        let errors = errors(&identity);
        assert!(errors.iter().any(|e| e.starts_with(error)), "{errors:?}");
    }
}
