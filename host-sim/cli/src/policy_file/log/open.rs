//! A log's bytes as UTF-8: out of gzip, and without what tools put before the first line.

use std::io::{self, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

/// How other programs compress, by the first bytes of what they write.
const OTHERS: [(&[u8], &str); 4] = [
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
];

/// What a log says, whether or not it is in gzip.
///
/// # Errors
/// What the reader says, and a compression that is not known.
pub(super) fn text_of<'i>(input: impl Read + 'i) -> io::Result<Box<dyn Read + 'i>> {
    let (head, input) = peeked(input, 6)?;
    if head.starts_with(b"\x1f\x8b") {
        return without_mark(MultiGzDecoder::new(input));
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        let what = format!(
            "it is compressed with {name}: decompress it first (gzip needs no decompression)"
        );
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    without_mark(input)
}

/// Reads a beginning, and gives it back with the whole.
pub(super) fn peeked<'i>(
    mut input: impl Read + 'i,
    most: u64,
) -> io::Result<(Vec<u8>, impl Read + 'i)> {
    let mut head = Vec::new();
    input.by_ref().take(most).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

fn without_mark<'i>(input: impl Read + 'i) -> io::Result<Box<dyn Read + 'i>> {
    let (head, mut input) = peeked(input, 3)?;
    let mut skip = |len: u64| io::copy(&mut input.by_ref().take(len), &mut io::sink());
    let unit: Option<fn([u8; 2]) -> u16> = match head.as_slice() {
        [0xef, 0xbb, 0xbf] => {
            skip(3)?;
            None
        }
        [0xff, 0xfe, ..] => {
            skip(2)?;
            Some(u16::from_le_bytes)
        }
        [0xfe, 0xff, ..] => {
            skip(2)?;
            Some(u16::from_be_bytes)
        }
        _ => None,
    };
    Ok(match unit {
        None => Box::new(input),
        Some(unit) => Box::new(Utf16 {
            input,
            unit,
            high: None,
            ready: Cursor::new(Vec::new()),
        }),
    })
}

/// UTF-16 as UTF-8; what is no character becomes the character for that.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    /// The first half of a character whose second half has not come.
    high: Option<u16>,
    ready: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let copied = self.ready.read(buffer)?;
            if copied > 0 || buffer.is_empty() {
                return Ok(copied);
            }
            let mut bytes = Vec::new();
            self.input.by_ref().take(64 << 10).read_to_end(&mut bytes)?;
            let is_last = bytes.len() < 64 << 10;
            let mut units: Vec<u16> = self.high.take().into_iter().collect();
            units.extend(
                bytes
                    .chunks_exact(2)
                    .map(|pair| (self.unit)([pair[0], pair[1]])),
            );
            if !is_last {
                self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
            }
            self.ready = Cursor::new(String::from_utf16_lossy(&units).into_bytes());
            if is_last {
                return self.ready.read(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn text(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        text_of(bytes)?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_log_is_read_in_every_archived_form() {
        let long = "line \u{e9}\u{1f600}\n".repeat(20_000);
        let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let text = format!("\u{feff}{text}");
            text.encode_utf16().flat_map(unit).collect()
        };
        for bytes in [
            long.as_bytes().to_vec(),
            gzip(long.as_bytes()),
            // Rotated logs are often put behind each other.
            [gzip(&long.as_bytes()[..100]), gzip(&long.as_bytes()[100..])].concat(),
            format!("\u{feff}{long}").into_bytes(),
            gzip(format!("\u{feff}{long}").as_bytes()),
            utf16(&long, u16::to_le_bytes),
            utf16(&long, u16::to_be_bytes),
        ] {
            assert!(text(&bytes).unwrap() == long);
        }
        assert_eq!(text(b"").unwrap(), "");
        assert_eq!(text(b"\xff\xfe").unwrap(), "");
    }

    #[test]
    fn unreadable_input_is_reported() {
        let cut = gzip(b"line\n");
        assert!(text(&cut[..cut.len() - 9]).is_err());
        for (magic, name) in OTHERS {
            let error = text(&[magic, b" and more"].concat()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
