//! From a path to a value.

use std::time::Duration;

use super::message::{request, response};
use super::peer::{connection, upstream};
use crate::context::{Root, Stream};
use crate::property::Value;
use crate::proxy::Proxy;
use crate::types::Status;

/// What Envoy computes member by member, and cannot hand over whole.
const WHOLE: [&str; 7] = [
    "request",
    "response",
    "connection",
    "source",
    "destination",
    "upstream",
    "filter_state",
];

/// What a lookup may look at.
pub(crate) struct Scope<'a> {
    pub proxy: &'a Proxy,
    pub vm_id: &'a str,
    pub root: Option<&'a Root>,
    pub stream: Option<&'a Stream>,
    pub now: Duration,
}

/// The value at a path whose parts are parted by NUL. An empty last part is ignored, as in Envoy.
pub(crate) fn lookup(scope: &Scope<'_>, path: &[u8]) -> Result<Vec<u8>, Status> {
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    let parts: Option<Vec<&str>> = path
        .split(|byte| *byte == 0)
        .map(|part| std::str::from_utf8(part).ok())
        .collect();
    let parts = parts.ok_or(Status::NotFound)?;
    let (first, rest) = parts.split_first().ok_or(Status::NotFound)?;
    find(scope, first, rest).map(|value| value.encode())
}

fn find(scope: &Scope<'_>, first: &str, rest: &[&str]) -> Result<Value, Status> {
    let plugin = |value: Option<String>| leaf(value.map(Value::text), rest);
    match first {
        "plugin_name" => return plugin(scope.root.map(|root| root.plugin.name.clone())),
        "plugin_root_id" => return plugin(scope.root.map(|root| root.plugin.root_id.clone())),
        "plugin_vm_id" => return plugin(Some(scope.vm_id.to_owned())),
        "xds" => return xds(scope, rest),
        _ => {}
    }
    let stream = scope.stream.ok_or(Status::NotFound)?;
    if rest.is_empty() && WHOLE.contains(&first) {
        return Err(Status::SerializationFailure);
    }
    match first {
        "request" => request(stream, scope.now, rest),
        "response" => response(stream, rest),
        "connection" => connection(stream, rest),
        "connection_id" => leaf(Some(Value::Uint(stream.downstream.connection_id)), rest),
        "source" => address(Some(stream.downstream.source), rest),
        "destination" => address(Some(stream.downstream.local), rest),
        "upstream" => upstream(stream, rest),
        "metadata" => metadata(stream, rest),
        "filter_state" => match rest {
            [key, deeper @ ..] => leaf(stream.state(key), deeper),
            [] => Err(Status::NotFound),
        },
        other => leaf(stream.state(&format!("wasm.{other}")), rest),
    }
}

/// The value, where the path ends with it, or a member of it.
pub(super) fn leaf(value: Option<Value>, rest: &[&str]) -> Result<Value, Status> {
    let value = value.ok_or(Status::NotFound)?;
    let mut at = &value;
    for key in rest {
        at = at.member(key)?;
    }
    Ok(at.clone())
}

/// `address` as `ip:port`, and `port`.
pub(super) fn address(
    address: Option<std::net::SocketAddr>,
    rest: &[&str],
) -> Result<Value, Status> {
    let address = address.ok_or(Status::NotFound)?;
    match rest {
        ["address"] => Ok(Value::text(address.to_string())),
        ["port"] => Ok(Value::Int(address.port().into())),
        _ => Err(Status::NotFound),
    }
}

/// The node; whole, it is the `Node` message of which `id` (1) and `cluster` (2) are set.
fn node(proxy: &Proxy, rest: &[&str]) -> Result<Value, Status> {
    let config = proxy.config();
    match rest {
        ["id"] => Ok(Value::text(&config.node_id)),
        ["cluster"] => Ok(Value::text(&config.node_cluster)),
        ["metadata"] => Ok(Value::Map(Vec::new())),
        [] => {
            let mut message = Vec::new();
            for (tag, text) in [(0x0a_u8, &config.node_id), (0x12, &config.node_cluster)] {
                message.push(tag);
                varint(&mut message, text.len());
                message.extend_from_slice(text.as_bytes());
            }
            Ok(Value::Bytes(message))
        }
        _ => Err(Status::NotFound),
    }
}

fn varint(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).unwrap_or_default());
}

fn xds(scope: &Scope<'_>, rest: &[&str]) -> Result<Value, Status> {
    let (first, deeper) = rest.split_first().ok_or(Status::NotFound)?;
    match *first {
        "node" => return node(scope.proxy, deeper),
        // `INBOUND` and `OUTBOUND` are 1 and 2; a plain listener is UNSPECIFIED.
        "listener_direction" => return leaf(Some(Value::Int(0)), deeper),
        _ => {}
    }
    let stream = scope.stream.ok_or(Status::NotFound)?;
    let cluster = stream.cluster(scope.proxy.config());
    match *first {
        "cluster_name" => leaf(
            cluster
                .filter(|name| scope.proxy.has_cluster(name))
                .map(Value::text),
            deeper,
        ),
        "upstream_host_metadata" => match deeper {
            ["filter_metadata", namespace, deeper @ ..] => {
                let mut known = stream.info.upstream_metadata.iter();
                let found = known.find(|(name, _)| name == namespace);
                leaf(found.map(|(_, value)| value.clone()), deeper)
            }
            _ => Err(Status::NotFound),
        },
        "route_name" => {
            let name = &scope.proxy.config().route_name;
            leaf(cluster.map(|_| Value::text(name)), deeper)
        }
        "virtual_host_name" => leaf(Some(Value::text("default")), deeper),
        "filter_chain_name" => leaf(Some(Value::text("")), deeper),
        // Messages with nothing in them.
        "cluster_metadata" | "route_metadata" => leaf(Some(Value::text("")), deeper),
        _ => Err(Status::NotFound),
    }
}

fn metadata(stream: &Stream, rest: &[&str]) -> Result<Value, Status> {
    match rest {
        ["filter_metadata", namespace, deeper @ ..] => {
            let found = stream
                .downstream
                .metadata
                .iter()
                .find(|(name, _)| name == namespace);
            leaf(found.map(|(_, value)| value.clone()), deeper)
        }
        // The message, of which only the members are simulated.
        [] => Ok(Value::text("")),
        _ => Err(Status::NotFound),
    }
}
