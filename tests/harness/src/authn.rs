//! Envoy's filters that verify who a client is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

/// Envoy's `jwt_authn` that wants a token of this issuer, with these keys, and leaves its payload in
/// the metadata under `modgate`.
pub fn jwt_authn(issuer: &str, keys: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"corp": {
            "issuer": issuer,
            "local_jwks": {"inline_string": keys.to_string()},
            "payload_in_metadata": "modgate"
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "corp"}}]
    })
}

/// Envoy's `basic_auth` with these users, which it forwards in `x-user`.
pub fn basic_auth(users: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
        "users": {"inline_string": users},
        "forward_username_header": "x-user"
    })
}

/// A user's line in the one format that `basic_auth` reads, SHA-1.
pub fn htpasswd(user: &str, password: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    format!("{user}:{{SHA}}{}\n", STANDARD.encode(hash))
}
