//! Go module proxies made here: generated modules, the file tree that holds them, a server for it.
//!
//! Tests and the demonstration need backends that are small, real and the same every time. In
//! reading order:
//!
//! - [`Module`]: one version of a module, described by what it holds;
//! - [`Tree`]: modules written as the files of a [GOPROXY](https://go.dev/ref/mod#goproxy-protocol);
//! - [`samples`]: the modules of the demonstration, public and private;
//! - [`Server`]: serves such a tree, or any `$GOMODCACHE/cache/download`, and records what it was
//!   asked;
//! - [`Go`] and [`Sandbox`]: the real `go` command, run so that nothing of the user's is read or
//!   changed.

mod archive;
mod error;
mod go;
mod module;
pub mod samples;
mod sandbox;
mod server;
mod tree;

pub use error::Error;
pub use go::Go;
pub use module::Module;
pub use sandbox::{Outcome, Sandbox};
pub use server::{Fault, Recorded, Server};
pub use tree::Tree;
