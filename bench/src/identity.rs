//! How the requests of a benchmark name their tenant, and what both sides need for it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use serde_json::{Value, json};

use modgate_harness::authn::{basic_auth, htpasswd, jwt_authn};
use modgate_harness::envoy::Listener;
use modgate_harness::jwt::Issuer;
use modgate_harness::pki::{Authority, Holder, Identity};

/// Where a request names its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// In the path, `/t/TENANT/...`.
    Path,
    /// In a header that the policy trusts.
    Header,
    /// In the name of the listener's filter chain.
    Listener,
    /// In a claim of a token that `jwt_authn` verifies.
    Jwt,
    /// In a list claim of it, groups.
    Groups,
    /// As the user whose password `basic_auth` verifies.
    Basic,
    /// In the server name of the TLS hello.
    Sni,
    /// In the URI of the client's certificate.
    Mtls,
}

/// What clients and both sides need.
#[derive(Debug)]
pub struct Credentials {
    kind: Kind,
    tenants: Vec<String>,
    issuer: Issuer,
    authority: Authority,
    server: Identity,
}

const HEADER: &str = "x-tenant";
const PASSWORD: &str = "secret";
const ISSUER: &str = "https://login.corp.example";
const DOMAIN: &str = "goproxy.test";
/// A date that no benchmark sees.
const NEVER: u64 = 4_000_000_000;

impl Credentials {
    /// Those of these tenants, of which there is at least one.
    pub fn new(kind: Kind, tenants: Vec<String>) -> Self {
        let authority = Authority::new();
        let name = format!("{}.{DOMAIN}", tenants[0]);
        let server = authority.issue(&Holder {
            names: &[&name],
            ..Holder::default()
        });
        Self {
            kind,
            tenants,
            issuer: Issuer::new(),
            authority,
            server,
        }
    }

    /// The policy's source.
    pub fn source(&self) -> Value {
        match self.kind {
            Kind::Path => json!({"path_prefix": "/t/{tenant}"}),
            Kind::Header => json!({"header": HEADER, "trusted": true}),
            Kind::Listener => json!({"listener": "{tenant}"}),
            Kind::Jwt => json!({"jwt_claim": "tenant", "payload": "modgate"}),
            Kind::Groups => json!({"jwt_claim_list": "groups", "payload": "modgate"}),
            Kind::Basic => json!({"basic_user": "x-user"}),
            Kind::Sni => json!({"sni": format!("{{tenant}}.{DOMAIN}")}),
            Kind::Mtls => json!({"mtls_uri_san": "spiffe://corp.example/ns/{tenant}/sa/*"}),
        }
    }

    /// Whether one client can be any tenant; else it is the first.
    pub const fn any_tenant(&self) -> bool {
        match self.kind {
            Kind::Path | Kind::Header | Kind::Jwt | Kind::Groups | Kind::Basic => true,
            Kind::Listener | Kind::Sni | Kind::Mtls => false,
        }
    }

    /// What a tenant's requests have before their path, and the header that names it.
    pub fn request(&self, tenant: &str) -> (String, Option<(&'static str, String)>) {
        let bearer = |claims: Value| {
            Some((
                "authorization",
                format!("Bearer {}", self.issuer.token(&claims)),
            ))
        };
        match self.kind {
            Kind::Path => (format!("/t/{tenant}"), None),
            Kind::Header => (String::new(), Some((HEADER, tenant.to_owned()))),
            Kind::Jwt => {
                let claims = json!({"iss": ISSUER, "exp": NEVER, "tenant": tenant});
                (String::new(), bearer(claims))
            }
            Kind::Groups => {
                let claims = json!({"iss": ISSUER, "exp": NEVER, "groups": ["everyone", tenant]});
                (String::new(), bearer(claims))
            }
            Kind::Basic => {
                let pair = STANDARD.encode(format!("{tenant}:{PASSWORD}"));
                (
                    String::new(),
                    Some(("authorization", format!("Basic {pair}"))),
                )
            }
            Kind::Listener | Kind::Sni | Kind::Mtls => (String::new(), None),
        }
    }

    /// Gives a side's listener what verifies them.
    pub fn prepare(&self, listener: &mut Listener<'_>) {
        match self.kind {
            Kind::Path | Kind::Header => {}
            Kind::Listener => listener.name_filter_chain(&self.tenants[0]),
            Kind::Jwt | Kind::Groups => {
                let keys = self.issuer.jwks();
                listener.put_before("envoy.filters.http.jwt_authn", jwt_authn(ISSUER, &keys));
            }
            Kind::Basic => {
                let users = self.tenants.iter().map(|tenant| htpasswd(tenant, PASSWORD));
                let users: String = users.collect();
                listener.put_before("envoy.filters.http.basic_auth", basic_auth(&users));
            }
            Kind::Sni => listener.serve_https(&self.server, None),
            Kind::Mtls => listener.serve_https(&self.server, Some(&self.authority.pem())),
        }
    }

    /// How clients speak TLS, and to which name; `None` where they do not.
    pub fn tls(&self) -> Option<(Arc<ClientConfig>, String)> {
        let holder = match self.kind {
            Kind::Sni => None,
            Kind::Mtls => {
                let uri = format!("spiffe://corp.example/ns/{}/sa/build", self.tenants[0]);
                Some(self.authority.issue(&Holder {
                    uris: &[&uri],
                    ..Holder::default()
                }))
            }
            _ => return None,
        };
        let config = self.authority.client_config(holder.as_ref());
        let config = config.unwrap_or_else(|e| panic!("no TLS: {e}"));
        Some((Arc::new(config), format!("{}.{DOMAIN}", self.tenants[0])))
    }
}
