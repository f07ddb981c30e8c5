//! Backends.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Text;

/// One of `backends`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BackendDoc {
    /// The cluster as the proxy names it.
    pub cluster: Text,
    /// The path before the module path in the backend's URLs.
    pub base_path: Option<Text>,
    /// The host, with or without a port, to send to the backend; the default is the client's.
    pub authority: Option<Text>,
    /// Request headers that the proxy adds, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderDoc>,
    /// Headers of the client's request to forward in addition to those that every backend gets.
    #[serde(default)]
    pub forward_headers: Vec<Text>,
    /// Whether it is a public backend, which should not receive private names.
    pub public: Option<bool>,
    /// The kind of backend, which determines how its cache status is read from its responses.
    pub kind: Option<KindDoc>,
    /// Response headers with the cache status; the first one present decides.
    #[serde(default)]
    pub cache_status: Vec<Text>,
    /// The redirects that the backend may send; every other redirect is refused.
    #[serde(default)]
    pub redirects: Vec<RedirectDoc>,
    /// The source of a version's age; the default is its `.info`.
    pub age: Option<AgeDoc>,
    /// A response that begins sooner than this counts as a hit, if nothing else shows the cache status.
    pub hit_below: Option<Text>,
}

/// One of a backend's `headers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeaderDoc {
    /// The proxy's name for the value. The value itself is never in a policy.
    pub secret: Text,
}

/// The source of a version's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgeDoc {
    /// `Time` in its `.info`: the commit time by the author's clock.
    Info,
    /// The header `Last-Modified` of its `.info`: when the backend fetched it, if it sends that.
    LastModified,
}

/// One of a backend's `redirects`. Exactly one of `rewrite` and `pass`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::one_way))]
#[serde(deny_unknown_fields)]
pub struct RedirectDoc {
    /// The target: the beginning of a URL, or of a path on the backend itself.
    pub to: Text,
    /// The path after the tenant's prefix that replaces it, so that the client stays at this proxy.
    pub rewrite: Option<Text>,
    /// Whether the client is redirected there, past the filter.
    pub pass: Option<bool>,
}

/// The kinds of backend whose cache status can be read from their responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum KindDoc {
    /// Files, which are always present.
    Static,
    /// goproxy/goproxy: cached responses have `Last-Modified`.
    Goproxy,
    /// Athens: in redirect mode a redirect is a miss; otherwise unknown.
    Athens,
}
