//! Backends: where a request can go, and how the answers tell of the backend's cache.

use std::time::Duration;

use super::ids::BackendId;
use crate::model::redirect;
use crate::model::redirect::{RedirectRule, Redirected};

/// One backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Which of the policy's backends it is.
    pub id: BackendId,
    /// Its name in the document and in metrics.
    pub name: String,
    /// The cluster as the proxy names it.
    pub cluster: String,
    /// What stands before the module path in its URLs: empty, or with a leading slash only.
    pub base_path: String,
    /// The host that it is asked as; `None` where that is the client's.
    pub authority: Option<String>,
    /// The request headers that the proxy adds, sorted by name.
    pub headers: Vec<AddedHeader>,
    /// The client's headers that it gets beside those that every backend gets, in lower case.
    pub forward_headers: Vec<String>,
    /// What kind of server it is, where the document says.
    pub kind: Option<BackendKind>,
    /// The response headers that tell of its cache, in lower case.
    pub cache_headers: Vec<String>,
    /// Where it may redirect to.
    pub(crate) redirects: Vec<RedirectRule>,
    /// An answer that begins sooner is taken for a hit, where nothing else tells.
    pub hit_below: Option<Duration>,
    /// Whether the age of a version is that of its `Last-Modified`, and not of its `Time`.
    pub age_by_last_modified: bool,
}

/// A request header that the proxy adds. The filter never knows its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// What the proxy calls the value.
    pub secret: String,
}

impl Backend {
    /// Whether the policy names places that it may redirect to.
    pub fn has_redirects(&self) -> bool {
        !self.redirects.is_empty()
    }

    /// What a client gets of an answer with this status; `None` where it is no redirect.
    /// `locations` are the values of its `Location` headers, `tenant_prefix` is the
    /// judgement's.
    pub fn redirected(
        &self,
        status: u16,
        locations: &[&[u8]],
        tenant_prefix: &str,
    ) -> Option<Redirected> {
        self.redirected_from(status, locations, tenant_prefix, || None)
    }

    /// The same with the path of the request to the backend, by which a relative `Location` is read
    /// (RFC 9110, section 10.2.2). It is requested only then.
    pub fn redirected_from(
        &self,
        status: u16,
        locations: &[&[u8]],
        tenant_prefix: &str,
        requested: impl FnOnce() -> Option<String>,
    ) -> Option<Redirected> {
        let redirects = matches!(status, 300..=399) && status != 304;
        redirects.then(|| redirect::evaluate(&self.redirects, locations, tenant_prefix, requested))
    }
}

/// The kinds of backend whose cache can be read from their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// Files, all of which are there.
    Static,
    /// goproxy/goproxy.
    Goproxy,
    /// Athens.
    Athens,
}
