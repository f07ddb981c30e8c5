//! gRPC as Envoy's own client speaks it (`source/common/grpc`): frames, the service that a filter names,
//! headers and statuses.

mod frames;
mod request;
mod service;
mod status;

pub(crate) use frames::Decoder;
pub use frames::frame;
pub(crate) use request::request_headers;
pub(crate) use service::{Service, Unusable};
pub(crate) use status::{Status, message_of, status_of_http};
