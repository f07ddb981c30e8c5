//! Who is asking, proved to real Envoys: by certificate, by token, by password, by place.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::authn::{basic_auth, htpasswd, jwt_authn};
use modgate_harness::envoy::{Config, Envoy, Listener};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::http::{self, Response};
use modgate_harness::jwt::Issuer;
use modgate_harness::metrics::Figures;
use modgate_harness::pki::{Authority, Holder, Identity};
use serde_json::{Value, json};

const ISSUER: &str = "https://login.corp.example";
const SERVER: &str = "goproxy.test";

/// Each tenant has a module of its own, so what comes back says who was believed.
fn policy(identity: &Value) -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "identity": identity,
        "tenants": {"payments": {"rules": ["payments"]}, "web": {"rules": ["web"]}},
        "rules": {
            "payments": [{"id": "own", "allow": ["corp.example/payments"]}],
            "web": [{"id": "own", "allow": ["corp.example/web"]}]
        },
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}]
    })
}

struct Backend {
    server: Server,
    _dir: tempfile::TempDir,
}

fn backend() -> Backend {
    let dir = tempfile::tempdir().unwrap();
    let modules = ["payments", "web"].map(|team| {
        Module::new(format!("corp.example/{team}"), "v1.0.0").file("a.go", "package a\n")
    });
    let tree = Tree::write(dir.path(), &modules).unwrap();
    Backend {
        server: Server::start(tree.root()).unwrap(),
        _dir: dir,
    }
}

impl Backend {
    fn envoy(&self, identity: &Value, change: impl FnOnce(&mut Listener<'_>)) -> Envoy {
        let config = Config::new(policy(identity), &[("backend", self.server.address())]);
        Envoy::start_with(&config, change)
    }

    /// No request that came here carried what a client can prove itself with, or claim.
    fn assert_nothing_leaked(&self) {
        let requests = self.server.requests();
        assert!(!requests.is_empty());
        for request in requests {
            for name in [
                "authorization",
                "x-user",
                "x-forwarded-client-cert",
                "x-tenant",
            ] {
                assert!(!request.headers.contains_key(name), "{request:?}");
            }
        }
    }
}

/// Who was believed: the tenant whose module can be had, or the status of the refusal.
fn believed(ask: impl Fn(&str) -> io::Result<Response>) -> Result<&'static str, u16> {
    let status = |team: &str| {
        ask(&format!("/corp.example/{team}/@v/list"))
            .unwrap()
            .status
    };
    match (status("payments"), status("web")) {
        (200, 200) => panic!("both tenants' modules were given"),
        (200, _) => Ok("payments"),
        (_, 200) => Ok("web"),
        (refused, same) => {
            assert_eq!(refused, same);
            Err(refused)
        }
    }
}

#[test]
fn a_certificate_names_the_tenant() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = authority.issue(&Holder {
        names: &[SERVER, "web.goproxy.test"],
        ..Holder::default()
    });
    let backend = backend();
    let identity = json!([{"mtls_uri_san": "spiffe://corp.example/ns/{tenant}/sa/*"}]);
    let mut envoy = backend.envoy(&identity, |listener| {
        listener.serve_https(&server, Some(&authority.pem()));
        listener.name_filter_chain("goproxy-payments");
    });
    let address = envoy.address();
    let by = |holder: &Identity, name: &str| {
        let ask = |path: &str| {
            let forged = [
                (
                    "x-forwarded-client-cert",
                    "URI=spiffe://corp.example/ns/web/sa/build",
                ),
                ("x-remote-user", "web"),
            ];
            let request = http::head("GET", path, &forged);
            authority.ask(address, name, Some(holder), &request)
        };
        believed(ask)
    };
    let payments = Holder {
        uris: &["spiffe://corp.example/ns/payments/sa/build"],
        names: &["build.payments.corp.example"],
        unit: Some("payments"),
        // What a unit could be smuggled in with.
        common_name: Some("build,OU=web"),
    };
    let web = Holder {
        uris: &["spiffe://corp.example/ns/web/sa/build"],
        names: &["build.web.corp.example"],
        unit: Some("web"),
        common_name: Some("build"),
    };
    let foreign = Holder {
        uris: &["spiffe://evil.example/ns/payments/sa/build"],
        names: &["payments.evil.example"],
        unit: Some("nobody"),
        ..Holder::default()
    };
    let [payments, web, foreign] = [payments, web, foreign].map(|holder| authority.issue(&holder));
    assert_eq!(by(&payments, SERVER), Ok("payments"));
    assert_eq!(by(&web, SERVER), Ok("web"));
    assert_eq!(by(&foreign, SERVER), Err(403));
    // Envoy itself takes none of another authority, and nobody without one.
    let request = http::head("GET", "/corp.example/web/@v/list", &[]);
    let forged = stranger.issue(&Holder {
        uris: &["spiffe://corp.example/ns/payments/sa/build"],
        ..Holder::default()
    });
    for holder in [Some(&forged), None] {
        assert!(authority.ask(address, SERVER, holder, &request).is_err());
    }
    let lines = envoy.process().json_lines(6);
    assert_eq!(lines[0]["tenant"], "payments", "{}", lines[0]);
    assert_eq!(lines[0]["identity"], "mtls_uri_san");
    assert_eq!(lines[0]["module"], "corp.example/payments");

    for (identity, payments_is, web_is) in [
        (
            json!([{"mtls_dns_san": "*.{tenant}.corp.example"}]),
            Ok("payments"),
            Ok("web"),
        ),
        (
            json!([{"mtls_subject": "OU={tenant}"}]),
            Ok("payments"),
            Ok("web"),
        ),
        // By the place that they come to, whoever they are.
        (
            json!([{"listener": "goproxy-{tenant}"}]),
            Ok("payments"),
            Ok("payments"),
        ),
        // The certificate contradicts the place for one of them.
        (
            json!([{"listener": "goproxy-{tenant}"}, {"mtls_subject": "OU={tenant}"}]),
            Ok("payments"),
            Err(403),
        ),
    ] {
        assert!(envoy.reload(&policy(&identity)), "{identity}");
        assert_eq!(by(&payments, SERVER), payments_is, "{identity}");
        assert_eq!(by(&web, SERVER), web_is, "{identity}");
    }
    let by_name = json!([{"sni": "{tenant}.goproxy.test"}]);
    assert!(envoy.reload(&policy(&by_name)));
    assert_eq!(by(&payments, "web.goproxy.test"), Ok("web"));
    assert_eq!(by(&payments, SERVER), Err(403));
    backend.assert_nothing_leaked();
}

