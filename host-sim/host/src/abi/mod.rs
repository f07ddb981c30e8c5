//! The hostcalls, one module for each family. Each converts its arguments, checks them, acts, and
//! writes into the guest's memory last.

mod buffers;
mod call;
mod effective_context;
mod foreign;
mod grpc;
mod header_maps;
mod http_callouts;
mod link;
mod log;
mod metrics;
mod properties;
mod queues;
mod shared_data;
mod stream_control;
mod timers;
mod wasi;

pub(crate) use link::linker;
