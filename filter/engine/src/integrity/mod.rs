//! The hash of a module's files, taken while they pass, and what it is held against.
//!
//! - [`h1`]: the hash itself, as `go.sum` writes it.
//! - [`go_mod`]: of a `go.mod` file; [`zip`]: of a module's zip, as it streams.
//! - [`go_sum`]: the hashes that somebody has written down.
//! - [`plan`]: what the policy wants checked; [`check`]: one file's check; [`seen`]: hashes remembered.

pub mod check;
mod checked;
pub mod go_mod;
pub mod go_sum;
pub mod h1;
pub mod plan;
pub mod seen;
pub mod zip;

pub use check::{Check, Remembered, Verdict};
pub use checked::{Checked, Evidence, RememberedBy};
pub use go_mod::GoModHasher;
pub use go_sum::{Artifact, GoSum, GoSumLine};
pub use h1::H1;
pub use plan::{Mode, Plan};
pub use seen::{Record, Seen, Share};
pub use zip::{ZipError, ZipHasher, ZipSummary};
