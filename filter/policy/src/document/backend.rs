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
    /// What stands before the module path in the backend's URLs.
    pub base_path: Option<Text>,
    /// The host, with or without a port, that the backend is asked as; without it the client's.
    pub authority: Option<Text>,
    /// Request headers that the proxy adds, by their names.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderDoc>,
    /// Headers of the client's request that it gets beside those that every backend gets.
    #[serde(default)]
    pub forward_headers: Vec<Text>,
    /// Whether it is one that everybody shares, to which no private name should be led.
    pub public: Option<bool>,
    /// What the backend is, which tells how its cache is read off its answers.
    pub kind: Option<KindDoc>,
    /// Response headers that tell of the cache, the first that is there decides.
    #[serde(default)]
    pub cache_status: Vec<Text>,
    /// Where the backend may redirect to; every other redirect is refused.
    #[serde(default)]
    pub redirects: Vec<RedirectDoc>,
    /// What tells the age of a version; its `.info` does.
    pub age: Option<AgeDoc>,
    /// An answer that begins sooner than this is taken for a hit, where nothing else tells.
    pub hit_below: Option<Text>,
}

/// One of a backend's `headers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeaderDoc {
    /// The name by which the proxy knows the value. The value itself is never in a policy.
    pub secret: Text,
}

/// What tells the age of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgeDoc {
    /// `Time` in its `.info`, which is the time of the commit, by the author's clock.
    Info,
    /// The header `Last-Modified` of its `.info`: when the backend got it, where it says so.
    LastModified,
}

/// One of a backend's `redirects`. Exactly one of `rewrite` and `pass`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::one_way))]
#[serde(deny_unknown_fields)]
pub struct RedirectDoc {
    /// The place: the beginning of a URL, or of a path on the backend itself.
    pub to: Text,
    /// The path behind the tenant's prefix that takes its place, so that the client stays here.
    pub rewrite: Option<Text>,
    /// Whether the client is sent there as the backend says, past the filter.
    pub pass: Option<bool>,
}

/// The kinds of backend whose cache can be told from their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum KindDoc {
    /// Files, all of which are there.
    Static,
    /// goproxy/goproxy: `Last-Modified` comes with what was cached.
    Goproxy,
    /// Athens: in redirect mode a redirect is a miss; else nothing tells.
    Athens,
}