fn claims(more: Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut claims = json!({"iss": ISSUER, "sub": "build", "exp": now.as_secs() + 600});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn with_token(envoy: &Envoy, token: &str, more: &[(&str, &str)]) -> Result<&'static str, u16> {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(more);
    believed(|path| http::try_request(envoy.address(), "GET", path, &headers))
}

#[test]
fn a_verified_token_names_the_tenant() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let backend = backend();
    let identity = json!([{"jwt_claim": "tenant", "payload": "modgate"}]);
    let mut envoy = backend.envoy(&identity, |listener| {
        listener.put_before(
            "envoy.filters.http.jwt_authn",
            jwt_authn(ISSUER, &issuer.jwks()),
        );
    });
    let ask = |envoy: &Envoy, claims: &Value| with_token(envoy, &issuer.token(claims), &[]);
    let of = |tenant: &str| claims(json!({"tenant": tenant}));
    assert_eq!(ask(&envoy, &of("payments")), Ok("payments"));
    assert_eq!(ask(&envoy, &of("web")), Ok("web"));
    assert_eq!(ask(&envoy, &of("nobody")), Err(403));
    assert_eq!(ask(&envoy, &claims(json!({}))), Err(403), "a missing claim");
    assert_eq!(ask(&envoy, &of("pay ments")), Err(400));
    assert_eq!(ask(&envoy, &claims(json!({"tenant": 7}))), Err(400));
    // Envoy itself refuses what is expired, of another issuer, or signed by somebody else.
    let expired = claims(json!({"tenant": "web", "exp": 1_000_000_000}));
    assert_eq!(ask(&envoy, &expired), Err(401));
    let foreign = claims(json!({"tenant": "web", "iss": "https://evil.example"}));
    assert_eq!(ask(&envoy, &foreign), Err(401));
    let forged = stranger.token(&of("web"));
    assert_eq!(with_token(&envoy, &forged, &[]), Err(401));
    let line = &envoy.process().json_lines(2)[0];
    assert_eq!(
        (&line["tenant"], &line["identity"]),
        (&json!("payments"), &json!("jwt_claim"))
    );

    let nested = json!([{"jwt_claim": ["org", "tenant"], "payload": "modgate"}]);
    assert!(envoy.reload(&policy(&nested)));
    assert_eq!(
        ask(&envoy, &claims(json!({"org": {"tenant": "web"}}))),
        Ok("web")
    );
    assert_eq!(ask(&envoy, &of("web")), Err(403));

    let groups = json!([{"jwt_claim_list": "groups", "payload": "modgate",
                         "map": {"corp:go-web": "web", "corp:go-payments": "payments"}}]);
    assert!(envoy.reload(&policy(&groups)));
    let member = |groups: &[&str]| ask(&envoy, &claims(json!({"groups": groups})));
    assert_eq!(member(&["corp:everyone", "corp:go-web"]), Ok("web"));
    assert_eq!(member(&["corp:go-payments"]), Ok("payments"));
    assert_eq!(member(&["corp:go-web", "corp:go-payments"]), Err(403));
    assert_eq!(member(&["corp:everyone"]), Err(403));
    assert_eq!(member(&[]), Err(403));
    let text = claims(json!({"groups": "corp:go-web"}));
    assert_eq!(ask(&envoy, &text), Err(400), "a string is no list");
    backend.assert_nothing_leaked();
}

