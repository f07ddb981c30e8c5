//! `proxy_get_header_map_pairs` and its kin.

use super::call::{Call, Outcome};
use crate::host::{CurrentGrpc, Host};
use crate::http::Headers;
use crate::memory::{GuestSlice, encode_pairs, parse_pairs};
use crate::types::MapType;
use crate::types::Status;
use crate::vm::AbiVersion;

/// The map, to be read.
fn readable(host: &Host, map: MapType) -> Option<&Headers> {
    let answer = host.callouts.shown_to(host.contexts.acting_root());
    match map {
        MapType::CalloutHeaders => return answer.map(|answer| &answer.headers),
        MapType::CalloutTrailers => return answer.and_then(|answer| answer.trailers.as_ref()),
        MapType::GrpcReceiveInitialMetadata => {
            return match host.grpc.shown_to(host.contexts.acting_root())? {
                CurrentGrpc::InitialMetadata(metadata) => Some(metadata),
                _ => None,
            };
        }
        MapType::GrpcReceiveTrailingMetadata => {
            return match host.grpc.shown_to(host.contexts.acting_root())? {
                CurrentGrpc::TrailingMetadata(metadata) => Some(metadata),
                _ => None,
            };
        }
        _ => {}
    }
    let stream = host.contexts.acting_stream()?;
    match map {
        MapType::RequestHeaders => stream.readable_request_headers(),
        MapType::RequestTrailers => {
            let readable = stream.request.trailers_visible && !stream.log_phase;
            stream.request.trailers.as_ref().filter(|_| readable)
        }
        MapType::ResponseHeaders => stream.readable_response_headers(),
        MapType::ResponseTrailers => stream.readable_response_trailers(),
        _ => None,
    }
}

/// The map, to be changed. Trailers come into being where the last of a body is shown without any.
fn writable(host: &mut Host, map: MapType) -> Result<&mut Headers, Status> {
    let stream = host
        .contexts
        .acting_stream_mut()
        .ok_or(Status::BadArgument)?;
    let (half, trailers) = match map {
        MapType::RequestHeaders => (&mut stream.request, false),
        MapType::RequestTrailers => (&mut stream.request, true),
        MapType::ResponseHeaders => (&mut stream.response, false),
        MapType::ResponseTrailers => (&mut stream.response, true),
        _ => return Err(Status::BadArgument),
    };
    if !trailers {
        let visible = half.headers_visible;
        return half
            .headers
            .as_mut()
            .filter(|_| visible)
            .ok_or(Status::BadArgument);
    }
    if half.trailers.is_none() && half.shows_the_end() {
        half.trailers = Some(Headers::new());
        half.trailers_visible = true;
    }
    let visible = half.trailers_visible;
    half.trailers
        .as_mut()
        .filter(|_| visible)
        .ok_or(Status::BadArgument)
}

/// A change to the request's headers makes Envoy pick the route again.
fn modified(host: &mut Host, map: MapType) {
    if map == MapType::RequestHeaders
        && let Some(stream) = host.contexts.acting_stream_mut()
    {
        stream.route = None;
    }
}

/// Hands over all pairs; none where the map is not to be had now.
pub(super) fn get_pairs(call: &mut Call<'_>, map: u32, to: u32, to_size: u32) -> Outcome {
    let map = MapType::try_from(map)?;
    let encoded = readable(call.host(), map).map_or_else(Vec::new, |headers| {
        let pairs: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_ref(), v.as_ref()))
            .collect();
        encode_pairs(pairs.into_iter())
    });
    call.hand_over(&encoded, to, to_size)
}

pub(super) fn set_pairs(call: &mut Call<'_>, map: u32, pairs: u32, size: u32) -> Outcome {
    let map = MapType::try_from(map)?;
    let encoded = call.copy(GuestSlice::new(pairs, size))?;
    let headers = writable(call.host(), map)?;
    let pairs = parse_pairs(&encoded);
    *headers = Headers::from_pairs(
        pairs
            .into_iter()
            .map(|(name, value)| (encoded.slice_ref(name), encoded.slice_ref(value))),
    );
    modified(call.host(), map);
    Ok(())
}

pub(super) fn get_size(call: &mut Call<'_>, map: u32, to: u32) -> Outcome {
    let map = MapType::try_from(map)?;
    let size = writable(call.host(), map)?.byte_size();
    call.write(to, u32::try_from(size).unwrap_or(u32::MAX))
}

/// Hands over the first value of that name.
pub(super) fn get_value(
    call: &mut Call<'_>,
    map: u32,
    name: u32,
    size: u32,
    to: u32,
    to_size: u32,
) -> Outcome {
    let map = MapType::try_from(map)?;
    let (memory, host) = call.split();
    let name = GuestSlice::new(name, size).read(memory)?;
    let in_log = host.contexts.acting_stream().is_some_and(|s| s.log_phase);
    let value = match readable(host, map) {
        Some(headers) => headers.get(name).cloned().ok_or(Status::NotFound),
        None if in_log => Err(Status::NotFound),
        None => Err(Status::BadArgument),
    };
    let value = match value {
        // 0.1.0 has an empty value where there is none.
        Err(Status::NotFound) if host.abi == AbiVersion::V0_1_0 => bytes::Bytes::new(),
        value => value?,
    };
    call.hand_over(&value, to, to_size)
}

pub(super) fn add_value(
    call: &mut Call<'_>,
    map: u32,
    name: u32,
    size: u32,
    value: u32,
    value_size: u32,
) -> Outcome {
    let map = MapType::try_from(map)?;
    let name = call.copy(GuestSlice::new(name, size))?;
    let value = call.copy(GuestSlice::new(value, value_size))?;
    writable(call.host(), map)?.add(name, value);
    modified(call.host(), map);
    Ok(())
}

pub(super) fn replace_value(
    call: &mut Call<'_>,
    map: u32,
    name: u32,
    size: u32,
    value: u32,
    value_size: u32,
) -> Outcome {
    let map = MapType::try_from(map)?;
    let name = call.copy(GuestSlice::new(name, size))?;
    let value = call.copy(GuestSlice::new(value, value_size))?;
    writable(call.host(), map)?.set(name, value);
    modified(call.host(), map);
    Ok(())
}

pub(super) fn remove_value(call: &mut Call<'_>, map: u32, name: u32, size: u32) -> Outcome {
    let map = MapType::try_from(map)?;
    let name = call.copy(GuestSlice::new(name, size))?;
    writable(call.host(), map)?.remove(&name);
    modified(call.host(), map);
    Ok(())
}
