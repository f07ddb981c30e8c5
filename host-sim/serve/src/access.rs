//! What became of one request, for those who watch.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use envoy_wasm_host::StreamSummary;
use jiff::Timestamp;
use serde_json::Value;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// The client.
    pub client: SocketAddr,
    /// The method.
    pub method: String,
    /// The path as the client sent it, query included; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// The status that the client got; `None` where it got none.
    pub status: Option<u16>,
    /// The cluster that got the request; `None` where none did.
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
    /// What the filter says of the request: the inside of a JSON string that goes on in further
    /// members; `None` where it saw nothing of it.
    pub members: Option<String>,
}

impl AccessRecord {
    pub(super) fn new(client: SocketAddr, summary: StreamSummary, property: Option<&str>) -> Self {
        let header = |name: &str| {
            let value = summary.request_headers.get(name);
            value.map_or_else(String::new, |v| String::from_utf8_lossy(v).into_owned())
        };
        Self {
            client,
            method: header(":method"),
            request_id: header("x-request-id"),
            path: String::from_utf8_lossy(&summary.original_path).into_owned(),
            members: property.and_then(|name| members(&summary, name)),
            status: summary.status,
            cluster: summary.cluster,
            from_upstream: summary.from_upstream,
            code_details: summary.code_details,
            request_bytes: summary.request_bytes,
            response_bytes: summary.response_bytes,
            duration: summary.duration,
        }
    }

    /// A line of JSON, in which what the filter says is the last member, of this name.
    pub fn to_json(&self, member: &str) -> String {
        let ended = Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        let began = ended.saturating_sub(self.duration).unwrap_or(ended);
        let text = |text: &str| Value::from(text).to_string();
        let or_dash = |value: &str| text(if value.is_empty() { "-" } else { value });
        format!(
            "{{\"time\":\"{began:.3}\",\"status\":{},\"duration_ms\":{},\"bytes\":{},\"details\":{},\
             \"cluster\":{},{}:\"{}\"}}",
            self.status.unwrap_or_default(),
            self.duration.as_millis(),
            self.response_bytes,
            text(&self.code_details),
            or_dash(self.cluster.as_deref().unwrap_or_default()),
            text(member),
            self.members.as_deref().unwrap_or("-"),
        )
    }
}

/// Only what surely keeps the line one of JSON: any filter may leave something under this name.
fn members(summary: &StreamSummary, property: &str) -> Option<String> {
    let name = format!("wasm.{property}");
    let left = summary.filter_state.get(name.as_bytes())?;
    let text = std::str::from_utf8(left).ok()?;
    let line: Value = serde_json::from_str(&format!("{{\"members\":\"{text}\"}}")).ok()?;
    (line.is_object() && !text.contains('\n')).then(|| text.to_owned())
}
