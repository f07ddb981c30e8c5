//! A real HTTP cache in front of two tenants, Envoy's own: what one of them is refused, it does not get
//! out of the cache either, however it says who it is; and what everybody gets is kept.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use modgate_harness::authn::{basic_auth, htpasswd, jwt_authn};
use modgate_harness::envoy::{Config, Envoy, Listener};
use modgate_harness::hosts::Host;
use modgate_harness::http::{self, Response};
use modgate_harness::jwt::Issuer;
use modgate_harness::pki::{Authority, Holder, Identity};
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const ISSUER: &str = "https://login.corp.example";
const FILE: &str = "/corp.example/lib/@v/v1.0.0.zip";
const TILE: &str = "/sumdb/sum.golang.org/tile/8/0/001";

/// A backend that would have every cache keep everything for everybody.
struct Backend {
    address: SocketAddr,
    requested: Arc<AtomicUsize>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requested = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requested);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || answer(stream, &count));
            }
        });
        Self { address, requested }
    }

    fn requested(&self) -> usize {
        self.requested.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, count: &AtomicUsize) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    loop {
        let mut head = Vec::new();
        for line in lines.by_ref() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            head.push(line.to_ascii_lowercase());
        }
        let Some(first) = head.first() else {
            return Ok(());
        };
        count.fetch_add(1, Ordering::SeqCst);
        let conditional = head.iter().any(|line| line.starts_with("if-none-match"));
        let (status, more, body) = if conditional {
            ("304 Not Modified", "", "")
        } else if first.contains("/moved/") {
            ("302 Found", "location: https://cdn.example/x\r\n", "")
        } else if first.contains("/gone/") {
            ("410 Gone", "", "gone\n")
        } else if first.contains("/@v/list") {
            ("200 OK", "", "v1.0.0\nv1.1.0\n")
        } else {
            ("200 OK", "", "the file")
        };
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
        let length = if conditional {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        let body = if first.starts_with("head ") { "" } else { body };
        write!(
            stream,
            "HTTP/1.1 {status}\r\ndate: {}\r\n{length}{more}\
             cache-control: public\r\ncache-control: max-age=10800, s-maxage=20000\r\n\
             surrogate-control: max-age=20000\r\ncdn-cache-control: max-age=20000\r\n\
             etag: \"e\"\r\n\r\n{body}",
            date.unwrap()
        )?;
    }
}

/// The tenant `web` may have what `guest` may not.
fn policy(identity: Value) -> Value {
    json!({
        "version": "1", "default": "deny", "identity": identity,
        "tenants": {"web": {"rules": ["org"]}, "guest": {"rules": ["some", "org"]}},
        "rules": {
            "some": [{"id": "corp", "deny": ["corp.example"]}],
            "org": [
                {"id": "old", "deny": ["shaped.example"], "versions": "<v1.1.0"},
                {"id": "all", "allow": ["*"]}
            ]
        },
        "backends": {"main": {
            "cluster": "backend", "redirects": [{"to": "https://cdn.example", "pass": true}]
        }},
        "routes": [{"id": "all", "backend": "main"}]
    })
}

/// Envoy's cache, in a hop of its own: what it does not have it asks by itself, past other filters of its
/// Envoy.
fn cache_before(modgate: SocketAddr) -> Envoy {
    cache_with(modgate, |_| ())
}

/// The same in a listener that the test changes, once the cache is in it.
fn cache_with(modgate: SocketAddr, change: impl FnOnce(&mut Listener<'_>)) -> Envoy {
    let mut config = Config::new(json!({}), &[("modgate", modgate)]);
    config.filter = false;
    config.routes = Some(json!({
        "route_config": {"name": "cache", "virtual_hosts": [{
            "name": "cache", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "modgate"}}]
        }]}
    }));
    let vary = ["x-tenant", "authorization"].map(|name| json!({"exact": name}));
    Envoy::start_with(&config, |listener| {
        listener.put_before(
            "envoy.filters.http.cache",
            json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig",
                "allowed_vary_headers": vary,
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"
                }
            }),
        );
        change(listener);
    })
}

/// The header that the policy trusts of a hop in front.
const OF_HOP: &str = "x-tenant";

/// Before its cache the hop writes into that header what the connection proves, whatever the client has there.
fn tell_tenant(listener: &mut Listener<'_>, proof: &str) {
    let header = json!({"key": OF_HOP, "value": proof});
    let mutations = json!([
        {"remove": OF_HOP},
        {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
    ]);
    listener.put_before(
        "envoy.filters.http.header_mutation",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": mutations},
        }),
    );
}

