//! `proxy_send_local_response`, `proxy_continue_stream`, `proxy_close_stream` and what 0.1.0 had
//! in their place. All of it is done once the guest's callback has returned.

use super::call::{Call, Outcome};
use crate::effect::Direction;
use crate::host::Action;
use crate::local_reply::LocalReply;
use crate::memory::{GuestSlice, parse_pairs};
use crate::types::Status;
use crate::types::StreamType;

/// The largest status code of gRPC; what is above it, as the -1 of most SDKs, says there is none.
const LAST_GRPC_STATUS: u32 = 16;

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn send_local_response(
    call: &mut Call<'_>,
    status: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    grpc_status: u32,
) -> Outcome {
    let details = call.copy(GuestSlice::new(details, details_size))?;
    let body = call.copy(GuestSlice::new(body, body_size))?;
    let pairs = call.copy(GuestSlice::new(headers, headers_size))?;
    let headers = parse_pairs(&pairs)
        .into_iter()
        .map(|(name, value)| (pairs.slice_ref(name), pairs.slice_ref(value)))
        .collect();
    let reply = LocalReply {
        // Envoy writes whatever number it gets; what HTTP cannot carry becomes a server's error.
        status: u16::try_from(status)
            .ok()
            .filter(|code| (200..1000).contains(code))
            .unwrap_or(500),
        body,
        headers,
        grpc_status: Some(grpc_status).filter(|code| *code <= LAST_GRPC_STATUS),
        details: String::from_utf8_lossy(&details).replace(char::is_whitespace, "_"),
    };
    let host = call.host();
    let context = host.contexts.acting();
    if host.contexts.acting_stream().is_some() {
        host.actions.push(Action::Reply(context, Box::new(reply)));
    }
    host.actions.stop_iteration();
    Ok(())
}

pub(super) fn continue_stream(call: &mut Call<'_>, stream: u32) -> Outcome {
    match StreamType::try_from(stream)? {
        StreamType::Request => continue_half(call, Direction::Request),
        StreamType::Response => continue_half(call, Direction::Response),
        StreamType::Downstream => Ok(()),
        StreamType::Upstream => Err(Status::Unimplemented.into()),
    }
}

pub(super) fn continue_request(call: &mut Call<'_>) -> Outcome {
    continue_half(call, Direction::Request)
}

pub(super) fn continue_response(call: &mut Call<'_>) -> Outcome {
    continue_half(call, Direction::Response)
}

/// Envoy takes the request out of the filter's reach, whichever half goes on.
fn continue_half(call: &mut Call<'_>, direction: Direction) -> Outcome {
    let host = call.host();
    let context = host.contexts.acting();
    if let Some(stream) = host.contexts.stream_mut(context) {
        stream.request.hide();
        host.actions.push(Action::Continue(context, direction));
    }
    Ok(())
}

pub(super) fn close_stream(call: &mut Call<'_>, stream: u32) -> Outcome {
    let stream = StreamType::try_from(stream)?;
    let host = call.host();
    let context = host.contexts.acting();
    if matches!(stream, StreamType::Request | StreamType::Response)
        && let Some(stream) = host.contexts.stream_mut(context)
    {
        if stream.info.code_details.is_empty() {
            stream.info.code_details = "wasm_close_stream".to_owned();
        }
        host.actions.push(Action::Close(context));
    }
    Ok(())
}

pub(super) fn clear_route_cache(call: &mut Call<'_>) -> Outcome {
    if let Some(stream) = call.host().contexts.acting_stream_mut() {
        stream.route = None;
    }
    Ok(())
}
