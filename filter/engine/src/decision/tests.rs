//! Requests as they come, and what becomes of them.

use super::*;
use serde_json::json;

fn policy() -> Policy {
    let document = json!({
        "version": "1",
        "default": "deny",
        "contact": "#go-platform",
        "identity": [
            {"path_prefix": "/t/{tenant}"},
            {"header": "X-Corp-Tenant", "trusted": true}
        ],
        "tenants": {
            "payments": {"rules": ["own", "org"]},
            "web": {"rules": ["org"]}
        },
        "rules": {
            "own": [{"id": "own", "allow": ["corp.example/payments"]}],
            "org": [
                {"id": "typosquat", "deny": ["github.com/boltdb-go/bolt"],
                 "reason": "typosquat of go.etcd.io/bbolt"},
                {"id": "public", "allow": ["github.com", "golang.org", "go.dev"]}
            ]
        },
        "backends": {
            "public": {"cluster": "athens"},
            "private": {"cluster": "artifactory", "base_path": "/artifactory/api/go/go-virtual"}
        },
        "routes": [
            {"id": "v1", "path_prefix": "/go.dev/v1", "rewrite": "/private.proxy/v1", "backend": "private"},
            {"id": "kept", "path_prefix": "/go.dev/v1/kept", "backend": "public"},
            {"id": "corp", "modules": ["corp.example"], "backend": "private"},
            {"id": "rest", "modules": ["*"], "backend": "public"}
        ],
        "sumdb": {"sum.golang.org": {}, "db.example/sums": {"backend": "private"}}
    });
    Policy::from_json(document.to_string().as_bytes()).unwrap()
}

