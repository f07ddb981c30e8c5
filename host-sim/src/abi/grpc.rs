//! The gRPC hostcalls. They link, so that every filter loads; a call answers that it is not
//! implemented, after the checks that Envoy makes first.

use super::Status;
use super::call::{Call, Outcome};
use crate::memory::GuestSlice;

/// Tokens of calls are 1 and of streams 2 in their two lowest bits.
const fn is_grpc(token: u32) -> bool {
    matches!(token & 3, 1 | 2)
}

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn call(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    message: u32,
    message_size: u32,
    _timeout_ms: u32,
    _to: u32,
) -> Outcome {
    call.copy(GuestSlice::new(message, message_size))?;
    start(
        call,
        GuestSlice::new(service, service_size),
        GuestSlice::new(name, name_size),
        GuestSlice::new(method, method_size),
        GuestSlice::new(metadata, metadata_size),
    )
}

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn stream(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    _to: u32,
) -> Outcome {
    start(
        call,
        GuestSlice::new(service, service_size),
        GuestSlice::new(name, name_size),
        GuestSlice::new(method, method_size),
        GuestSlice::new(metadata, metadata_size),
    )
}

fn start(
    call: &mut Call<'_>,
    service: GuestSlice,
    name: GuestSlice,
    method: GuestSlice,
    metadata: GuestSlice,
) -> Outcome {
    let cluster = call.copy(service)?;
    for argument in [name, method, metadata] {
        call.copy(argument)?;
    }
    let known = &call.host().proxy.config().clusters;
    let exists = std::str::from_utf8(&cluster).is_ok_and(|name| known.contains(name));
    Err(if exists {
        Status::Unimplemented
    } else {
        Status::ParseFailure
    }
    .into())
}

pub(super) fn send(
    call: &mut Call<'_>,
    token: u32,
    message: u32,
    size: u32,
    _end_stream: u32,
) -> Outcome {
    call.copy(GuestSlice::new(message, size))?;
    Err(if token & 3 == 2 {
        Status::NotFound
    } else {
        Status::BadArgument
    }
    .into())
}

pub(super) fn cancel(_call: &mut Call<'_>, token: u32) -> Outcome {
    Err(if is_grpc(token) {
        Status::NotFound
    } else {
        Status::BadArgument
    }
    .into())
}

pub(super) fn close(call: &mut Call<'_>, token: u32) -> Outcome {
    cancel(call, token)
}

/// The status of the last gRPC call or callout, with its message: none failed.
pub(super) fn get_status(call: &mut Call<'_>, to_code: u32, to: u32, to_size: u32) -> Outcome {
    call.write(to_code, 0_u32)?;
    call.hand_over(&[], to, to_size)
}
