//! Backends: where a request can go, and how the answers tell of the backend's cache.

use std::time::Duration;

/// One backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its place among the policy's backends.
    pub id: usize,
    /// Its name in the document and in metrics.
    pub name: String,
    /// The cluster as the proxy names it.
    pub cluster: String,
    /// What stands before the module path in its URLs: empty, or with a leading slash only.
    pub base_path: String,
    /// What kind of server it is, where the document says.
    pub kind: Option<BackendKind>,
    /// The response headers that tell of its cache, in lower case.
    pub cache_headers: Vec<String>,
    /// An answer that begins sooner is taken for a hit, where nothing else tells.
    pub hit_below: Option<Duration>,
}

/// The kinds of backend whose cache can be told from their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// Files, all of which are there.
    Static,
    /// goproxy/goproxy.
    Goproxy,
    /// Athens.
    Athens,
}
