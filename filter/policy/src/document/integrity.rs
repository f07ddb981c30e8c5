//! What the document demands of the files that are served.

use serde::Deserialize;

use super::Text;

/// `integrity`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IntegrityDoc {
    /// What happens to a file with a wrong hash.
    pub mode: ModeDoc,
    /// Lines of a go.sum, which take precedence over everything else.
    #[serde(default)]
    pub pins: Vec<Text>,
    /// The modules for which the first hash seen is the expected one.
    pub first_seen: Option<Vec<Text>>,
    /// Whether the first hash of a file counts for the backend that it came from (the default), or for all
    /// backends.
    pub first_seen_scope: Option<ScopeDoc>,
    /// What happens in `enforce` to a file whose first hash does not fit in memory; the default is `refuse`.
    pub on_no_room: Option<UnknownDoc>,
    /// The checksum database to look hashes up in.
    pub sumdb: Option<DatabaseDoc>,
    /// The modules that are not looked up in it.
    pub private: Option<Vec<Text>>,
    /// What happens in `enforce` to a file without a known hash.
    pub on_unknown: Option<UnknownDoc>,
    /// Whether the proxy lets a filter hold the response headers while the body arrives: Envoy's option
    /// of this name in the filter's configuration.
    pub allow_on_headers_stop_iteration: Option<bool>,
}

/// `sumdb`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DatabaseDoc {
    /// Its verifier key, as `GOSUMDB` has it.
    pub key: Text,
    /// The backend through which it is queried.
    pub backend: Text,
    /// Whether that backend is a Go proxy that serves the database, not the database itself.
    pub proxied: Option<bool>,
    /// The host to send; the default is the backend's `authority`, else the host in the database's name.
    pub authority: Option<Text>,
    /// How long a lookup may take.
    pub timeout: Option<Text>,
    /// What happens in `enforce` to a file for which the database gives no hash; the default is `refuse`.
    pub on_unavailable: Option<UnknownDoc>,
}

/// `mode`, and a tenant's `integrity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ModeDoc {
    /// Nothing is checked.
    Off,
    /// A wrong file is counted, logged and served.
    Shadow,
    /// A wrong file does not reach the client completely.
    Enforce,
}

/// `first_seen_scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScopeDoc {
    /// Each backend has a first hash of its own.
    Backend,
    /// There is one for all backends.
    All,
}

/// `on_unknown`, `on_unavailable` and `on_no_room`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum UnknownDoc {
    /// It is refused.
    Refuse,
    /// It is served and counted, if nothing else refuses it.
    Allow,
}
