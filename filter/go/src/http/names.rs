//! What a header's name means.

use super::headers::RESERVED_PREFIX;

/// Whether a header is Modgate's own, by its name.
pub fn is_modgate_header(name: &str) -> bool {
    name.len() > RESERVED_PREFIX.len()
        && name
            .bytes()
            .zip(RESERVED_PREFIX.bytes())
            .all(|(a, b)| same_header_byte(a, b))
}

/// Whether two header names are one to servers that take `_` for `-`, as CGI does.
pub fn is_same_header(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .all(|(a, b)| same_header_byte(a, b))
}

const fn same_header_byte(a: u8, b: u8) -> bool {
    const fn fold(byte: u8) -> u8 {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    }
    fold(a) == fold(b)
}
