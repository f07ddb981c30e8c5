//! What became of one request, for those who watch.

use std::net::SocketAddr;
use std::time::Duration;

use crate::effect::StreamSummary;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// Who asked.
    pub client: SocketAddr,
    /// The method.
    pub method: String,
    /// The path as the client sent it, query included; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// The status that the client got; `None` where it got none.
    pub status: Option<u16>,
    /// The cluster that was asked; `None` where none was.
    pub cluster: Option<String>,
    /// Whether the response came from the cluster, rather than from the filter or the proxy.
    pub from_upstream: bool,
    /// Why the response is what it is, in Envoy's words.
    pub code_details: String,
    /// The bytes of the request's body.
    pub request_bytes: u64,
    /// The bytes of the response's body.
    pub response_bytes: u64,
    /// From the request's headers to the end.
    pub duration: Duration,
    /// The request's `x-request-id`.
    pub request_id: String,
}

impl AccessRecord {
    pub(super) fn new(client: SocketAddr, summary: StreamSummary) -> Self {
        let header = |name: &str| {
            let value = summary.request_headers.get(name);
            value.map_or_else(String::new, |v| String::from_utf8_lossy(v).into_owned())
        };
        Self {
            client,
            method: header(":method"),
            request_id: header("x-request-id"),
            path: String::from_utf8_lossy(&summary.original_path).into_owned(),
            status: summary.status,
            cluster: summary.cluster,
            from_upstream: summary.from_upstream,
            code_details: summary.code_details,
            request_bytes: summary.request_bytes,
            response_bytes: summary.response_bytes,
            duration: summary.duration,
        }
    }
}
