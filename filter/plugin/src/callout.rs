//! Requests that the filter makes itself, to the proxy's clusters.

use std::time::Duration;

use modgate_engine::judge::{Header, value_of};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::host;

/// A request that is under way. Its answer comes by this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) u32);

/// What came of it.
pub(crate) struct Answered {
    /// The status; `None` where no answer came in time, or none at all.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<Header>,
    /// The whole body; `None` where it is larger than what was asked for, or was not handed over.
    pub(crate) body: Option<Vec<u8>>,
}

/// Asks a cluster with GET. `None` where the proxy does not take the request: it has no such cluster.
pub(crate) fn get(cluster: &str, authority: &str, path: &str, timeout: Duration) -> Option<Token> {
    let headers = vec![
        (":method", "GET"),
        (":path", path),
        (":authority", authority),
        ("user-agent", "modgate"),
    ];
    hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), timeout)
        .map_err(|status| host::report("asking a cluster", status))
        .ok()
        .map(Token)
}

impl Answered {
    /// Reads the answer that the proxy has just announced, of which at most `limit` bytes are wanted.
    pub(crate) fn read(headers: usize, size: usize, limit: usize) -> Self {
        if headers == 0 {
            return Self {
                status: None,
                headers: Vec::new(),
                body: None,
            };
        }
        let headers = host::headers(MapType::HttpCallResponseHeaders);
        let status = value_of(&headers, ":status");
        let status = status.and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        Self {
            status,
            body: (size <= limit)
                .then(|| host::body(BufferType::HttpCallResponseBody, size))
                .flatten(),
            headers,
        }
    }
}
