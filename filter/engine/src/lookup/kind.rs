//! What a request that waits wants to know.

use modgate_go::goproxy::Operation;

/// What the client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupKind {
    /// The version list.
    List,
    /// The latest version.
    Latest,
    /// What a branch, a commit or the beginning of a version is.
    Query(String),
    /// The `.info` of a version.
    Info(String),
    /// The go.mod file of a version.
    GoMod(String),
    /// The zip of a version.
    Zip(String),
}

impl LookupKind {
    /// What is to be found out for a request where the rules do not say the same of every version.
    pub(crate) fn of(operation: &Operation<'_>) -> Option<Self> {
        match operation {
            Operation::List { .. } => Some(Self::List),
            Operation::Latest { .. } => Some(Self::Latest),
            Operation::Info { query, .. } => Some(match operation.canonical_version() {
                Some(version) => Self::Info(version.to_owned()),
                None => Self::Query(query.to_string()),
            }),
            Operation::Mod { version, .. } => Some(Self::GoMod(version.to_string())),
            Operation::Zip { version, .. } => Some(Self::Zip(version.to_string())),
            Operation::Sumdb { .. } => None,
        }
    }
}
