//! Messages as a filter sees them: header maps and bodies.

mod body;
mod headers;

pub use body::Body;
pub use headers::Headers;
