//! Guests written in the WebAssembly text format.

/// Imports of every hostcall, memory, an allocator, and helpers.
pub const PRELUDE: &str = include_str!("prelude.wat");

/// A guest for ABI 0.2.1: the prelude and these functions.
pub fn guest(functions: &str) -> Vec<u8> {
    assemble(&format!(
        "(module {PRELUDE} (func (export \"proxy_abi_version_0_2_1\")) {functions})"
    ))
}

/// The binary of a module in the text format.
pub fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}
