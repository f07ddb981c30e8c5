//! What a lookup is for.

use modgate_go::goproxy::Operation;

/// The file that the client requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupKind {
    /// The version list.
    List,
    /// The latest version.
    Latest,
    /// The version of a branch, a commit or the beginning of a version.
    Query(String),
    /// The `.info` of a version.
    Info(String),
    /// The go.mod file of a version.
    GoMod(String),
    /// The zip of a version.
    Zip(String),
}

impl LookupKind {
    /// The kind of lookup for a request, if the rules do not treat every version alike.
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
