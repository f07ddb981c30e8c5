//! Headers of requests, and the names that Modgate speaks on the wire.

mod authority;
mod header;
pub mod headers;
mod names;

pub use authority::split_authority;
pub use header::{Header, HeaderValue, value_of};
pub use names::{is_modgate_header, is_same_header};
