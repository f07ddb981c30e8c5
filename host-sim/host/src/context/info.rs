//! What is known of a stream besides its messages (Envoy's `StreamInfo`).

use std::net::SocketAddr;
use std::time::Duration;

use crate::property::Value;

/// Envoy's response flags (`envoy/stream_info/stream_info.h`), the bits of `response.flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u64);

impl Flags {
    pub(crate) const UPSTREAM_TIMEOUT: Self = Self(1 << 2);
    pub(crate) const UPSTREAM_REMOTE_RESET: Self = Self(1 << 4);
    pub(crate) const UPSTREAM_CONNECTION_FAILURE: Self = Self(1 << 5);
    pub(crate) const UPSTREAM_CONNECTION_TERMINATION: Self = Self(1 << 6);
    pub(crate) const NO_ROUTE: Self = Self(1 << 8);
    pub(crate) const DOWNSTREAM_TERMINATION: Self = Self(1 << 14);
    pub(crate) const STREAM_IDLE_TIMEOUT: Self = Self(1 << 16);
    pub(crate) const DOWNSTREAM_PROTOCOL_ERROR: Self = Self(1 << 18);
    pub(crate) const UPSTREAM_PROTOCOL_ERROR: Self = Self(1 << 23);
    pub(crate) const NO_CLUSTER: Self = Self(1 << 24);

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }
}

/// Times are those of the proxy's monotonic clock, but for `start_wall`.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamInfo {
    pub start: Duration,
    pub start_wall: Duration,
    pub original_path: Vec<u8>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub status: Option<u16>,
    pub code_details: String,
    pub flags: Flags,
    pub from_upstream: bool,
    pub cluster: Option<String>,
    pub upstream_address: Option<SocketAddr>,
    /// What the upstream's host says of itself, by namespace.
    pub upstream_metadata: Vec<(String, Value)>,
    /// How many upstreams were tried, the last one included.
    pub upstream_attempts: u64,
    pub upstream_started: Option<Duration>,
    /// When the upstream's response had come whole.
    pub upstream_last_byte: Option<Duration>,
    pub transport_failure: String,
    pub ended: bool,
}

impl StreamInfo {
    /// From the first byte that went upstream to the last that came back.
    pub(crate) fn backend_latency(&self) -> Option<Duration> {
        Some(
            self.upstream_last_byte?
                .saturating_sub(self.upstream_started?),
        )
    }
}
