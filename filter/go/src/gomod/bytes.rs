//! What the bytes of names and paths are, looked up in a table: each request is read several times, so
//! each reading is one pass without a branch for a byte.

/// A byte of a module path's element.
const PATH: u8 = 1;
/// A byte that goes into a URL as it is.
const URL: u8 = 1 << 1;
/// A byte that may stand in a request's path as it is.
const RAW: u8 = 1 << 2;
/// An upper-case letter, or no ASCII.
const NEVER_ESCAPED: u8 = 1 << 3;
/// `!`, which begins a case escape.
const BANG: u8 = 1 << 4;
/// `%`, which begins a percent-encoding.
const PERCENT: u8 = 1 << 5;
/// `~`, which Windows' short names have.
const TILDE: u8 = 1 << 6;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    let mut rest: &mut [u8] = &mut classes;
    while let [first, behind @ ..] = rest {
        *first = class(byte);
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    classes
};

const fn class(byte: u8) -> u8 {
    let mut class = match byte {
        b'a'..=b'z' | b'0'..=b'9' => PATH | URL | RAW,
        b'A'..=b'Z' => PATH | RAW | NEVER_ESCAPED,
        b'-' | b'.' | b'_' | b'~' => PATH | URL | RAW,
        // `url.PathEscape` leaves these, and Modgate the slash.
        b'/' | b'$' | b'&' | b'+' | b'=' | b':' | b'@' => URL | RAW,
        // The rest of RFC 3986's `pchar` (section 3.3), and two that Go's own URLs carry unencoded.
        b'%' | b'!' | b'\'' | b'(' | b')' | b'*' | b',' | b';' | b'[' | b']' => RAW,
        0x80.. => NEVER_ESCAPED,
        _ => 0,
    };
    class |= match byte {
        b'!' => BANG,
        b'%' => PERCENT,
        b'~' => TILDE,
        _ => 0,
    };
    class
}

/// What all bytes of a text have in common, and what any of them is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    all: u8,
    any: u8,
}

impl Bytes {
    /// Reads a text once.
    pub(crate) fn of(text: &[u8]) -> Self {
        let (mut all, mut any) = (u8::MAX, 0);
        for byte in text {
            let class = CLASSES.get(usize::from(*byte)).copied().unwrap_or_default();
            all &= class;
            any |= class;
        }
        Self { all, any }
    }

    /// Whether all can stand in an element of a module path.
    pub(crate) const fn are_path(self) -> bool {
        self.all & PATH != 0
    }

    /// Whether all go into a URL as they are, slashes included.
    pub(crate) const fn are_url(self) -> bool {
        self.all & URL != 0
    }

    /// Whether all may stand in a request's path as they are (RFC 3986 section 3.3).
    pub(crate) const fn are_raw(self) -> bool {
        self.all & RAW != 0
    }

    /// Whether one of them is none that a case escape leaves: an upper-case letter, or no ASCII.
    pub(crate) const fn have_never_escaped(self) -> bool {
        self.any & NEVER_ESCAPED != 0
    }

    /// Whether one of them is `!`.
    pub(crate) const fn have_bang(self) -> bool {
        self.any & BANG != 0
    }

    /// Whether one of them is `%`.
    pub(crate) const fn have_percent(self) -> bool {
        self.any & PERCENT != 0
    }

    /// Whether one of them is `~`.
    pub(crate) const fn have_tilde(self) -> bool {
        self.any & TILDE != 0
    }
}

/// Whether a byte may stand in a module path's element.
pub const fn is_path_byte(byte: u8) -> bool {
    class(byte) & PATH != 0
}

/// Splits a text at the first of an ASCII character. For short texts this is cheaper than
/// `str::split_once`, which is made for long ones.
#[inline]
pub(crate) fn split_at_first(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// As [`split_at_first`], at the last one.
#[inline]
pub(crate) fn split_at_last(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().rposition(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_as_the_standard_library_does_it() {
        for text in ["", "/", "a", "a/", "/a", "a/b/c", "é/ü", "//"] {
            assert_eq!(split_at_first(text, b'/'), text.split_once('/'), "{text}");
            assert_eq!(split_at_last(text, b'/'), text.rsplit_once('/'), "{text}");
        }
    }

    #[test]
    fn an_empty_text_has_nothing_against_it() {
        let empty = Bytes::of(b"");
        assert!(empty.are_path() && empty.are_url() && empty.are_raw());
        assert!(!empty.have_bang() && !empty.have_percent() && !empty.have_never_escaped());
    }
}
