//! One file's check, while it passes, and what it is held against.
//!
//! - [`go_mod`]: the hash of a `go.mod` file; that of a zip is [`zip`](crate::zip)'s.
//! - [`check`]: the check; [`seen`]: hashes remembered.

pub mod check;
mod checked;
pub mod go_mod;
pub mod seen;

pub use check::{Check, Remembered, Verdict};
pub use checked::{Checked, Evidence, RememberedBy};
pub use go_mod::GoModHasher;
pub use seen::{Record, Seen, Share};
