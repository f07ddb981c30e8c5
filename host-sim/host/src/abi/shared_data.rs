//! `proxy_get_shared_data`, `proxy_set_shared_data`.

use super::call::{Call, Outcome};
use crate::memory::GuestSlice;

pub(super) fn get(
    call: &mut Call<'_>,
    key: u32,
    size: u32,
    to: u32,
    to_size: u32,
    to_cas: u32,
) -> Outcome {
    let (memory, host) = call.split();
    let key = GuestSlice::new(key, size).read(memory)?;
    let (value, cas) = host.proxy.data().get(&host.config.vm_id, key)?;
    call.hand_over(&value, to, to_size)?;
    call.write(to_cas, cas)
}

pub(super) fn set(
    call: &mut Call<'_>,
    key: u32,
    size: u32,
    value: u32,
    value_size: u32,
    cas: u32,
) -> Outcome {
    let (memory, host) = call.split();
    let key = GuestSlice::new(key, size).read(memory)?;
    let value = GuestSlice::new(value, value_size).read(memory)?;
    Ok(host.proxy.data().set(&host.config.vm_id, key, value, cas)?)
}
