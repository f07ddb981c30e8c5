//! From the bytes of `:path` to decoded path elements: percent-encoding is undone here, once.

use std::borrow::Cow;

use super::RequestError;
use crate::gomod::Bytes;

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
    pub fn decode(path: &'a [u8]) -> Result<Self, RequestError> {
        if path.len() > MAX_PATH_BYTES {
            return Err(RequestError::TooLong);
        }
        let rest = path.strip_prefix(b"/").ok_or(RequestError::NotAbsolute)?;
        let bytes = Bytes::of(rest);
        if !bytes.are_raw() {
            return Err(first_refused(rest));
        }
        let text = std::str::from_utf8(rest).map_err(|_| RequestError::NonAscii)?;
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
fn first_refused(path: &[u8]) -> RequestError {
    let mut bytes = path.iter();
    match bytes.find(|byte| !Bytes::of(&[**byte]).are_raw()) {
        Some(b'?' | b'#') => RequestError::QueryOrFragment,
        Some(0x80..) => RequestError::NonAscii,
        _ => RequestError::RawByte,
    }
}

fn percent_decode(text: &str) -> Result<String, RequestError> {
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
            b'/' | b'\\' => return Err(RequestError::EncodedSlash),
            0..=0x1f | 0x7f => return Err(RequestError::ControlCharacter),
            0x80.. => return Err(RequestError::NonAscii),
            byte => decoded.push(char::from(byte)),
        }
    }
    Ok(decoded)
}

fn hex(digit: Option<u8>) -> Result<u8, RequestError> {
    match digit {
        Some(d @ b'0'..=b'9') => Ok(d - b'0'),
        Some(d @ b'a'..=b'f') => Ok(d - b'a' + 10),
        Some(d @ b'A'..=b'F') => Ok(d - b'A' + 10),
        _ => Err(RequestError::PercentEncoding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(path: &str) -> Result<String, RequestError> {
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
        let rows = [
            ("", RequestError::NotAbsolute),
            ("example.com/@v/list", RequestError::NotAbsolute),
            ("http://example.com/@v/list", RequestError::NotAbsolute),
            ("/a?b", RequestError::QueryOrFragment),
            ("/a#b", RequestError::QueryOrFragment),
            ("/a b", RequestError::RawByte),
            ("/a\\b", RequestError::RawByte),
            ("/a\0b", RequestError::RawByte),
            ("/a\"b", RequestError::RawByte),
            ("/é", RequestError::NonAscii),
            ("/%c3%a9", RequestError::NonAscii),
            ("/%c0%af", RequestError::NonAscii),
            ("/a%2fb", RequestError::EncodedSlash),
            ("/a%2Fb", RequestError::EncodedSlash),
            ("/a%5cb", RequestError::EncodedSlash),
            ("/a%00", RequestError::ControlCharacter),
            ("/a%0ab", RequestError::ControlCharacter),
            ("/a%", RequestError::PercentEncoding),
            ("/a%2", RequestError::PercentEncoding),
            ("/a%zz", RequestError::PercentEncoding),
        ];
        table_rows::check(rows, |(path, why)| {
            assert_eq!(decode(path), Err(why), "{path:?}");
        });
        let long = format!("/{}", "a".repeat(MAX_PATH_BYTES));
        assert_eq!(decode(&long), Err(RequestError::TooLong));
    }
}