/// How a tenant asks for a path.
type Ask<'w> = dyn Fn(&str, &str) -> Response + 'w;

/// A Modgate, perhaps behind a cache, and how a tenant asks it for a path.
struct World<'w> {
    backend: &'w Backend,
    ask: Box<Ask<'w>>,
}

impl World<'_> {
    /// Nobody gets what another was given, and nobody is refused what another was.
    #[track_caller]
    fn assert_kept_apart(&self, vary: Option<&str>) {
        for _ in 0..3 {
            let refused = (self.ask)("guest", FILE);
            assert_eq!(refused.status, 403, "{refused:?}");
            assert_eq!(refused.header("cache-control"), Some("no-store"));
            let given = (self.ask)("web", FILE);
            assert_eq!((given.status, &*given.body), (200, "the file"), "{given:?}");
            assert_private(&given, vary);
        }
    }

    /// What everybody gets, somebody else gets without the backend.
    #[track_caller]
    fn assert_hit(&self, first: &str, then: &str, path: &str) {
        // It is kept when the answer has ended, which may be after the client has it.
        let hit = (0..100).any(|_| (self.ask)(first, path).header("age").is_some());
        assert!(hit, "{path} is never kept");
        let requested = self.backend.requested();
        let answer = (self.ask)(then, path);
        assert_eq!((answer.status, &*answer.body), (200, "the file"));
        assert_eq!(self.backend.requested(), requested, "{path}");
    }
}

/// All lines of a header, without spaces.
fn all_of(answer: &Response, name: &str) -> String {
    let lines = answer.headers.iter().filter(|(known, _)| known == name);
    let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    lines.join(",").replace(' ', "")
}

/// What passes is for the client's own cache alone.
#[track_caller]
fn assert_private(answer: &Response, vary: Option<&str>) {
    assert_eq!(
        all_of(answer, "cache-control"),
        "private,max-age=10800",
        "{answer:?}"
    );
    assert_eq!(
        all_of(answer, "vary"),
        vary.unwrap_or_default(),
        "{answer:?}"
    );
    for other in ["surrogate-control", "cdn-cache-control"] {
        assert_eq!(answer.header(other), None, "{answer:?}");
    }
}

