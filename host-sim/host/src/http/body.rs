//! A body, or a part of one, as a rope of chunks.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Bytes in chunks, which are moved and not copied as long as nobody asks for them in one piece.
#[derive(Clone, Debug, Default)]
pub struct Body {
    chunks: VecDeque<Bytes>,
    len: usize,
}

impl Body {
    /// No bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        let chunk = chunk.into();
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push_back(chunk);
        }
    }

    /// Adds bytes at the start.
    pub fn push_front(&mut self, chunk: impl Into<Bytes>) {
        let chunk = chunk.into();
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push_front(chunk);
        }
    }

    /// Moves the other's bytes to the end of these.
    pub fn append(&mut self, other: &mut Self) {
        self.len += other.len;
        self.chunks.append(&mut other.chunks);
        other.len = 0;
    }

    /// Takes the bytes out.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Up to `length` bytes from `start` on; fewer where there are fewer.
    pub fn copy_range(&self, start: usize, length: usize) -> Bytes {
        let end = start.saturating_add(length).min(self.len);
        if start >= end {
            return Bytes::new();
        }
        let mut offset = 0;
        let mut pieces = Vec::new();
        for chunk in &self.chunks {
            let from = start.saturating_sub(offset).min(chunk.len());
            let to = (end - offset.min(end)).min(chunk.len());
            if from < to {
                pieces.push(chunk.slice(from..to));
            }
            offset += chunk.len();
        }
        match pieces.len() {
            1 => pieces.swap_remove(0),
            _ => {
                let mut joined = BytesMut::with_capacity(end - start);
                for piece in pieces {
                    joined.extend_from_slice(&piece);
                }
                joined.freeze()
            }
        }
    }

    /// All of it in one piece.
    pub fn to_bytes(&self) -> Bytes {
        self.copy_range(0, self.len)
    }

    /// The chunks in order.
    pub fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        self.chunks.into_iter()
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(chunk: T) -> Self {
        let mut body = Self::new();
        body.push(chunk);
        body
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.to_bytes() == other.to_bytes()
    }
}

impl Eq for Body {}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope() -> Body {
        let mut body = Body::from("bcd");
        body.push("");
        body.push("ef");
        body.push_front("a");
        body
    }

    #[test]
    fn a_range_goes_over_chunks_and_ends_with_the_body() {
        let body = rope();
        assert_eq!(body.len(), 6);
        for start in 0..8_usize {
            for length in [0, 1, 2, 3, 6, 7, usize::MAX] {
                let all = b"abcdef";
                let from = start.min(6);
                let to = start.saturating_add(length).clamp(from, 6);
                assert_eq!(body.copy_range(start, length).as_ref(), &all[from..to]);
            }
        }
    }

    #[test]
    fn append_moves() {
        let mut body = rope();
        let mut more = Body::from("gh");
        body.append(&mut more);
        assert!(more.is_empty());
        assert_eq!(body.to_bytes().as_ref(), b"abcdefgh");
        assert_eq!(body.take(), Body::from("abcdefgh"));
        assert!(body.is_empty());
    }
}
