//! `proxy_get_property`, `proxy_set_property`.

use super::call::{Call, Outcome};
use crate::memory::GuestSlice;
use crate::properties::{Scope, lookup};
use crate::types::Status;

pub(super) fn get_property(
    call: &mut Call<'_>,
    path: u32,
    size: u32,
    to: u32,
    to_size: u32,
) -> Outcome {
    let (memory, host) = call.split();
    let path = GuestSlice::new(path, size).read(memory)?;
    let scope = Scope {
        proxy: &host.proxy,
        vm_id: &host.config.vm_id,
        root: host.contexts.root(host.contexts.acting_root()),
        stream: host.contexts.acting_stream(),
        now: host.proxy.now(),
    };
    let value = lookup(&scope, path)?;
    call.hand_over(&value, to, to_size)
}

/// Keeps a value with the stream, to be read as the property of that name.
pub(super) fn set_property(
    call: &mut Call<'_>,
    path: u32,
    size: u32,
    value: u32,
    value_size: u32,
) -> Outcome {
    let path = call.copy(GuestSlice::new(path, size))?;
    let value = call.copy(GuestSlice::new(value, value_size))?;
    let stream = call
        .host()
        .contexts
        .acting_stream_mut()
        .ok_or(Status::NotFound)?;
    let name = path.strip_suffix(&[0]).unwrap_or(&path);
    let key = [b"wasm.", name].concat();
    stream.filter_state.insert(key, value);
    Ok(())
}
