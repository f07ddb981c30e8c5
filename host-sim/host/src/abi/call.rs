//! One hostcall that is being carried out.

use wasmtime::{AsContextMut, Caller, Extern, Memory};

use crate::host::Host;
use crate::memory::{GuestPtr, GuestSlice, GuestValue};
use crate::types::Status;

/// Why a hostcall does not do what was requested.
pub(crate) enum Fault {
    /// The guest gets this answer.
    Status(Status),
    /// The guest itself failed while it allocated memory for the host.
    Trap(wasmtime::Error),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

pub(crate) type Outcome = Result<(), Fault>;

/// The guest that called, and its memory.
pub(crate) struct Call<'a> {
    caller: Caller<'a, Host>,
    memory: Memory,
}

impl<'a> Call<'a> {
    pub(crate) fn new(mut caller: Caller<'a, Host>) -> Result<Self, Status> {
        // During a start section the exports are not known yet.
        let known = caller.data().memory;
        let memory = known.or_else(|| caller.get_export("memory").and_then(Extern::into_memory));
        match memory {
            Some(memory) => Ok(Self { caller, memory }),
            None => Err(Status::InvalidMemoryAccess),
        }
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    /// The guest's memory and the host's state, side by side.
    pub(crate) fn split(&mut self) -> (&mut [u8], &mut Host) {
        self.memory.data_and_store_mut(&mut self.caller)
    }

    /// A copy of bytes in the guest's memory, for what outlives the call.
    pub(crate) fn copy(&mut self, slice: GuestSlice) -> Result<bytes::Bytes, Status> {
        let (memory, _) = self.split();
        slice.read(memory).map(bytes::Bytes::copy_from_slice)
    }

    pub(crate) fn write<T: GuestValue>(&mut self, at: u32, value: T) -> Outcome {
        let (memory, _) = self.split();
        Ok(GuestPtr::new(at).write(memory, value)?)
    }

    /// Hands bytes over: asks the guest for memory, fills it, and writes down where it is. No bytes have
    /// the address 0.
    pub(crate) fn hand_over(&mut self, data: &[u8], address_at: u32, size_at: u32) -> Outcome {
        let size = u32::try_from(data.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let address = if size == 0 { 0 } else { self.allocate(size)? };
        let (memory, _) = self.split();
        if size > 0 {
            GuestSlice::new(address, size)
                .write(memory)?
                .copy_from_slice(data);
        }
        GuestPtr::new(address_at).write(memory, address)?;
        GuestPtr::new(size_at).write(memory, size)?;
        Ok(())
    }

    fn allocate(&mut self, size: u32) -> Result<u32, Fault> {
        let known = self.caller.data().allocate.clone();
        let allocate = known.ok_or(Status::InvalidMemoryAccess)?;
        let address = allocate
            .call(self.caller.as_context_mut(), size)
            .map_err(Fault::Trap)?;
        if address == 0 {
            return Err(Status::InvalidMemoryAccess.into());
        }
        Ok(address)
    }
}
