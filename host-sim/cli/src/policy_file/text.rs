//! Bytes of files as text, as editors and shells leave them: behind a byte-order mark, or in UTF-16.

use std::path::Path;

use envoy_wasm_host::files;
use envoy_wasm_scenario::shown;

/// The most bytes of a text that is read whole.
const LIMIT: u64 = 256 << 20;

/// Bytes that are no text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoText {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl std::fmt::Display for NoText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// The text without its byte-order mark. UTF-16, which PowerShell's `>` writes, is known by its mark;
/// all else must be UTF-8.
///
/// # Errors
/// The first line that cannot be read.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, NoText> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            // Half a character at the end: no character at all.
            _ => 0xd800,
        });
        let mut text = String::new();
        for character in char::decode_utf16(units) {
            text.push(character.map_err(|_| {
                NoText {
                    line: lines(text.as_bytes()),
                    message:
                        "it is not valid UTF-16, although it begins with a UTF-16 byte order mark"
                            .to_owned(),
                }
            })?);
        }
        Ok(text)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        NoText {
            line: lines(&bytes[..at]),
            message: format!("byte {at} of the file is not valid UTF-8"),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The number of the line in which what follows these bytes stands.
fn lines(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// A file's name, `standard input` for `-`, and its text.
///
/// # Errors
/// One sentence that begins with the name.
pub(crate) fn read(path: &Path) -> Result<(String, String), String> {
    let name = name(path);
    let bytes = bytes(path).map_err(|error| format!("{name}: {error}"))?;
    let text = decode(bytes).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

/// A file's name as messages show it, safe for a terminal: a folder may come from somebody else's archive.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    shown(&path.display().to_string(), usize::MAX)
}

/// A file's bytes; those of standard input for `-`.
///
/// # Errors
/// What the system says.
pub(crate) fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return files::once(path, LIMIT);
    }
    files::limited(std::io::stdin().lock(), LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_steers_no_terminal() {
        for (path, wanted) in [
            ("-", "standard input"),
            ("a b/é.zip", "a b/é.zip"),
            ("a\u{1b}[2J\n.zip", r"a\u{1b}[2J\n.zip"),
            ("a\u{202e}piz.exe", r"a\u{202e}piz.exe"),
        ] {
            assert_eq!(name(Path::new(path)), wanted);
        }
    }

    #[test]
    fn byte_order_marks_are_not_part_of_a_text() {
        let utf16 = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
            let units = "a\u{e9}\u{1f600}\n".encode_utf16().flat_map(unit);
            [mark, &units.collect::<Vec<u8>>()].concat()
        };
        for bytes in [
            "a\u{e9}\u{1f600}\n".as_bytes().to_vec(),
            "\u{feff}a\u{e9}\u{1f600}\n".as_bytes().to_vec(),
            utf16(b"\xff\xfe", u16::to_le_bytes),
            utf16(b"\xfe\xff", u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes).unwrap(), "a\u{e9}\u{1f600}\n");
        }
        assert_eq!(decode(Vec::new()).unwrap(), "");
        // Only the first is a mark.
        assert_eq!(decode("\u{feff}\u{feff}".into()).unwrap(), "\u{feff}");
    }

    #[test]
    fn text_that_cannot_be_decoded_is_refused_with_its_line() {
        for (bytes, line) in [
            (&b"a\nb\xff"[..], 2),
            (b"\xff\xfea\0\n\0\0\xd8", 2),
            (b"\xff\xfea", 1),
        ] {
            assert_eq!(decode(bytes.to_vec()).unwrap_err().line, line, "{bytes:?}");
        }
    }
}
