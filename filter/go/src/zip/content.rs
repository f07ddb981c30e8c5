//! One file's data, inflated and hashed as it comes.

use sha2::{Digest, Sha256};
use zlib_rs::{Inflate, InflateFlush, Status, crc32};

use super::error::ZipFault;
use super::records::Sizes;

/// How much is inflated at a time, in bytes: with the inflater's own state and window this makes
/// most of a stream's memory.
const OUTPUT_BYTES: usize = 64 << 10;
/// Deflate's window: 2 to the power of this many bytes.
const WINDOW_BITS: u8 = 15;

/// How a file's data stands in the zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

impl Method {
    pub(super) const fn read(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Stored),
            8 => Some(Self::Deflated),
            _ => None,
        }
    }
}

/// The most content that a file may have, and what is wrong where it has more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub bytes: u64,
    pub fault: ZipFault,
}

/// What takes files' data, one file after the other.
pub(super) struct Content {
    inflate: Inflate,
    output: Box<[u8]>,
    sha256: Sha256,
    crc: u32,
    method: Method,
    limit: Limit,
    /// How many bytes of data may still come.
    left: u64,
    compressed: u64,
    content: u64,
}

impl Content {
    pub(super) fn new() -> Self {
        Self {
            inflate: Inflate::new(false, WINDOW_BITS),
            output: vec![0; OUTPUT_BYTES].into(),
            sha256: Sha256::new(),
            crc: 0,
            method: Method::Stored,
            limit: Limit {
                bytes: 0,
                fault: ZipFault::Size,
            },
            left: 0,
            compressed: 0,
            content: 0,
        }
    }

    /// Begins with a file whose data has at most `left` bytes in the zip.
    pub(super) fn start(&mut self, method: Method, left: u64, limit: Limit) {
        if method == Method::Deflated {
            self.inflate.reset(false);
        }
        (self.method, self.left, self.limit) = (method, left, limit);
        (self.crc, self.compressed, self.content) = (0, 0, 0);
    }

    /// Takes the file's data from the front of `chunk`. Whether that was the last of it; if not,
    /// the chunk is empty.
    pub(super) fn push(&mut self, chunk: &mut &[u8]) -> Result<bool, ZipFault> {
        match self.method {
            Method::Stored => self.push_stored(chunk),
            Method::Deflated => self.push_deflated(chunk),
        }
    }

    fn push_stored(&mut self, chunk: &mut &[u8]) -> Result<bool, ZipFault> {
        let data = self.take(chunk, chunk.len());
        self.crc = crc32::crc32(self.crc, data);
        self.sha256.update(data);
        self.count(data.len())?;
        Ok(self.left == 0)
    }

    fn push_deflated(&mut self, chunk: &mut &[u8]) -> Result<bool, ZipFault> {
        loop {
            let may_use =
                usize::try_from(self.left).map_or(chunk.len(), |left| left.min(chunk.len()));
            let (data, _) = chunk.split_at_checked(may_use).unwrap_or((chunk, &[]));
            let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self
                .inflate
                .decompress(data, &mut self.output, InflateFlush::NoFlush);
            let used = usize_from(self.inflate.total_in().saturating_sub(in_before));
            let made = usize_from(self.inflate.total_out().saturating_sub(out_before));
            self.take(chunk, used);
            let (content, _) = self
                .output
                .split_at_checked(made)
                .unwrap_or((&self.output, &[]));
            self.crc = crc32::crc32(self.crc, content);
            self.sha256.update(content);
            // First, so that it does not depend on the chunks which of two faults is found.
            self.count(made)?;
            let status = result.map_err(|_| ZipFault::Deflate)?;
            if status == Status::StreamEnd {
                return Ok(true);
            }
            if made == self.output.len() {
                continue; // There may be more behind what was asked.
            }
            if self.left == 0 {
                return Err(ZipFault::CompressedSize);
            }
            if chunk.is_empty() {
                return Ok(false);
            }
            if used == 0 && made == 0 {
                return Err(ZipFault::Deflate);
            }
        }
    }

    /// Takes data off the chunk, at most what the file may still have.
    fn take<'a>(&mut self, chunk: &mut &'a [u8], wanted: usize) -> &'a [u8] {
        let len = usize::try_from(self.left).map_or(wanted, |left| left.min(wanted));
        let (data, rest) = chunk.split_at_checked(len).unwrap_or((chunk, &[]));
        *chunk = rest;
        self.left = self.left.saturating_sub(data.len() as u64);
        self.compressed = self.compressed.saturating_add(data.len() as u64);
        data
    }

    fn count(&mut self, made: usize) -> Result<(), ZipFault> {
        self.content = self.content.saturating_add(made as u64);
        if self.content > self.limit.bytes {
            return Err(self.limit.fault);
        }
        Ok(())
    }

    /// The SHA-256 of the whole content, and what its sizes and CRC-32 turned out to be.
    pub(super) fn finish(&mut self) -> ([u8; 32], Sizes) {
        let sizes = Sizes {
            crc: self.crc,
            // Both stay below the limits on the whole zip, which are below 4 GiB.
            compressed: u32::try_from(self.compressed).unwrap_or(u32::MAX),
            content: u32::try_from(self.content).unwrap_or(u32::MAX),
        };
        (self.sha256.finalize_reset().into(), sizes)
    }
}

/// A difference that is at most the length of a slice.
fn usize_from(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
