//! The hash that `go.sum` calls `h1:` (x/mod `dirhash.Hash1`; module reference, "Authenticating modules").

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const PREFIX: &str = "h1:";

/// A module's or a `go.mod` file's hash. Displays as `h1:` and standard base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct H1([u8; 32]);

impl H1 {
    /// From the SHA-256 itself.
    pub(crate) const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The SHA-256 itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        f.write_str(&STANDARD.encode(self.0))
    }
}

/// The text is no `h1:` hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotH1;

impl fmt::Display for NotH1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the hash is not h1: and 44 characters of base64")
    }
}

impl std::error::Error for NotH1 {}

impl FromStr for H1 {
    type Err = NotH1;

    /// Reads exactly what [`H1`] displays as: no other algorithm, alphabet or padding, no stray bits.
    fn from_str(text: &str) -> Result<Self, NotH1> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotH1)?;
        if encoded.len() != 44 {
            return Err(NotH1);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| NotH1)?;
        bytes.try_into().map(Self).map_err(|_| NotH1)
    }
}

/// The summary that is hashed: a line for each file, in the order of their names' bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Sha256);

impl Lines {
    /// Adds a file. The name is given in parts, so that nobody has to join them.
    pub(crate) fn push(&mut self, sha256: &[u8; 32], name: [&str; 2]) {
        let mut hex = [0; 64];
        for (digits, byte) in hex.chunks_exact_mut(2).zip(sha256) {
            digits.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        self.0.update(hex);
        self.0.update("  ");
        for part in name {
            self.0.update(part);
        }
        self.0.update("\n");
    }

    pub(crate) fn finish(self) -> H1 {
        H1(self.0.finalize().into())
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn it_reads_what_it_writes() {
        let none = Lines::default().finish();
        assert_eq!(none.to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(none));
    }

    #[test]
    fn no_other_spelling_is_read() {
        for text in [
            "",
            "h1:",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "h2:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "H1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "h1:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= ",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU==",
            "h1:\u{e9}7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=",
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUAAAAA",
        ] {
            assert_eq!(text.parse::<H1>(), Err(NotH1), "{text:?}");
        }
    }
}
