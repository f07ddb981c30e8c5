//! Module paths and versions, exactly as the Go command and `golang.org/x/mod/module` know them.
//!
//! A name that is accepted here is one that `go` could have asked for; every other is refused.

mod element;
mod escape;
pub mod path;
pub mod semver;
pub mod version;

pub use escape::{escape_into, unescape};
pub use path::check_path;
pub use version::{check_query, is_canonical_for};
