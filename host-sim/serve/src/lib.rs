//! The proxy: sockets and a clock around workers.
//!
//! As in Envoy each worker thread has an event loop, a VM and connections of its own, and nothing
//! stands between a request and its VM that another thread could hold.
//!
//! Layers, lowest first: error, lengths, repeated, request_id, channel, clusters, origin, access, config, backends, framing, convert,
//! connect, shared, upstream, callout, grpc, vm, slot, stream, thread, admin, policy_watch, server.

mod access;
mod admin;
mod backends;
mod callout;
mod channel;
pub mod clusters;
mod config;
mod connect;
mod convert;
mod error;
mod framing;
mod grpc;
mod lengths;
mod origin;
mod policy_watch;
mod repeated;
mod request_id;
mod server;
mod shared;
mod slot;
mod stream;
mod thread;
mod upstream;
mod vm;

pub use access::AccessRecord;
pub use backends::header_in;
pub use config::{
    AccessLog, Conventions, LineLog, ModuleSource, Policy, PolicyFormat, PolicyReader, ServeConfig,
    Upstream,
};
pub use connect::{Connector, Proxies, connector, tls_config};
pub use error::ServeError;
pub use origin::port;
pub use server::Server;
pub use upstream::innermost;
