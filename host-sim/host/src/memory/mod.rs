//! The guest's memory behind checked types: a number that a guest hands over is an address only
//! once it was checked against the memory that there is.

mod pairs;

pub(crate) use pairs::{encode_pairs, parse_pairs};

use crate::types::Status;

/// Bytes in the guest's memory, by address and size, not yet checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestSlice {
    address: u32,
    size: u32,
}

impl GuestSlice {
    pub(crate) const fn new(address: u32, size: u32) -> Self {
        Self { address, size }
    }

    pub(crate) const fn size(self) -> u32 {
        self.size
    }

    /// The bytes, where all of them are inside the memory.
    pub(crate) fn read(self, memory: &[u8]) -> Result<&[u8], Status> {
        memory.get(self.range()).ok_or(Status::InvalidMemoryAccess)
    }

    /// The bytes, to be written.
    pub(crate) fn write(self, memory: &mut [u8]) -> Result<&mut [u8], Status> {
        memory
            .get_mut(self.range())
            .ok_or(Status::InvalidMemoryAccess)
    }

    // Two u32 cannot overflow a usize of 64 bits; on 32 bits the sum saturates and is refused.
    const fn range(self) -> std::ops::Range<usize> {
        let start = self.address as usize;
        start..start.saturating_add(self.size as usize)
    }
}

/// A number that has a place in the guest's memory, in the byte order of WebAssembly.
pub(crate) trait GuestValue: Copy {
    const SIZE: u32;

    fn store(self, to: &mut [u8]);
}

impl GuestValue for u32 {
    const SIZE: u32 = 4;

    fn store(self, to: &mut [u8]) {
        to.copy_from_slice(&self.to_le_bytes());
    }
}

impl GuestValue for u64 {
    const SIZE: u32 = 8;

    fn store(self, to: &mut [u8]) {
        to.copy_from_slice(&self.to_le_bytes());
    }
}

/// The address at which the guest wants a `T`, not yet checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestPtr<T> {
    address: u32,
    value: std::marker::PhantomData<T>,
}

impl<T: GuestValue> GuestPtr<T> {
    pub(crate) const fn new(address: u32) -> Self {
        Self {
            address,
            value: std::marker::PhantomData,
        }
    }

    pub(crate) fn write(self, memory: &mut [u8], value: T) -> Result<(), Status> {
        value.store(GuestSlice::new(self.address, T::SIZE).write(memory)?);
        Ok(())
    }
}

/// The `u32` that stands at the start of these bytes.
pub(crate) fn leading_u32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().copied().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_outside_the_memory_is_refused() {
        let mut memory = [0_u8; 16];
        for (address, size) in [(16, 1), (0, 17), (8, 9), (u32::MAX, 1), (1, u32::MAX)] {
            let slice = GuestSlice::new(address, size);
            assert_eq!(slice.read(&memory), Err(Status::InvalidMemoryAccess));
        }
        assert_eq!(GuestSlice::new(16, 0).read(&memory), Ok(&[][..]));
        assert_eq!(
            GuestSlice::new(17, 0).read(&memory),
            Err(Status::InvalidMemoryAccess)
        );
        assert!(GuestPtr::<u64>::new(9).write(&mut memory, 1).is_err());
        assert!(
            GuestPtr::<u32>::new(12)
                .write(&mut memory, 0x0102_0304)
                .is_ok()
        );
        assert_eq!(memory[12..], [4, 3, 2, 1]);
    }
}
