//! From the bytes of a request to an operation on a module, or to the reason why it is none.
//!
//! The forms are those of the module reference's "GOPROXY protocol" and of the checksum database
//! that a proxy may carry; every other is refused. Reading goes in one direction: percent-decoding
//! once ([`Target`]), the prefixes of tenant and route, then the endpoint ([`Operation`]).

mod error;
mod operation;
mod sumdb;
mod target;

pub use error::RequestError;
pub use operation::{Mutability, Operation, OperationName};
pub use sumdb::SumdbCall;
pub use target::{MAX_PATH_BYTES, Target};
