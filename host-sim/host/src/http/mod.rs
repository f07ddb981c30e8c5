//! Messages as a filter sees them: header maps and bodies.

mod body;
mod headers;
mod local_reply;

pub use body::Body;
pub use headers::Headers;
pub(crate) use local_reply::{LocalReply, is_grpc_request};
