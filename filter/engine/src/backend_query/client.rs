//! The client for whose request a backend is queried.

use sha2::{Digest, Sha256};

use crate::decision::{RequestDecision, goes_to_every_backend, upstream_headers};
use modgate_go::http::{Header, value_of};
use modgate_policy::model::{Backend, Policy, Tenant, TenantId};

/// Headers of the client's own message and connection, and those that request a part or another form of an
/// answer, which the filter must read whole.
const NOT_CARRIED: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The client requests only what is already cached, so its answer differs from that of others.
const ONLY_WHAT_IS_THERE: &str = "disable-module-fetch";

/// The client for whose request a backend is queried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    headers: Vec<Header>,
    tenant: Option<TenantId>,
    module: Option<String>,
}

impl Client {
    /// The client of a request, once evaluated.
    pub fn of(headers: &[Header], decision: &RequestDecision<'_>) -> Self {
        Self {
            headers: headers.to_vec(),
            tenant: decision.tenant.map(|tenant| tenant.id),
            module: decision.module.clone(),
        }
    }

    pub(super) fn request(&self) -> &[Header] {
        &self.headers
    }

    pub(super) fn tenant<'p>(&self, policy: &'p Policy) -> Option<&'p Tenant> {
        policy.tenant_by_id(self.tenant?)
    }

    pub(super) fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// The host that is requested from a backend.
    pub fn authority(&self, backend: &Backend) -> String {
        let requested = || value_of(&self.headers, ":authority").unwrap_or_default();
        match &backend.authority {
            Some(authority) => authority.clone(),
            None => String::from_utf8_lossy(requested()).into_owned(),
        }
    }

    /// As [`carried`], for a query to this backend.
    pub fn headers(&self, policy: &Policy, backend: &Backend) -> Vec<Header> {
        carried(policy, &self.headers, backend)
    }
}

/// The headers of a query to a backend, without pseudo-headers: those of the client's request, except those
/// that would keep the answer from being read whole.
pub fn carried(policy: &Policy, request: &[Header], backend: &Backend) -> Vec<Header> {
    let mut headers = upstream_headers(policy, request, backend);
    // The proxy's interface accepts text only.
    headers.retain(|(name, value)| {
        !NOT_CARRIED.contains(&name.as_str()) && std::str::from_utf8(value).is_ok()
    });
    // Without it any coding is acceptable (RFC 9110, section 12.5.3).
    headers.push(("accept-encoding".to_owned(), b"identity".to_vec()));
    headers
}

/// Identifies the user of these headers in keys of what is remembered: a hash, or empty if nothing in them
/// identifies a user. No header's value can be derived from it.
pub fn user_of(headers: &[Header]) -> String {
    let mut telling: Vec<&Header> = headers
        .iter()
        .filter(|(name, _)| name == ONLY_WHAT_IS_THERE || !goes_to_every_backend(name))
        .collect();
    if telling.is_empty() {
        return String::new();
    }
    telling.sort();
    let mut hash = Sha256::new();
    for (name, value) in telling {
        for part in [name.as_bytes(), value] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
