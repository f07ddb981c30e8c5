//! What the document demands of the files that are served.

use serde::Deserialize;

use super::Text;

/// `integrity`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IntegrityDoc {
    /// What happens to a file that is not what it should be.
    pub mode: ModeDoc,
    /// Lines of a go.sum, which count before everything else.
    #[serde(default)]
    pub pins: Vec<Text>,
    /// The modules whose first hash that was seen is the one that counts.
    pub first_seen: Option<Vec<Text>>,
    /// Whether the first hash of a file counts for the backend that it came from, which holds without
    /// this key, or for all of them.
    pub first_seen_scope: Option<ScopeDoc>,
    /// What happens to a file whose first hash finds no room, where files are enforced: it is refused.
    pub on_no_room: Option<UnknownDoc>,
    /// The checksum database that is asked for hashes.
    pub sumdb: Option<DatabaseDoc>,
    /// The modules that it is not asked about.
    pub private: Option<Vec<Text>>,
    /// What happens to a file that nothing is known of, where files are enforced.
    pub on_unknown: Option<UnknownDoc>,
    /// Whether the proxy lets a filter hold an answer's headers while its body comes: Envoy's option
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
    /// The backend at which it is asked.
    pub backend: Text,
    /// Whether that is a Go proxy which carries the database, and not the database itself.
    pub proxied: Option<bool>,
    /// The host that is asked for; without it the backend's `authority`, else the one in the database's name.
    pub authority: Option<Text>,
    /// How long a lookup may take.
    pub timeout: Option<Text>,
    /// What happens to a file that the database says nothing of, where files are enforced: it is
    /// refused.
    pub on_unavailable: Option<UnknownDoc>,
}

/// `mode`, and a tenant's `integrity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ModeDoc {
    /// Nothing is checked.
    Off,
    /// What is wrong is counted and logged, and served.
    Observe,
    /// What is wrong does not reach the client whole.
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
