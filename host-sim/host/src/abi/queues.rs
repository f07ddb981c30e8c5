//! `proxy_register_shared_queue` and its kin.

use super::call::{Call, Outcome};
use crate::memory::GuestSlice;
use crate::types::Status;

pub(super) fn register(call: &mut Call<'_>, name: u32, size: u32, to: u32) -> Outcome {
    let (memory, host) = call.split();
    let name = GuestSlice::new(name, size).read(memory)?;
    let root = host.contexts.acting_root();
    let queues = host.proxy.queues();
    let token = queues.register(&host.config.vm_id, name, root, &host.inbox);
    call.write(to, token)
}

/// An empty VM id means the caller's own.
pub(super) fn resolve(
    call: &mut Call<'_>,
    vm: u32,
    vm_size: u32,
    name: u32,
    size: u32,
    to: u32,
) -> Outcome {
    let (memory, host) = call.split();
    let vm = GuestSlice::new(vm, vm_size).read(memory)?;
    let name = GuestSlice::new(name, size).read(memory)?;
    let vm = match vm {
        [] => host.config.vm_id.as_str(),
        vm => std::str::from_utf8(vm).map_err(|_| Status::NotFound)?,
    };
    let token = host.proxy.queues().resolve(vm, name)?;
    call.write(to, token)
}

pub(super) fn dequeue(call: &mut Call<'_>, queue: u32, to: u32, to_size: u32) -> Outcome {
    let item = call.host().proxy.queues().dequeue(queue)?;
    call.hand_over(&item, to, to_size)
}

pub(super) fn enqueue(call: &mut Call<'_>, queue: u32, item: u32, size: u32) -> Outcome {
    let (memory, host) = call.split();
    let item = GuestSlice::new(item, size).read(memory)?;
    Ok(host.proxy.queues().enqueue(queue, item)?)
}
