//! Module paths and versions, exactly as the Go command and `golang.org/x/mod/module` know them.
//!
//! A name that is accepted here is one that `go` could have asked for; every other is refused.

mod bytes;
mod case;
mod element;
mod escape;
mod file_path;
mod module_version;
mod name_error;
pub mod path;
pub mod semver;
pub mod version;

pub(crate) use bytes::{Bytes, is_path_byte, split_at_first, split_at_last};
pub use case::fold_case;
pub use escape::{escape_into, unescape};
pub use file_path::check_file_path;
pub use module_version::ModuleVersion;
pub use name_error::NameError;
pub use path::check_path;
pub(crate) use version::Majors;
pub use version::{check_query, is_canonical_for};
