//! The checksum database that the filter asks itself.

use std::time::Duration;

use super::ids::BackendId;
use modgate_go::sumdb::VerifierKey;

/// A database, how it is asked, and about what.
#[derive(Clone, Debug)]
pub struct Database {
    /// Who signs what it says.
    pub key: VerifierKey,
    /// The backend at which it is asked.
    pub backend: BackendId,
    /// What stands before its own paths: empty, or with a leading slash only.
    pub prefix: String,
    /// The host that is asked for.
    pub authority: String,
    /// How long a lookup may take, all its questions together.
    pub timeout: Duration,
    /// Whether a file that it says nothing of is refused, where the mode enforces.
    pub refuse_unavailable: bool,
}
