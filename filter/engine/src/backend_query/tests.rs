//! What queries carry, where they go on to, and whose answers are kept apart.

use serde_json::json;

use super::*;
use crate::decision::evaluate;
use modgate_go::http::Header;
use modgate_policy::model::Policy;

fn policy() -> Policy {
    let document = json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}, {"header": "x-corp-tenant", "trusted": true}],
        "tenants": {"web": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "secret", "deny": ["corp.example/secret"]},
            {"id": "cve", "deny": ["corp.example"], "versions": ">=v1.2.0"},
            {"id": "all", "allow": ["*"]},
        ]},
        "backends": {
            "athens": {"cluster": "athens", "forward_headers": ["cookie", "x-jfrog-art-api"], "redirects": [
                {"to": "https://proxy.example/base", "rewrite": "/up"},
                {"to": "/old", "rewrite": "/"},
                {"to": "/sums", "rewrite": "/sumdb/sum.example"},
                {"to": "https://cdn.example", "pass": true},
            ]},
            "files": {
                "cluster": "files", "base_path": "/repo", "authority": "files.example",
                "headers": {"authorization": {"secret": "token"}},
                "redirects": [{"to": "http://athens.example", "rewrite": "/"}],
            },
        },
        "routes": [
            {"id": "up", "path_prefix": "/up", "rewrite": "/", "backend": "files"},
            {"id": "rest", "backend": "athens"},
        ],
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn request() -> Vec<Header> {
    [
        (":method", "GET"),
        (":path", "/t/web/corp.example/lib/@v/list"),
        (":authority", "goproxy.example"),
        ("user-agent", "Go-http-client/1.1"),
        ("accept-encoding", "gzip"),
        ("authorization", "Basic alice"),
        ("cookie", "session=1"),
        ("disable-module-fetch", "true"),
        ("x-jfrog-art-api", "key"),
        ("x-corp-tenant", "web"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "17"),
        ("traceparent", "00-1-2-01"),
        ("if-none-match", "\"x\""),
        ("if-modified-since", "Sat, 01 Nov 2025 00:00:00 GMT"),
        ("range", "bytes=0-1"),
        ("connection", "keep-alive"),
        ("te", "trailers"),
        ("content-length", "0"),
    ]
    .map(|(name, value)| header(name, value))
    .to_vec()
}

fn client(policy: &Policy) -> Client {
    let request = request();
    Client::of(&request, &evaluate(policy, &request, &()))
}

fn target(backend: &str, path: &str) -> QueryTarget {
    let policy = policy();
    let mut backends = policy.backends().iter();
    QueryTarget {
        backend: backends.find(|known| known.name == backend).unwrap().id,
        cluster: backend.to_owned(),
        path: path.to_owned(),
    }
}

#[test]
fn a_query_carries_the_headers_that_go_upstream() {
    let policy = policy();
    let client = client(&policy);
    let names = |backend: usize| {
        let headers = client.headers(&policy, &policy.backends()[backend]);
        let names = headers.into_iter().map(|(name, value)| match &*value {
            b"identity" => format!("{name}: identity"),
            _ => name,
        });
        names.collect::<Vec<_>>()
    };
    let at_athens = [
        "user-agent",
        "authorization",
        "cookie",
        "disable-module-fetch",
        "x-jfrog-art-api",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
        "traceparent",
        "accept-encoding: identity",
    ];
    assert_eq!(names(0), at_athens);
    // This one is given the proxy's own, in the client's stead, and no header besides.
    let lacks = ["authorization", "cookie", "x-jfrog-art-api"];
    let at_files: Vec<&str> = at_athens
        .into_iter()
        .filter(|name| !lacks.contains(name))
        .collect();
    assert_eq!(names(1), at_files);

    assert_eq!(client.authority(&policy.backends()[0]), "goproxy.example");
    assert_eq!(client.authority(&policy.backends()[1]), "files.example");
}

#[test]
fn header_values_that_are_not_text_are_left_out() {
    let mut request = request();
    request.push(("x-odd".to_owned(), b"\xff".to_vec()));
    let policy = policy();
    let carried = carried(&policy, &request, &policy.backends()[0]);
    assert!(carried.iter().all(|(name, _)| name != "x-odd"));
}