fn request(path: &str, more: &[(&str, &str)]) -> Vec<Header> {
    let own = [
        (":authority", "goproxy"),
        (":path", path),
        (":method", "GET"),
        (":scheme", "http"),
    ];
    let all = own
        .iter()
        .filter(|(name, _)| !more.iter().any(|(n, _)| n == name))
        .chain(more);
    all.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// The cluster and the path that goes upstream, or the status and the body.
fn outcome(path: &str, more: &[(&str, &str)]) -> Result<(String, String), (u16, String)> {
    let policy = policy();
    let headers = request(path, more);
    let decision = evaluate(&policy, &headers, &());
    match decision.action {
        Decision::Forward {
            backend,
            path: upstream,
            ..
        } => Ok((
            backend.cluster.clone(),
            upstream.unwrap_or_else(|| path.to_owned()),
        )),
        Decision::LocalReply(reply) => Err((reply.status, reply.body)),
        Decision::Pending { .. } => panic!("no rule is about versions"),
    }
}

fn forwarded(path: &str) -> (String, String) {
    outcome(path, &[]).unwrap()
}

fn refused(path: &str, more: &[(&str, &str)]) -> (u16, String) {
    outcome(path, more).unwrap_err()
}

#[test]
fn an_allowed_request_goes_upstream_in_its_canonical_form() {
    let rows = [
        (
            "/t/web/golang.org/x/text/@v/list",
            "athens",
            "/golang.org/x/text/@v/list",
        ),
        (
            "/t/web/github.com/!burnt!sushi/toml/@v/v1.0.0.zip",
            "athens",
            "/github.com/%21burnt%21sushi/toml/@v/v1.0.0.zip",
        ),
        (
            "/t/payments/corp.example/payments/lib/%40v/v1.0.0.mod",
            "artifactory",
            "/artifactory/api/go/go-virtual/corp.example/payments/lib/@v/v1.0.0.mod",
        ),
        (
            "/t/web/go.dev/v1/github.com/a/b/@latest",
            "artifactory",
            "/artifactory/api/go/go-virtual/private.proxy/v1/github.com/a/b/@latest",
        ),
        (
            "/t/web/go.dev/v1/kept/github.com/a/b/@latest",
            "athens",
            "/go.dev/v1/kept/github.com/a/b/@latest",
        ),
    ];
    table_rows::check(rows, |(path, cluster, upstream)| {
        assert_eq!(forwarded(path), (cluster.into(), upstream.into()), "{path}");
    });
}

#[test]
fn a_canonical_path_is_not_rewritten() {
    let policy = policy();
    let headers = request("/golang.org/x/text/@v/list", &[("x-corp-tenant", "web")]);
    let decision = evaluate(&policy, &headers, &());
    assert!(matches!(
        decision.action,
        Decision::Forward { path: None, .. }
    ));
    assert_eq!(decision.identity, Some("header"));
    assert_eq!(decision.remove_headers, ["x-corp-tenant"]);
}

#[test]
fn routes_with_a_prefix_match_only_paths_with_it() {
    // Behind the prefix it is github.com/boltdb-go/bolt, not a module on go.dev.
    let (status, body) = refused("/t/web/go.dev/v1/github.com/boltdb-go/bolt/@v/list", &[]);
    assert_eq!(status, 403);
    assert!(body.contains("rule: org/typosquat"), "{body}");
}

#[test]
fn a_denial_names_tenant_rule_reason_and_contact() {
    let (status, body) = refused(
        "/t/payments/github.com/boltdb-go/bolt/@v/v1.3.1.zip",
        &[("x-request-id", "8d3f-1")],
    );
    assert_eq!(status, 403);
    assert_eq!(
        body,
        "modgate: denied github.com/boltdb-go/bolt@v1.3.1\n\
         tenant: payments\n\
         rule: org/typosquat\n\
         reason: typosquat of go.etcd.io/bbolt\n\
         contact: #go-platform\n\
         request: 8d3f-1\n"
    );
}

#[test]
fn every_text_fits_what_go_prints() {
    let element = "a".repeat(200);
    let long = format!("/t/web/evil.example/{element}/{element}/@v/v1.0.0-{element}.zip");
    let id = ("x-request-id", "with space\n");
    for path in [
        long.as_str(),
        "/t/web/evil.example/@v/list",
        "/",
        "/t/nobody/x",
    ] {
        let (_, body) = refused(path, &[id]);
        assert!(
            body.len() <= crate::reply::MAX_DENIAL_BYTES,
            "{} bytes",
            body.len()
        );
        assert!(
            body.lines().count() <= 8 && !body.contains("\n\n"),
            "{body}"
        );
        assert!(!body.contains("with space"), "{body}");
        assert!(
            body.chars().all(|c| c == '\n' || (' '..='~').contains(&c)),
            "{body}"
        );
    }
}

#[test]
fn probes_are_404_and_files_are_403() {
    let (status, body) = refused("/t/payments/corp.example/@v/list", &[]);
    assert_eq!(status, 404);
    assert!(body.starts_with("not found: corp.example\n"), "{body}");
    assert_eq!(
        refused("/t/payments/corp.example/@v/v1.0.0.zip", &[]).0,
        403
    );
    assert_eq!(refused("/t/web/corp.example/payments/@v/list", &[]).0, 403);
}

#[test]
fn unidentified_clients_are_refused() {
    let (status, body) = refused("/golang.org/x/text/@v/list", &[]);
    assert_eq!(status, 403);
    assert!(
        body.contains("names no tenant") && body.contains("#go-platform"),
        "{body}"
    );
    let (status, body) = refused("/t/nobody/golang.org/x/text/@v/list", &[]);
    assert_eq!(status, 403);
    assert!(body.contains("no tenant nobody"), "{body}");
    let two = [("x-corp-tenant", "web")];
    let (status, body) = refused("/t/payments/golang.org/x/text/@v/list", &two);
    assert_eq!(status, 403);
    assert!(body.contains("two tenants"), "{body}");
    let bad = [("x-corp-tenant", "web, payments")];
    assert_eq!(refused("/golang.org/x/text/@v/list", &bad).0, 400);
}

#[test]
fn identity_and_reserved_headers_are_removed() {
    let policy = policy();
    let claims = [
        ("x-corp-tenant", "web"),
        ("x_corp_tenant", "payments"),
        ("x-modgate-cluster", "artifactory"),
        ("x_modgate-tenant", "payments"),
        ("x-modgatecluster", "theirs"),
        ("user-agent", "Go-http-client/1.1"),
    ];
    let headers = request("/golang.org/x/text/@v/list", &claims);
    let decision = evaluate(&policy, &headers, &());
    assert_eq!(
        decision.remove_headers,
        [
            "x-corp-tenant",
            "x_corp_tenant",
            "x-modgate-cluster",
            "x_modgate-tenant",
            "x-modgatecluster"
        ]
    );
    assert_eq!(
        decision.tenant.map(|tenant| tenant.name.as_str()),
        Some("web")
    );
}

#[test]
fn only_get_and_head_pass() {
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get", "PROPFIND", "",
    ] {
        let (status, _) = refused("/t/web/golang.org/x/text/@v/list", &[(":method", method)]);
        assert_eq!(status, 405, "{method}");
    }
    let head = [(":method", "HEAD")];
    assert!(outcome("/t/web/golang.org/x/text/@v/list", &head).is_ok());
    assert_eq!(refused("/t/web/evil.example/@v/list", &head).0, 403);
}

