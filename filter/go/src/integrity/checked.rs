//! A file that is to be checked, and against what.

use crate::gomod::{Artifact, H1, ModuleVersion};

/// A file that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The module's version.
    pub module: ModuleVersion,
    /// Which of its files.
    pub artifact: Artifact,
    /// What it is compared with.
    pub evidence: Evidence,
    /// Whose first hash it is.
    pub remembered: RememberedBy,
    /// Whether it must not reach the client where it is wrong.
    pub enforce: bool,
    /// Whether that holds where nothing is known of it, too.
    pub refuse_unknown: bool,
    /// Whether that holds where its first hash finds no room.
    pub refuse_no_room: bool,
    /// Whether that holds where the checksum database says nothing of it.
    pub refuse_unavailable: bool,
    /// Whether the answer's headers can be held until the body is evaluated.
    pub holds_headers: bool,
}

/// Whose a first hash is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RememberedBy {
    /// The backend that it was seen of; `None` where one hash counts for all of them.
    pub source: Option<String>,
    /// The tenant whose room it takes.
    pub tenant: String,
}

/// What a hash is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The hash that the policy gives.
    Pin(H1),
    /// The hash that the checksum database proves.
    Sumdb {
        /// Whether it is the one that was seen first where the database says nothing and need not.
        or_first_seen: bool,
    },
    /// The hash that was seen first.
    FirstSeen,
}

impl Evidence {
    /// The value of the label `evidence`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin(_) => "pin",
            Self::Sumdb { .. } => "sumdb",
            Self::FirstSeen => "first_seen",
        }
    }
}
