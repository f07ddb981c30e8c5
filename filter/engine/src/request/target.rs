//! From the bytes of `:path` to decoded path elements: percent-encoding is undone here, once.

use std::borrow::Cow;

use super::Refusal;
use crate::module::Bytes;

/// The longest path that is read, in bytes. Far above what any real module needs.
pub const MAX_PATH_BYTES: usize = 4096;

/// A request's path, percent-decoded exactly once, without its leading slash.
///
/// It is ASCII without control characters, and every slash in it stood as a slash in the request.
#[derive(Debug)]
pub struct Target<'a> {
    decoded: Cow<'a, str>,
}

impl<'a> Target<'a> {
    /// Decodes the value of `:path`.
    ///
    /// # Errors
    /// What no Go command sends: a query or fragment, bytes that RFC 3986 does not allow in a path,
    /// bad percent-encoding, encoded slashes, control characters, anything beyond ASCII.
    pub fn decode(path: &'a [u8]) -> Result<Self, Refusal> {
        if path.len() > MAX_PATH_BYTES {
            return Err(Refusal::TooLong);
        }
        let rest = path.strip_prefix(b"/").ok_or(Refusal::NotAbsolute)?;
        let bytes = Bytes::of(rest);
        if !bytes.are_raw() {
            return Err(first_refused(rest));
        }
        let text = std::str::from_utf8(rest).map_err(|_| Refusal::NonAscii)?;
        if !bytes.have_percent() {
            return Ok(Self {
                decoded: Cow::Borrowed(text),
            });
        }
        percent_decode(text).map(|decoded| Self {
            decoded: Cow::Owned(decoded),
        })
    }

    /// The decoded path, without the leading slash.
    pub fn as_str(&self) -> &str {
        &self.decoded
    }
}

/// Why a path that has bytes which may not stand in it is refused: for the first of them.
fn first_refused(path: &[u8]) -> Refusal {
    let mut bytes = path.iter();
    match bytes.find(|byte| !Bytes::of(&[**byte]).are_raw()) {
        Some(b'?' | b'#') => Refusal::QueryOrFragment,
        Some(0x80..) => Refusal::NonAscii,
        _ => Refusal::RawByte,
    }
}

fn percent_decode(text: &str) -> Result<String, Refusal> {
    let mut decoded = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(char::from(byte));
            continue;
        }
        let high = hex(bytes.next())?;
        let low = hex(bytes.next())?;
        match high << 4 | low {
            b'/' | b'\\' => return Err(Refusal::EncodedSlash),
            0..=0x1f | 0x7f => return Err(Refusal::ControlCharacter),
            0x80.. => return Err(Refusal::NonAscii),
            byte => decoded.push(char::from(byte)),
        }
    }
    Ok(decoded)
}

fn hex(digit: Option<u8>) -> Result<u8, Refusal> {
    match digit {
        Some(d @ b'0'..=b'9') => Ok(d - b'0'),
        Some(d @ b'a'..=b'f') => Ok(d - b'a' + 10),
        Some(d @ b'A'..=b'F') => Ok(d - b'A' + 10),
        _ => Err(Refusal::PercentEncoding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(path: &str) -> Result<String, Refusal> {
        Target::decode(path.as_bytes()).map(|target| target.as_str().to_owned())
    }

    #[test]
    fn it_decodes_exactly_once() {
        assert_eq!(decode("/a%2521b"), Ok("a%21b".into()));
        assert_eq!(decode("/a%21b/%40v/list"), Ok("a!b/@v/list".into()));
        assert_eq!(decode("/a!b"), Ok("a!b".into()));
    }

    #[test]
    fn what_go_never_sends_is_refused() {
        for (path, why) in [
            ("", Refusal::NotAbsolute),
            ("example.com/@v/list", Refusal::NotAbsolute),
            ("http://example.com/@v/list", Refusal::NotAbsolute),
            ("/a?b", Refusal::QueryOrFragment),
            ("/a#b", Refusal::QueryOrFragment),
            ("/a b", Refusal::RawByte),
            ("/a\\b", Refusal::RawByte),
            ("/a\0b", Refusal::RawByte),
            ("/a\"b", Refusal::RawByte),
            ("/é", Refusal::NonAscii),
            ("/%c3%a9", Refusal::NonAscii),
            ("/%c0%af", Refusal::NonAscii),
            ("/a%2fb", Refusal::EncodedSlash),
            ("/a%2Fb", Refusal::EncodedSlash),
            ("/a%5cb", Refusal::EncodedSlash),
            ("/a%00", Refusal::ControlCharacter),
            ("/a%0ab", Refusal::ControlCharacter),
            ("/a%", Refusal::PercentEncoding),
            ("/a%2", Refusal::PercentEncoding),
            ("/a%zz", Refusal::PercentEncoding),
        ] {
            assert_eq!(decode(path), Err(why), "{path:?}");
        }
        let long = format!("/{}", "a".repeat(MAX_PATH_BYTES));
        assert_eq!(decode(&long), Err(Refusal::TooLong));
    }
}
