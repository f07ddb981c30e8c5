//! Requests that the filter makes itself, to the proxy's clusters.

use std::time::Duration;

use modgate_engine::backend_query;
use modgate_engine::lookup::Fetched;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::host;
use modgate_go::http::{Header, value_of};

/// How long a backend may take for an answer: what Envoy gives a request that it passes on
/// (`stream_idle_timeout`), and `modgate serve`. A proxy that has not got a module yet fetches it from its
/// repository meanwhile. It does have an end, since a callout outlives the client that left.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A request that is under way. Its answer comes by this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) u32);

/// What came of it.
pub(crate) struct Answered {
    /// The status; `None` where no answer came in time, or none at all.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<Header>,
    /// The whole body, without its content coding; `Err` says why there is none.
    pub(crate) body: Result<Vec<u8>, String>,
    /// Whether another place has answered than the one that was asked first.
    pub(crate) was_sent_on: bool,
}

/// Asks a cluster with GET. `None` where the proxy does not take the request: it has no such cluster.
pub(crate) fn get(
    cluster: &str,
    authority: &str,
    path: &str,
    headers: &[Header],
    timeout: Duration,
) -> Option<Token> {
    let mut all = vec![
        (":method", "GET"),
        (":path", path),
        (":authority", authority),
    ];
    all.extend(headers.iter().filter_map(|(name, value)| {
        // The questions' headers are text, so none is lost.
        Some((name.as_str(), std::str::from_utf8(value).ok()?))
    }));
    hostcalls::dispatch_http_call(cluster, all, None, Vec::new(), timeout)
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
                body: Err("it did not answer".to_owned()),
                was_sent_on: false,
            };
        }
        let headers = host::headers(MapType::HttpCallResponseHeaders);
        let status = value_of(&headers, ":status");
        let status = status.and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        Self {
            status,
            body: body(&headers, size, limit).map_err(ToOwned::to_owned),
            headers,
            was_sent_on: false,
        }
    }

    /// The same for the engine.
    pub(crate) fn fetched(&self) -> Fetched<'_> {
        let last_modified = value_of(&self.headers, "last-modified");
        Fetched {
            status: self.status,
            body: self.body.as_deref().ok(),
            why_no_body: self.body.as_ref().err().map(String::as_str),
            last_modified: last_modified.and_then(|value| std::str::from_utf8(value).ok()),
            headers: &self.headers,
        }
    }
}

fn body(headers: &[Header], size: usize, limit: usize) -> Result<Vec<u8>, &'static str> {
    if size > limit {
        return Err("its answer is too long");
    }
    let body = host::body(BufferType::HttpCallResponseBody, size);
    backend_query::decode(headers, body.ok_or("its answer did not come whole")?, limit)
}
