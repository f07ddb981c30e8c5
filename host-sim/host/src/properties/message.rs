//! `request.*` and `response.*`.

use std::time::Duration;

use super::lookup::leaf;
use crate::context::Stream;
use crate::http::Headers;
use crate::property::Value;
use crate::types::Status;

pub(super) fn request(stream: &Stream, now: Duration, rest: &[&str]) -> Result<Value, Status> {
    let (first, deeper) = rest.split_first().ok_or(Status::NotFound)?;
    let info = &stream.info;
    let headers = stream.readable_request_headers();
    let header = |name: &str| headers.and_then(|h| h.get(name)).map(bytes_of);
    let value = match *first {
        "path" => header(":path"),
        "url_path" => header(":path").map(|path| split_path(path).0),
        "query" => header(":path").map(|path| split_path(path).1),
        "host" => header(":authority"),
        "scheme" => header(":scheme"),
        "method" => header(":method"),
        "referer" => header("referer"),
        "useragent" => header("user-agent"),
        "id" => header("x-request-id"),
        "headers" => headers.map(map_of),
        "time" => Some(Value::Timestamp(info.start_wall)),
        "protocol" => Some(Value::text(stream.downstream.protocol.name())),
        "size" => Some(Value::Int(signed(request_size(stream, headers)))),
        "total_size" => Some(Value::Int(signed(
            info.request_bytes + headers.map_or(0, |h| h.byte_size() as u64),
        ))),
        // Known once the stream is over, as Envoy's requestComplete.
        "duration" => info
            .ended
            .then(|| Value::Duration(now.saturating_sub(info.start))),
        _ => None,
    };
    leaf(value, deeper)
}

pub(super) fn response(stream: &Stream, rest: &[&str]) -> Result<Value, Status> {
    let (first, deeper) = rest.split_first().ok_or(Status::NotFound)?;
    let info = &stream.info;
    let headers = stream.readable_response_headers();
    let trailers = stream.readable_response_trailers();
    let value = match *first {
        "code" => info.status.map(|code| Value::Int(code.into())),
        "code_details" => {
            (!info.code_details.is_empty()).then(|| Value::text(info.code_details.clone()))
        }
        "flags" => Some(Value::Int(signed(info.flags.bits()))),
        "headers" => headers.map(map_of),
        "trailers" => trailers.map(map_of),
        "size" => Some(Value::Int(signed(info.response_bytes))),
        "total_size" => Some(Value::Int(signed(
            info.response_bytes
                + headers.map_or(0, |h| h.byte_size() as u64)
                + trailers.map_or(0, |h| h.byte_size() as u64),
        ))),
        "grpc_status" => trailers
            .and_then(|t| t.get("grpc-status"))
            .or_else(|| headers.and_then(|h| h.get("grpc-status")))
            .and_then(|v| std::str::from_utf8(v).ok()?.parse().ok())
            .map(Value::Int),
        "backend_latency" => info.backend_latency().map(Value::Duration),
        _ => None,
    };
    leaf(value, deeper)
}

fn bytes_of(value: &bytes::Bytes) -> Value {
    Value::Bytes(value.to_vec())
}

/// Several values of one name are joined with a comma, as Envoy's header attribute does.
fn map_of(headers: &Headers) -> Value {
    let mut members: Vec<(String, Value)> = Vec::with_capacity(headers.len());
    for (name, value) in headers.iter() {
        let name = String::from_utf8_lossy(name).into_owned();
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, Value::Bytes(joined))) => {
                joined.push(b',');
                joined.extend_from_slice(value);
            }
            _ => members.push((name, bytes_of(value))),
        }
    }
    Value::Map(members)
}

/// The path without its query, and the query without its question mark.
fn split_path(path: Value) -> (Value, Value) {
    let Value::Bytes(path) = path else {
        return (path, Value::text(""));
    };
    let mut parts = path.splitn(2, |byte| *byte == b'?');
    let mut next = || Value::Bytes(parts.next().unwrap_or_default().to_vec());
    (next(), next())
}

/// The declared length where there is one, else what came so far.
fn request_size(stream: &Stream, headers: Option<&Headers>) -> u64 {
    headers
        .and_then(|h| h.get("content-length"))
        .and_then(|v| std::str::from_utf8(v).ok()?.parse().ok())
        .unwrap_or(stream.info.request_bytes)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