#[test]
fn sumdb_lookups_are_evaluated_by_the_decoded_module_path() {
    assert_eq!(
        forwarded("/t/web/sumdb/sum.golang.org/lookup/github.com/!burnt!sushi/toml@v1.0.0").1,
        "/sumdb/sum.golang.org/lookup/github.com/%21burnt%21sushi/toml@v1.0.0"
    );
    let (status, body) = refused(
        "/t/web/sumdb/sum.golang.org/lookup/corp.example/payments@v1.0.0",
        &[],
    );
    assert_eq!(
        (status, body.contains("rule: default")),
        (403, true),
        "{body}"
    );
    assert_eq!(refused("/t/web/sumdb/sum.golang.org/supported", &[]).0, 200);
    assert_eq!(refused("/t/web/sumdb/evil.example/supported", &[]).0, 403);
    assert_eq!(
        refused("/t/web/sumdb/sum.golang.org.evil/latest", &[]).0,
        403
    );
    assert_eq!(
        forwarded("/t/web/sumdb/db.example/sums/tile/8/0/x001/234"),
        (
            "artifactory".into(),
            "/artifactory/api/go/go-virtual/sumdb/db.example/sums/tile/8/0/x001/234".into()
        )
    );
    // Tiles have no module, and every route of this policy wants one.
    assert_eq!(refused("/t/web/sumdb/sum.golang.org/latest", &[]).0, 403);
}

/// The Go command asks for the hash of every go.mod file that it reads.
#[test]
fn a_sumdb_lookup_follows_the_rules_for_go_mod_files() {
    let document = json!({
        "version": "1", "default": "deny", "tenants": {"*": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "cve", "deny": ["golang.org/x/crypto"], "versions": "<0.31.0"},
            {"id": "closed", "deny": ["golang.org/x/net"], "versions": "<0.31.0", "go_mod": "deny"},
            {"id": "hidden", "deny": ["golang.org/x/exp"], "versions": "<0.31.0", "hide": true},
            {"id": "gone", "deny": ["golang.org/x/text"]},
            {"id": "young", "allow": ["golang.org"], "min_age": "7d", "go_mod": "deny"},
        ]},
        "backends": {"main": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "main"}],
    });
    let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
    let rows = [
        ("golang.org/x/crypto@v0.30.0", 0, 0),
        ("golang.org/x/net@v0.30.0", 403, 403),
        ("golang.org/x/exp@v0.30.0", 404, 404),
        ("golang.org/x/text@v0.30.0", 403, 403),
        ("golang.org/x/mod@v0.30.0", 0, 0),
    ];
    table_rows::check(rows, |(module, lookup, go_mod)| {
        let (path, version) = module.split_once('@').unwrap();
        for (path, want) in [
            (format!("/sumdb/sum.golang.org/lookup/{module}"), lookup),
            (format!("/{path}/@v/{version}.mod"), go_mod),
        ] {
            let headers = [
                (":method".to_owned(), b"GET".to_vec()),
                (":path".to_owned(), path.clone().into_bytes()),
            ];
            let decision = evaluate(&policy, &headers, &());
            let status = match &decision.action {
                Decision::LocalReply(reply) => reply.status,
                Decision::Forward { .. } | Decision::Pending { .. } => 0,
            };
            assert_eq!(status, want, "{path}");
        }
    });
}

#[test]
fn decision_labels_name_the_rule_or_step_that_decided() {
    let policy = policy();
    let rows = [
        (
            "/t/web/golang.org/x/text/@v/list",
            Some(("allow", "public")),
        ),
        (
            "/t/web/github.com/boltdb-go/bolt/@v/list",
            Some(("deny", "typosquat")),
        ),
        ("/t/web/evil.example/@v/list", Some(("deny", "default"))),
        (
            "/t/payments/corp.example/@v/list",
            Some(("probe", "default")),
        ),
        ("/t/nobody/golang.org/@v/list", Some(("deny", "identity"))),
        ("/t/web/sumdb/evil.example/latest", Some(("deny", "sumdb"))),
        (
            "/t/web/sumdb/sum.golang.org/latest",
            Some(("deny", "route")),
        ),
        ("/t/web/..", None),
    ];
    table_rows::check(rows, |(path, labels)| {
        let headers = request(path, &[]);
        assert_eq!(
            evaluate(&policy, &headers, &()).decision_labels(),
            labels,
            "{path}"
        );
    });
}

