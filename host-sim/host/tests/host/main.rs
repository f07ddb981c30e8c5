//! The host, tried with small guests: each family of hostcalls, with good arguments and hostile
//! ones, and Envoy's way with streams.

mod abi_versions;
mod bodies;
mod callouts;
mod failures;
mod grpc;
mod guest;
mod headers;
mod hostile;
mod lifecycle;
mod local_replies;
mod metrics;
mod properties;
mod random;
mod sharing;
mod support;
mod timers;
mod wasi;
