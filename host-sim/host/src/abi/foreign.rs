//! `proxy_call_foreign_function`: `clear_route_cache`, and what the embedder lends.

use std::sync::Arc;

use super::call::{Call, Outcome};
use super::stream_control::clear_route_cache;
use crate::memory::GuestSlice;
use crate::types::Status;

pub(super) fn call(
    call: &mut Call<'_>,
    name: u32,
    name_size: u32,
    argument: u32,
    argument_size: u32,
    to: u32,
    to_size: u32,
) -> Outcome {
    let name = call.copy(GuestSlice::new(name, name_size))?;
    let argument = call.copy(GuestSlice::new(argument, argument_size))?;
    if name == "clear_route_cache" {
        clear_route_cache(call)?;
        return hand_back(call, &[], to, to_size);
    }
    let known = &call.host().proxy.config().foreign_functions;
    let function = std::str::from_utf8(&name).ok().and_then(|n| known.get(n));
    let function = Arc::clone(function.ok_or(Status::NotFound)?);
    let result = function(&argument).map_err(|_| Status::InternalFailure)?;
    hand_back(call, &result, to, to_size)
}

/// The caller may not want the result.
fn hand_back(call: &mut Call<'_>, result: &[u8], to: u32, to_size: u32) -> Outcome {
    if to == 0 || to_size == 0 {
        return Ok(());
    }
    call.hand_over(result, to, to_size)
}