#[test]
fn the_required_source_must_identify_the_tenant() {
    let document = json!({
        "version": "1", "default": "allow",
        "identity": [{"path_prefix": "/t/{tenant}"}, {"basic_user": "x-user"}, {"sni": "{tenant}.example"}],
        "require": ["path"],
        "tenants": {"web": {}, "payments": {"require": ["basic"]}, "*": {}},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
    });
    let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
    let status = |path: &str, user: &[(&str, &str)]| {
        let headers = request(path, user);
        let decision = evaluate(&policy, &headers, &());
        match decision.action {
            Decision::Forward { .. } => (200, String::new()),
            Decision::LocalReply(reply) => (reply.status, reply.body),
            Decision::Pending { .. } => panic!("no rule is about versions"),
        }
    };
    let payments = [("x-user", "payments")];
    assert_eq!(status("/t/web/a.b/@latest", &[]).0, 200);
    assert_eq!(status("/t/payments/a.b/@latest", &payments).0, 200);
    let rows = [
        ("/t/payments/a.b/@latest", &[] as &[(&str, &str)], "basic"),
        ("/a.b/@latest", &[], "path"),
        ("/a.b/@latest", &payments, "path"),
    ];
    table_rows::check(rows, |(path, user, missing)| {
        let (status, body) = status(path, user);
        assert_eq!(status, 403, "{body}");
        let reason =
            format!("the policy requires an identity from {missing}, and the request has none");
        assert!(body.contains(&reason), "{body}");
    });
    assert_eq!(status("/t/web/a.b/@latest", &payments).0, 403, "a conflict");
}

#[test]
fn credentials_that_prove_an_identity_do_not_go_upstream() {
    let claims = [
        ("authorization", "Basic cGF5bWVudHM6c2VjcmV0"),
        ("x-user", "web"),
        ("x-forwarded-client-cert", "By=spiffe://x"),
        ("x_remote_user", "root"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let with = |identity: serde_json::Value| {
        let document = json!({
            "version": "1", "default": "allow", "identity": identity, "tenants": {"web": {}, "*": {}},
            "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
        });
        let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
        evaluate(&policy, &request("/a.b/@latest", &claims), &()).remove_headers
    };
    assert_eq!(
        with(json!([{"basic_user": "x-user"}, {"header": "X-User", "trusted": true}])),
        [
            "authorization",
            "x-user",
            "x-forwarded-client-cert",
            "x_remote_user"
        ]
    );
    // Nothing here reads authorization, so it is the backend's.
    assert_eq!(
        with(json!([])),
        ["x-user", "x-forwarded-client-cert", "x_remote_user"]
    );
}

#[test]
fn a_hidden_module_looks_missing() {
    let document = json!({
        "version": "1", "default": "deny", "contact": "#go",
        "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [
            {"id": "secret", "deny": ["corp.example/secret"], "reason": "taken over", "hide": true},
            {"id": "all", "allow": ["*"]}
        ]},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "r", "backend": "b"}],
    });
    let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
    for path in [
        "/corp.example/secret/@v/list",
        "/corp.example/secret/@latest",
        "/corp.example/secret/v2/@v/v2.0.0.mod",
        "/corp.example/secret/sub/@v/v1.0.0.zip",
        "/sumdb/sum.golang.org/lookup/corp.example/secret@v1.0.0",
    ] {
        let headers = request(path, &[]);
        let decision = evaluate(&policy, &headers, &());
        assert_eq!(
            decision.decision_labels(),
            Some(("hide", "secret")),
            "{path}"
        );
        let Decision::LocalReply(reply) = decision.action else {
            panic!("{path} was forwarded");
        };
        assert_eq!(reply.status, 404);
        assert!(reply.body.starts_with("not found: corp.example/secret"));
        assert!(!reply.body.contains("taken over"), "{}", reply.body);
    }
}

#[test]
fn a_body_and_a_line_break_are_refused() {
    let path = "/t/web/golang.org/x/text/@v/list";
    assert_eq!(refused(path, &[("content-length", "5")]).0, 400);
    assert!(outcome(path, &[("content-length", "0")]).is_ok());
    for value in ["a\rx-corp-tenant: web", "a\nb", "a\0"] {
        let (status, body) = refused(path, &[("x-any", value)]);
        assert_eq!(status, 400);
        assert!(body.contains("line break"), "{body}");
    }
}

#[test]
fn the_longest_denial_still_shows_reason_and_contact() {
    let (name, reason, contact) = ("n".repeat(63), "r".repeat(160), "c".repeat(80));
    let document = json!({
        "version": "1", "default": "deny", "contact": contact,
        "tenants": {"*": {"rules": [name]}},
        "rules": {&name: [{"id": name, "deny": ["*"], "reason": reason}]},
        "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "r", "backend": "b"}],
    });
    let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
    let element = "a".repeat(200);
    let path = format!("/a.b/{element}/@v/v1.0.0-{element}.zip");
    let id = "i".repeat(64);
    let decision = evaluate(&policy, &request(&path, &[("x-request-id", &id)]), &());
    let Decision::LocalReply(reply) = decision.action else {
        panic!("it is denied");
    };
    let body = reply.body;
    assert!(body.len() <= crate::reply::MAX_DENIAL_BYTES, "{body}");
    assert!(body.starts_with("modgate: denied a.b/aaa"), "{body}");
    for line in [reason, contact, id] {
        assert!(body.contains(&format!(": {line}\n")), "{body}");
    }
}