fn envoy(backend: &Backend, identity: Value, change: impl FnOnce(&mut Listener<'_>)) -> Envoy {
    let config = Config::new(policy(identity), &[("backend", backend.address)]);
    Envoy::start_with(&config, change)
}

#[test]
fn tenants_by_header_or_path_are_kept_apart_in_envoy_and_before_the_simulator() {
    let backend = Backend::start();
    let by_header = json!([{"header": "x-tenant", "trusted": true}]);
    let by_path = json!([{"path_prefix": "/t/{tenant}"}]);
    for (identity, in_path) in [(by_header, false), (by_path, true)] {
        let envoy = envoy(&backend, identity.clone(), |_| ());
        let serve = Serve::start(&policy(identity), &[("backend", backend.address)]);
        for modgate in [envoy.address(), serve.address()] {
            let cache = cache_before(modgate);
            let ask = |tenant: &str, path: &str| {
                if in_path {
                    return http::get(cache.address(), &format!("/t/{tenant}{path}"));
                }
                http::request(cache.address(), "GET", path, &[("x-tenant", tenant)])
            };
            let world = World {
                backend: &backend,
                ask: Box::new(ask),
            };
            if !in_path {
                world.assert_kept_apart(Some("x-tenant"));
                world.assert_hit("web", "guest", TILE);
                continue;
            }
            assert_eq!((world.ask)("guest", FILE).status, 403);
            world.assert_hit("web", "web", FILE);
            assert_eq!((world.ask)("guest", FILE).status, 403);
            let kept = (world.ask)("web", FILE);
            let public = "public,max-age=10800,s-maxage=20000";
            assert_eq!(all_of(&kept, "cache-control"), public);
        }
    }
}

/// A cache has ended TLS before it asks on, so what a certificate or a server name proves does not come
/// this far; another kind of cache may do without.
#[test]
fn tenants_by_certificate_or_server_name_are_kept_apart() {
    let backend = Backend::start();
    let authority = Authority::new();
    let name_of = |tenant: &str| format!("{tenant}.goproxy.test");
    let names = ["web", "guest"].map(name_of);
    let server = authority.issue(&Holder {
        names: &[&names[0], &names[1]],
        ..Holder::default()
    });
    let holders = ["web", "guest"].map(|unit| {
        let holder = authority.issue(&Holder {
            unit: Some(unit),
            ..Holder::default()
        });
        (unit, holder)
    });
    let holder_of = |tenant: &str| &holders.iter().find(|(unit, _)| *unit == tenant).unwrap().1;
    for by_name in [false, true] {
        let identity = if by_name {
            json!([{"sni": "{tenant}.goproxy.test"}])
        } else {
            json!([{"mtls_subject": "OU={tenant}"}])
        };
        let ca = authority.pem();
        let envoy = envoy(&backend, identity, |listener| {
            listener.serve_https(&server, (!by_name).then_some(&*ca));
        });
        // For one host, whatever the server name: the URL is the same for both.
        let ask = |tenant: &str, path: &str| {
            let name = name_of(if by_name { tenant } else { "web" });
            let holder = (!by_name).then(|| holder_of(tenant));
            let head = http::head("GET", path, &[]);
            authority
                .ask(envoy.address(), &name, holder, &head)
                .unwrap()
        };
        let world = World {
            backend: &backend,
            ask: Box::new(ask),
        };
        world.assert_kept_apart(None);
    }
}

/// Two tenants, each with a certificate and a server name that are its own, and the hop that they come to.
struct Tls {
    authority: Authority,
    hop: Identity,
    tenants: [(&'static str, Identity); 2],
}

impl Tls {
    fn new() -> Self {
        let authority = Authority::new();
        let issue = |names: &[&str], unit| {
            authority.issue(&Holder {
                names,
                unit,
                ..Holder::default()
            })
        };
        let hop = issue(&["web", "guest", "any"], None);
        let tenants = ["web", "guest"].map(|tenant| (tenant, issue(&[tenant], Some(tenant))));
        Self {
            authority,
            hop,
            tenants,
        }
    }

    /// What a tenant that calls itself another one is answered.
    fn ask(&self, hop: &Envoy, by_name: bool, tenant: &str, path: &str) -> Response {
        let holder = self.tenants.iter().find(|(name, _)| *name == tenant);
        let forged = [
            (OF_HOP, "web"),
            ("x-forwarded-client-cert", "Subject=\"OU=web\";DNS=web"),
        ];
        let (name, holder) = match by_name {
            true => (tenant, None),
            false => ("any", holder.map(|(_, holder)| holder)),
        };
        let head = http::head("GET", path, &forged);
        self.authority
            .ask(hop.address(), name, holder, &head)
            .unwrap()
    }
}

#[test]
fn tenants_by_what_a_hop_that_ends_tls_tells_of_them_are_kept_apart_by_its_cache() {
    let backend = Backend::start();
    let tls = Tls::new();
    let by_header = json!([{"header": OF_HOP, "trusted": true}]);
    let envoy = envoy(&backend, by_header.clone(), |_| ());
    let serve = Serve::start(&policy(by_header), &[("backend", backend.address)]);
    for (by_name, proof) in [
        (false, "%DOWNSTREAM_PEER_DNS_SAN%"),
        (true, "%REQUESTED_SERVER_NAME%"),
    ] {
        for modgate in [envoy.address(), serve.address()] {
            let ca = tls.authority.pem();
            let hop = cache_with(modgate, |listener| {
                listener.serve_https(&tls.hop, (!by_name).then_some(&*ca));
                tell_tenant(listener, proof);
            });
            let world = World {
                backend: &backend,
                ask: Box::new(|tenant, path| tls.ask(&hop, by_name, tenant, path)),
            };
            world.assert_kept_apart(Some(OF_HOP));
            world.assert_hit("web", "guest", TILE);
        }
    }
}

/// A certificate and a server name end with the connection; what a hop says of them in the header that Envoy has for
/// it is nobody's tenant.
#[test]
fn what_a_connection_proved_to_a_hop_before_names_no_tenant_and_nothing_is_kept() {
    let backend = Backend::start();
    let tls = Tls::new();
    for (by_name, identity) in [
        (false, json!([{"mtls_subject": "OU={tenant}"}])),
        (true, json!([{"sni": "{tenant}"}])),
    ] {
        let modgate = envoy(&backend, identity, |_| ());
        let ca = tls.authority.pem();
        let hop = cache_with(modgate.address(), |listener| {
            listener.serve_https(&tls.hop, (!by_name).then_some(&*ca));
            let manager = listener.manager();
            manager["forward_client_cert_details"] = json!("APPEND_FORWARD");
            manager["set_current_client_cert_details"] = json!({"subject": true, "dns": true});
        });
        for tenant in ["web", "guest", "web"] {
            let refused = tls.ask(&hop, by_name, tenant, FILE);
            assert_eq!(refused.status, 403, "{refused:?}");
            assert_eq!(refused.header("cache-control"), Some("no-store"));
            assert_eq!(refused.header("age"), None);
        }
        assert_eq!(backend.requested(), 0);
    }
}

#[test]
fn tenants_by_token_or_password_are_kept_apart() {
    let backend = Backend::start();
    let issuer = Issuer::new();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let users = htpasswd("web", "sesame") + &htpasswd("guest", "xyzzy");
    let token = json!([{"jwt_claim": "tenant", "payload": "modgate"}]);
    let user = json!([{"basic_user": "x-user"}]);
    for (identity, filter, config) in [
        (
            token,
            "envoy.filters.http.jwt_authn",
            jwt_authn(ISSUER, &issuer.jwks()),
        ),
        (user, "envoy.filters.http.basic_auth", basic_auth(&users)),
    ] {
        let by_token = filter.ends_with("jwt_authn");
        let envoy = envoy(&backend, identity, |listener| {
            listener.put_before(filter, config)
        });
        let cache = cache_before(envoy.address());
        let ask = |tenant: &str, path: &str| {
            let authorization = if by_token {
                let claims = json!({"iss": ISSUER, "sub": "x", "exp": now + 600, "tenant": tenant});
                format!("Bearer {}", issuer.token(&claims))
            } else {
                let password = if tenant == "web" { "sesame" } else { "xyzzy" };
                format!("Basic {}", STANDARD.encode(format!("{tenant}:{password}")))
            };
            let headers = [("authorization", authorization.as_str())];
            http::request(cache.address(), "GET", path, &headers)
        };
        let world = World {
            backend: &backend,
            ask: Box::new(ask),
        };
        world.assert_kept_apart(Some("authorization"));
    }
}

#[test]
fn every_answer_says_who_may_keep_it_on_both_hosts() {
    let backend = Backend::start();
    let by_header = policy(json!([{"header": "x-tenant", "trusted": true}]));
    for host in Host::both(&by_header, backend.address) {
        let ask = |method: &str, path: &str, more: &[(&str, &str)]| {
            let headers = [&[("x-tenant", "guest")], more].concat();
            http::request(host.address(), method, path, &headers)
        };
        let rows = [
            ("GET", "/a.example/lib/@v/v1.0.0.zip", &[][..], 200),
            ("HEAD", "/a.example/lib/@v/v1.0.0.zip", &[], 200),
            ("GET", "/a.example/lib/@v/list", &[], 200),
            (
                "GET",
                "/a.example/lib/@v/v1.0.0.zip",
                &[("if-none-match", "\"e\"")],
                304,
            ),
            ("GET", "/a.example/moved/@v/v1.0.0.zip", &[], 302),
            ("GET", "/a.example/gone/@v/v1.0.0.zip", &[], 410),
            (
                "GET",
                "/sumdb/sum.golang.org/lookup/a.example/lib@v1.0.0",
                &[],
                200,
            ),
        ];
        table_rows::check(rows, |(method, path, more, status)| {
            let answer = ask(method, path, more);
            assert_eq!(answer.status, status, "{method} {path}");
            assert_private(&answer, Some("x-tenant"));
        });
        let rows = [
            // A denial, a probe, a list and a version that were shaped, and what is no request.
            ("GET", FILE, &[][..], 403),
            ("GET", "/corp.example/lib/@v/list", &[], 403),
            ("HEAD", FILE, &[], 403),
            ("GET", "/shaped.example/lib/@v/list", &[], 200),
            ("GET", "/sumdb/sum.golang.org/supported", &[], 200),
            ("GET", "/sumdb/other.example/latest", &[], 403),
            ("GET", "/a.example/lib/@v/v1.0.0.ziphash", &[], 400),
            ("GET", "/a.example/lib/@v/list", &[("x-tenant", "web")], 400),
            ("POST", "/a.example/lib/@v/list", &[], 405),
        ];
        table_rows::check(rows, |(method, path, more, status)| {
            let answer = ask(method, path, more);
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{method} {path}"
            );
        });
    }
}
