//! Hostcalls whose refusal the SDK makes a panic of, with the status that the host answers.
#![allow(unsafe_code)] // There is no other way to a hostcall.

use proxy_wasm::types::BufferType;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_set_buffer_bytes(
        buffer: BufferType,
        start: usize,
        length: usize,
        bytes: *const u8,
        size: usize,
    ) -> u32;
}

/// Puts bytes in the place of a part of a buffer; what the host answers.
pub(crate) fn set_buffer(buffer: BufferType, start: usize, length: usize, bytes: &[u8]) -> u32 {
    // SAFETY: the host reads the bytes while it is called, and keeps no pointer.
    unsafe { proxy_set_buffer_bytes(buffer, start, length, bytes.as_ptr(), bytes.len()) }
}
