//! `connection.*` and `upstream.*`.

use super::lookup::{address, leaf};
use crate::context::Stream;
use crate::property::Value;
use crate::types::Status;

pub(super) fn connection(stream: &Stream, rest: &[&str]) -> Result<Value, Status> {
    let (first, deeper) = rest.split_first().ok_or(Status::NotFound)?;
    let downstream = &stream.downstream;
    let tls = downstream.tls.as_ref();
    let text = |value: Option<&String>| value.map(Value::text);
    let value = match *first {
        "id" => Some(Value::Uint(downstream.connection_id)),
        "mtls" => Some(Value::Bool(tls.is_some_and(|tls| tls.peer.is_some()))),
        "requested_server_name" => text(tls.map(|tls| &tls.requested_server_name)),
        "tls_version" => text(tls.map(|tls| &tls.version)),
        peer => {
            let known = tls.and_then(|tls| tls.peer.as_ref());
            match peer {
                "subject_peer_certificate" => text(known.map(|peer| &peer.subject)),
                "uri_san_peer_certificate" => text(known.and_then(|peer| peer.uri_sans.first())),
                "dns_san_peer_certificate" => text(known.and_then(|peer| peer.dns_sans.first())),
                "sha256_peer_certificate_digest" => text(known.map(|peer| &peer.sha256_digest)),
                _ => None,
            }
        }
    };
    leaf(value, deeper)
}

pub(super) fn upstream(stream: &Stream, rest: &[&str]) -> Result<Value, Status> {
    match rest {
        ["transport_failure_reason"] => {
            let reason = &stream.info.transport_failure;
            leaf((!reason.is_empty()).then(|| Value::text(reason)), &[])
        }
        ["request_attempt_count"] => {
            let attempts = stream.info.upstream_attempts;
            let at_least = u64::from(stream.info.upstream_started.is_some());
            Ok(Value::Uint(attempts.max(at_least)))
        }
        rest => address(stream.info.upstream_address, rest),
    }
}
