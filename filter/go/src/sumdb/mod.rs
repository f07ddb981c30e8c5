//! The checksum database: a log of the hashes of all module versions, which nobody can rewrite unseen
//! (Go's "Proposal: Secure the Public Go Module Ecosystem", RFC 6962).
//!
//! In reading order: `key` is whom the policy trusts, `note` a text that is signed, `tlog` the tree of
//! records, `tile` the pieces that it is handed out in, `proof` what pieces prove, `record` an answer to
//! a lookup. [`Lookup`] goes from question to question, without knowing how they are carried;
//! [`Memory`] is what it need not ask again.
//!
//! What is answered counts only as far as it is proved. Lines of hashes are read from the one record
//! whose hash stands in the tree, the tree is the one of a signed head, and that head contains, or is
//! contained in, the last one that was seen.

mod key;
mod lookup;
mod memory;
mod note;
mod proof;
mod record;
mod tile;
mod tlog;

pub use key::{NotAKey, VerifierKey};
pub use lookup::{Answer, Fetched, Lookup, Question, Step};
pub use memory::Memory;
pub use note::{NoteError, open};
pub use proof::{Authentic, Proof};
pub use record::{Record, RecordError, Sums};
pub use tile::{Hashes, MAX_BYTES as MAX_TILE_BYTES, Place};
pub use tlog::{Hash, Head, node_hash, record_hash, root_hash};

#[cfg(test)]
mod lookup_tests;
#[cfg(test)]
mod proof_tests;
#[cfg(test)]
pub(crate) mod testing;