#[test]
fn what_the_policy_requires_must_agree() {
    let authority = Authority::new();
    let issuer = Issuer::new();
    let holder = |unit| Holder {
        names: &[SERVER],
        unit: Some(unit),
        ..Holder::default()
    };
    let [payments, web] = ["payments", "web"].map(|unit| authority.issue(&holder(unit)));
    let backend = backend();
    let mut document = policy(&json!([
        {"mtls_subject": "OU={tenant}"},
        {"jwt_claim": "tenant", "payload": "modgate"}
    ]));
    document["require"] = json!(["mtls", "jwt"]);
    let config = Config::new(document, &[("backend", backend.server.address())]);
    let envoy = Envoy::start_with(&config, |listener| {
        listener.serve_https(&web, Some(&authority.pem()));
        listener.put_before(
            "envoy.filters.http.jwt_authn",
            jwt_authn(ISSUER, &issuer.jwks()),
        );
    });
    let ask = |holder: &Identity, claims: Value| {
        let bearer = format!("Bearer {}", issuer.token(&claims));
        believed(|path| {
            let request = http::head("GET", path, &[("authorization", &bearer)]);
            authority.ask(envoy.address(), SERVER, Some(holder), &request)
        })
    };
    let of = |tenant: &str| claims(json!({"tenant": tenant}));
    assert_eq!(ask(&payments, of("payments")), Ok("payments"));
    assert_eq!(ask(&web, of("web")), Ok("web"));
    assert_eq!(ask(&payments, of("web")), Err(403), "they disagree");
    assert_eq!(
        ask(&payments, claims(json!({}))),
        Err(403),
        "one is missing"
    );
    backend.assert_nothing_leaked();
}

#[test]
fn real_go_gives_a_password_over_https() {
    let authority = Authority::new();
    let server = authority.issue(&Holder {
        names: &["localhost"],
        ..Holder::default()
    });
    let backend = backend();
    let identity = json!([{"basic_user": "x-user", "map": {"alice": "payments", "bob": "web"}}]);
    let users = htpasswd("alice", "sesame") + &htpasswd("bob", "xyzzy");
    let mut envoy = backend.envoy(&identity, |listener| {
        listener.serve_https(&server, None);
        listener.put_before("envoy.filters.http.basic_auth", basic_auth(&users));
    });
    let goproxy = format!("https://localhost:{}", envoy.address().port());
    let go = |user: &str, password: &str| {
        let go = Go::new(&goproxy, Sumdb::Off).trusting(&authority);
        // Go looks for host and port together.
        let machine = format!("localhost:{}", envoy.address().port());
        let netrc = format!("machine {machine} login {user} password {password}\n");
        std::fs::write(go.home().join(".netrc"), netrc).unwrap();
        go
    };
    let thief = go("alice", "guessed");
    let said = thief.run(&["mod", "download", "corp.example/payments@v1.0.0"]);
    assert!(said.expect_failure().contains("401"), "{said:?}");

    let bob = go("bob", "xyzzy");
    bob.run(&["mod", "download", "corp.example/web@v1.0.0"])
        .expect_ok();
    assert!(bob.has("corp.example/web@v1.0.0"));
    let denied = bob.run(&["mod", "download", "corp.example/payments@v1.0.0"]);
    let said = denied.expect_failure();
    assert!(
        said.contains("modgate: denied corp.example/payments@v1.0.0")
            && said.contains("tenant: web"),
        "{said}"
    );
    // Over https go asks everything twice that it is refused, which is one decision all the same.
    let refusals = |log: &[Value]| {
        let denied = log.iter().filter(|line| line["decision"] == "deny");
        denied.count()
    };
    let log = envoy.process().json_lines(7);
    assert!(refusals(&log) > 0 && refusals(&log) % 2 == 0, "{log:?}");
    let figures = Figures::parse(&envoy.prometheus());
    assert_eq!(
        figures.sum("modgate_decisions_total", &[("decision", "deny")]),
        refusals(&log) as f64 / 2.0
    );
    // A client that sends the header itself is not believed in it.
    let basic = format!("Basic {}", STANDARD.encode("bob:xyzzy"));
    let claimed = believed(|path| {
        let headers = [("authorization", basic.as_str()), ("x-user", "alice")];
        let request = http::head("GET", path, &headers);
        authority.ask(envoy.address(), "localhost", None, &request)
    });
    assert_eq!(claimed, Ok("web"));
    backend.assert_nothing_leaked();
}
