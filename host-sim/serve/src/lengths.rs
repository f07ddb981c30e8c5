//! Requests of HTTP/1.1 that say twice how long they are, by Content-Length and by chunks: whoever reads them the other
//! way sees another request behind them (RFC 9112, section 6.3). Envoy refuses them. The HTTP library takes the chunks and
//! hides the other header, so the client's bytes are looked at before it has them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of a head that are looked at; the HTTP library takes fewer.
const MAX_HEAD: usize = 1 << 20;

/// The requests of one connection, by their places from 0 on, and from which on they are refused.
#[derive(Clone, Debug)]
pub(super) struct Refused(Arc<AtomicU64>);

impl Refused {
    /// Whether the request at this place is.
    pub(super) fn has(&self, place: u64) -> bool {
        place >= self.0.load(Ordering::Relaxed)
    }
}

/// A client's connection, whose requests are looked at as they come.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    lengths: Lengths,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S) -> (Self, Refused) {
        let lengths = Lengths::default();
        let refused = lengths.refused.clone();
        (Self { stream, lengths }, refused)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.lengths.read(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where one is in a connection's requests.
#[derive(Debug)]
struct Lengths {
    refused: Refused,
    /// How many heads have ended.
    heads: u64,
    /// What of a head or a line has come.
    kept: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    /// So many bytes of a body or of a chunk, with its line end.
    Bytes(u64, After),
    /// The line with a chunk's size.
    Size,
    /// A line behind the last chunk.
    Trailer,
    /// Nothing more is looked at: it is HTTP/2, or all that follows is refused.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Head,
    Size,
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            refused: Refused(Arc::new(AtomicU64::new(u64::MAX))),
            heads: 0,
            kept: Vec::new(),
            place: Place::Head,
        }
    }
}

impl Lengths {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.place != Place::Over {
            bytes = match self.place {
                Place::Bytes(left, after) => self.skip(bytes, left, after),
                _ => self.line(bytes),
            };
        }
    }

    fn skip<'b>(&mut self, bytes: &'b [u8], left: u64, after: After) -> &'b [u8] {
        let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - here as u64;
        self.place = match (left, after) {
            (0, After::Head) => Place::Head,
            (0, After::Size) => Place::Size,
            _ => Place::Bytes(left, after),
        };
        &bytes[here..]
    }

    /// Up to the end of a line, and what follows from it.
    fn line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let here = end.map_or(bytes.len(), |end| end + 1);
        self.kept.extend_from_slice(&bytes[..here]);
        if self.kept.len() > MAX_HEAD {
            self.refuse(self.heads);
        } else if end.is_some() {
            self.place = self.after_line();
        }
        &bytes[here..]
    }

    fn after_line(&mut self) -> Place {
        if self.place == Place::Head {
            // Empty lines before a request do not count.
            if matches!(&*self.kept, b"\n" | b"\r\n") {
                self.kept.clear();
            }
            let is_whole = self.kept.ends_with(b"\n\n") || self.kept.ends_with(b"\n\r\n");
            return match is_whole {
                true => self.after_head(),
                false => Place::Head,
            };
        }
        let line = std::mem::take(&mut self.kept);
        let line = line.trim_ascii();
        match self.place {
            Place::Trailer if line.is_empty() => Place::Head,
            Place::Trailer => Place::Trailer,
            _ => match chunk_size(line) {
                Some(0) => Place::Trailer,
                Some(size) => Place::Bytes(size.saturating_add(2), After::Size),
                // The HTTP library refuses it too.
                None => self.refuse(self.heads),
            },
        }
    }

    fn after_head(&mut self) -> Place {
        let head = std::mem::take(&mut self.kept);
        if head.starts_with(b"PRI * HTTP/2.0\r\n") {
            return Place::Over;
        }
        self.heads += 1;
        let (mut lengths, mut codings) = (Vec::new(), 0);
        for line in head.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                lengths.push(value);
            }
            codings += u64::from(name.eq_ignore_ascii_case(b"transfer-encoding"));
        }
        match (lengths.as_slice(), codings) {
            ([], 0) => Place::Head,
            ([], _) => Place::Size,
            ([length, ..], 0) => match decimal(length) {
                Some(0) => Place::Head,
                Some(length) => Place::Bytes(length, After::Head),
                None => self.refuse(self.heads),
            },
            _ => self.refuse(self.heads - 1),
        }
    }

    /// All from that place on.
    fn refuse(&mut self, place: u64) -> Place {
        self.refused.0.store(place, Ordering::Relaxed);
        self.place = Place::Over;
        Place::Over
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number)?;
    text.parse().ok()
}

/// What stands in a chunk's line before its extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_number = size.iter().all(u8::is_ascii_hexdigit);
    let size = std::str::from_utf8(size).ok().filter(|_| is_number)?;
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    const BOTH: &str =
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    /// From which place on the requests are refused, read in pieces of every size.
    #[track_caller]
    fn refused_from(bytes: &str) -> Option<u64> {
        let of = |size| {
            let mut lengths = Lengths::default();
            for piece in bytes.as_bytes().chunks(size) {
                lengths.read(piece);
            }
            let place = lengths.refused.0.load(Ordering::Relaxed);
            (place != u64::MAX).then_some(place)
        };
        let whole = of(bytes.len());
        for size in [1, 2, 3, 7] {
            assert_eq!(of(size), whole, "in pieces of {size}: {bytes:?}");
        }
        whole
    }

    #[test]
    fn a_request_with_two_lengths_is_found_wherever_it_stands() {
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let length = BOTH.len();
        let rows = [
            ("alone", BOTH.to_owned(), Some(0)),
            ("behind another", format!("{GOOD}{BOTH}"), Some(1)),
            ("behind empty lines", format!("\r\n\n{BOTH}"), Some(0)),
            (
                "the other way round",
                "GET / HTTP/1.1\ntransfer-encoding:chunked\ncontent-length:0\n\n".to_owned(),
                Some(0),
            ),
            (
                "behind a body",
                format!("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello{BOTH}"),
                Some(1),
            ),
            (
                "behind chunks",
                format!("{chunked}5;a=b\r\nhello\r\n0\r\nx-a: b\r\n\r\n{BOTH}"),
                Some(1),
            ),
            (
                "in a body",
                format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{BOTH}{GOOD}"),
                None,
            ),
            (
                "in a chunk",
                format!("{chunked}{length:x}\r\n{BOTH}\r\n0\r\n\r\n{GOOD}"),
                None,
            ),
            ("none", format!("{GOOD}{GOOD}"), None),
            ("no chunk", format!("{chunked}hello\r\n"), Some(1)),
            (
                "HTTP/2",
                format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{BOTH}"),
                None,
            ),
        ];
        table_rows::check(rows, |(name, bytes, refused)| {
            assert_eq!(refused_from(&bytes), refused, "{name}");
        });
    }
}
