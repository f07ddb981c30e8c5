//! The proxy: sockets and a clock around workers.

mod config;

pub use config::{AccessLog, LineLog, ModuleSource, Policy, ServeConfig, Upstream};

/// What became of one request.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// What the stream says of itself.
    pub summary: crate::StreamSummary,
}
