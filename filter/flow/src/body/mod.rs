//! The check of a file while it streams.
//!
//! In reading order: `verifier` lets the bytes of a body go on but for those that are held back until the hash is
//! known, `sumdb_lookup` requests beside it what the checksum database says, `awaiting_sumdb` is a file that has
//! ended before that is known, `verdict` what it came to; `first_seen` keeps hashes where nobody else knows them.

mod awaiting_sumdb;
mod first_seen;
mod sumdb_lookup;
mod verdict;
mod verifier;

pub(crate) use awaiting_sumdb::AwaitingSumdb;
pub(crate) use verdict::FileVerdict;
pub(crate) use verifier::{BodyVerifier, prepare_request};

use crate::wake::{MoreToCome, PendingCall};

/// What becomes of a response whose file is checked.
pub(crate) enum BodyStep {
    /// What there is of it goes on, and is checked further.
    Continue(Box<BodyVerifier>),
    /// It waits, headers and all, for the rest of its body or its trailers.
    AwaitRest(Box<BodyVerifier>, MoreToCome),
    /// It waits, to the last byte, for what the checksum database says.
    AwaitSumdb(Box<AwaitingSumdb>, PendingCall),
    /// It has its verdict, and goes on.
    Passed(FileVerdict),
    /// It has its verdict, and must not go on.
    Refused {
        verdict: FileVerdict,
        /// Whether the client has seen nothing of it yet.
        unseen: bool,
    },
}
