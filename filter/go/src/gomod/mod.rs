//! Module paths and versions, exactly as the Go command and `golang.org/x/mod/module` know them.
//!
//! A name that is accepted here is one that `go` could have asked for; every other is refused. Beside
//! names: the hashes that `go.sum` has of modules, and the versions that a `go.mod` retracts.

mod bytes;
mod case;
mod element;
mod escape;
mod file_path;
mod go_mod;
mod go_sum;
mod h1;
mod module_version;
mod name_error;
pub mod path;
pub mod retract;
pub mod semver;
mod shorten;
pub mod version;

pub use bytes::is_path_byte;
pub(crate) use bytes::{Bytes, split_at_first, split_at_last};
pub use case::fold_case;
pub use escape::{escape_into, unescape};
pub use file_path::check_file_path;
pub use go_mod::{Directive, Token, directives};
pub use go_sum::{Artifact, GoSum, GoSumLine};
pub(crate) use h1::Lines;
pub use h1::{H1, NotH1};
pub use module_version::ModuleVersion;
pub use name_error::NameError;
pub use path::check_path;
pub use shorten::shorten;
pub use version::{Majors, check_query, is_canonical_for};