#[test]
fn other_credentials_are_another_user() {
    let of = |headers: &[(&str, &str)]| {
        let headers: Vec<Header> = headers.iter().map(|(n, v)| header(n, v)).collect();
        user_of(&headers)
    };
    let nobody = [
        ("user-agent", "Go-http-client/1.1"),
        ("x-request-id", "1"),
        ("traceparent", "2"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-envoy-internal", "true"),
        (":path", "/x"),
        ("accept-encoding", "identity"),
        ("sw8", "1-a-b"),
        ("x-datadog-trace-id", "7"),
    ];
    assert_eq!(of(&nobody), "");
    let alice = of(&[("authorization", "Basic alice"), nobody[0], nobody[1]]);
    assert_eq!(alice, of(&[nobody[2], ("authorization", "Basic alice")]));
    assert!(!alice.contains("alice") && alice.len() == 64, "{alice}");
    let mut users = vec![String::new(), alice];
    for others in [
        &[("authorization", "Basic bob")][..],
        &[("authorization", "Basic alicf")],
        &[("cookie", "Basic alice")],
        &[("authorization", "Basic alice"), ("cookie", "a=1")],
        &[
            ("authorization", "Basic alice"),
            ("authorization", "Basic bob"),
        ],
        &[("private-token", "1")],
        &[("private-token", "1x"), ("x", "")],
        &[("private-token", "1"), ("xx", "")],
        &[("x-forwarded-access-token", "1")],
        &[("x-forwarded-host", "a.example")],
        &[("disable-module-fetch", "true")],
    ] {
        let user = of(others);
        assert!(!users.contains(&user), "{others:?}");
        users.push(user);
    }
}

const LIST: &str = "/corp.example/lib/@v/list";

fn followed(
    targets: &[QueryTarget],
    status: u16,
    locations: &[&str],
) -> Result<Option<QueryTarget>, String> {
    let policy = policy();
    let headers: Vec<Header> = locations.iter().map(|to| header("location", to)).collect();
    follow(&policy, &client(&policy), &(), targets, (status, &headers))
}

#[test]
fn a_redirect_that_stays_behind_the_filter_is_followed_to_its_backend() {
    let requested = [target("athens", LIST)];
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(
            followed(
                &requested,
                status,
                &["https://proxy.example/base/corp.example/lib/@v/list"]
            ),
            Ok(Some(target("files", "/repo/corp.example/lib/@v/list"))),
            "{status}"
        );
    }
    for status in [200, 304, 401, 404, 429, 500] {
        let location = ["https://proxy.example/base/corp.example/lib/@v/list"];
        assert_eq!(
            followed(&requested, status, &location),
            Ok(None),
            "{status}"
        );
    }
    // What the rules say of a version is not asked: the go.mod of a refused one has the retractions.
    let refused = "/corp.example/lib/@v/v1.9.0.mod";
    assert_eq!(
        followed(
            &[target("athens", refused)],
            302,
            &["https://proxy.example/base/corp.example/lib/@v/v1.9.0.mod"]
        ),
        Ok(Some(target(
            "files",
            "/repo/corp.example/lib/@v/v1.9.0.mod"
        )))
    );
    // Both say which version they are about.
    assert!(matches!(
        followed(
            &[target("athens", "/corp.example/lib/@latest")],
            302,
            &["https://proxy.example/base/corp.example/lib/@v/v1.0.0.info"]
        ),
        Ok(Some(_))
    ));
}

#[test]
fn no_other_redirect_is_followed() {
    let requested = [target("athens", LIST)];
    for (locations, why) in [
        (
            &["https://elsewhere.example/x"][..],
            "the policy lists no redirect to elsewhere.example",
        ),
        (
            &["https://cdn.example/x?sig=secret"],
            "only the client can ask",
        ),
        (&[], "without a Location"),
        (
            &["/old/corp.example/lib/@v/list", "/old/x"],
            "more than one Location",
        ),
        (&["/old/corp.example/lib/@v/list"], "in a circle"),
        // Read from the path that the backend was asked for (RFC 9110, section 10.2.2).
        (&["../../../old/corp.example/lib/@v/list"], "in a circle"),
        (&["/old/corp.example/other/@v/list"], "leads to no backend"),
        (&["/old/corp.example/secret/@v/list"], "leads to no backend"),
        (&["/old/corp.example/lib/@v/v1.0.0.info"], "another file"),
        (&["/old/corp.example/lib/@latest"], "another file"),
        (&["/old/corp.example/lib"], "leads to no backend"),
        (&["/sums/latest"], "leads to no backend"),
        (&["//evil.example/x"], "lists no redirect to evil.example"),
        (&["/old/corp.example/lib/@v/list?x"], "has a query"),
    ] {
        let said = followed(&requested, 302, locations).unwrap_err();
        assert!(said.contains(why), "{locations:?}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn redirects_are_followed_a_few_times_and_never_back() {
    let there = target("files", "/repo/corp.example/lib/@v/list");
    let back = ["http://athens.example/corp.example/lib/@v/list"];
    let said = followed(&[target("athens", LIST), there.clone()], 302, &back);
    assert!(said.unwrap_err().contains("in a circle"));

    let to = ["https://proxy.example/base/corp.example/lib/@v/list"];
    let mut targets = vec![target("athens", LIST)];
    for number in 1..MAX_TARGETS {
        assert_eq!(followed(&targets, 302, &to), Ok(Some(there.clone())));
        targets.push(target("athens", &format!("/{number}{LIST}")));
    }
    let said = followed(&targets, 302, &to).unwrap_err();
    assert_eq!(said, "it redirects more than 4 times");
}
