//! The hash of a `go.mod` file: that of a folder which holds this file alone.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::gomod::{H1, Lines};
use crate::zip::limits::MAX_GO_MOD_BYTES;

/// Hashes a `go.mod` as its bytes come.
#[derive(Clone, Debug, Default)]
pub struct GoModHasher {
    sha256: Sha256,
    bytes: u64,
}

/// The file is larger than [`MAX_GO_MOD_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoModTooLarge;

impl fmt::Display for GoModTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the go.mod file is larger than 16 MiB, the most that Go takes")
    }
}

impl std::error::Error for GoModTooLarge {}

impl GoModHasher {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`GoModTooLarge`], on every call from then on.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), GoModTooLarge> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if self.bytes > MAX_GO_MOD_BYTES {
            return Err(GoModTooLarge);
        }
        self.sha256.update(chunk);
        Ok(())
    }

    /// The hash of all that was fed.
    ///
    /// # Errors
    /// [`GoModTooLarge`], where feeding has failed.
    pub fn finish(self) -> Result<H1, GoModTooLarge> {
        if self.bytes > MAX_GO_MOD_BYTES {
            return Err(GoModTooLarge);
        }
        let mut lines = Lines::default();
        lines.push(&self.sha256.finalize().into(), ["go.mod", ""]);
        Ok(lines.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_go_sum_has() {
        // github.com/pkg/errors v0.9.1/go.mod in any go.sum.
        let mut hasher = GoModHasher::default();
        hasher.feed(b"module github.com").unwrap();
        hasher.feed(b"/pkg/errors\n").unwrap();
        assert_eq!(
            hasher.finish().unwrap().to_string(),
            "h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0="
        );
    }

    #[test]
    fn what_go_would_not_take_is_no_hash() {
        let mut hasher = GoModHasher::default();
        let chunk = vec![b'\n'; 1 << 20];
        for _ in 0..16 {
            hasher.feed(&chunk).unwrap();
        }
        assert!(hasher.clone().finish().is_ok());
        assert_eq!(hasher.feed(b"\n"), Err(GoModTooLarge));
        assert_eq!(hasher.feed(b""), Err(GoModTooLarge));
        assert_eq!(hasher.finish(), Err(GoModTooLarge));
    }
}
