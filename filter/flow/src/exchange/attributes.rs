//! What the proxy's attributes say of a response (Envoy: "Attributes").

use modgate_engine::telemetry::Ending;
use modgate_go::http::headers::HOST_METADATA;

use crate::host::{Host, Message};

/// The bits of Envoy's `response.flags` for "the client closed the connection" and "the client reset the
/// stream", as one of HTTP/2 does (`DownstreamConnectionTermination`, `DownstreamRemoteReset`).
const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;

/// What the upstream host that answers says of whose it is ([`HOST_METADATA`]).
pub(super) fn upstream_backend(host: &dyn Host) -> Option<Vec<u8>> {
    let [namespace, key] = HOST_METADATA;
    let path = [
        "xds",
        "upstream_host_metadata",
        "filter_metadata",
        namespace,
        key,
    ];
    host.attribute(&path).filter(|name| !name.is_empty())
}

/// How many upstream hosts were tried for this request, one after the other.
pub(super) fn upstream_attempts(host: &dyn Host) -> u64 {
    number(host, &["upstream", "request_attempt_count"]).unwrap_or_default()
}

/// Whether the client was sent so many bytes as the response's body, as far as the proxy says. An encoding that
/// a filter nearer to the client has put on them makes another number of them.
pub(super) fn has_sent(host: &dyn Host, bytes: u64) -> bool {
    let Some(sent) = number(host, &["response", "size"]) else {
        return true;
    };
    sent == bytes || host.header(Message::Response, "content-encoding").is_some()
}

/// Who broke off a response whose end was not seen. Read only then, since it costs a call.
pub(super) fn ending_of_broken(host: &dyn Host) -> Ending {
    match number(host, &["response", "flags"]) {
        Some(flags) if flags & CLIENT_GONE != 0 => Ending::ClientGone,
        _ => Ending::Broken,
    }
}

/// An attribute that is a number: Envoy hands over its eight bytes.
fn number(host: &dyn Host, path: &[&str]) -> Option<u64> {
    let bytes = host.attribute(path)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}
