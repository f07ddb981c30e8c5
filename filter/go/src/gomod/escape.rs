//! The case escape: an upper-case letter is written `!` and its lower case, so that names survive
//! file systems that fold case (module reference, "GOPROXY protocol").

use std::borrow::Cow;

use super::Bytes;
use super::name_error::NameError;

/// Undoes the escape. Borrows where nothing was escaped.
///
/// # Errors
/// Raw upper case, a `!` that is not followed by a lower-case letter, and anything beyond ASCII.
pub fn unescape(escaped: &str) -> Result<Cow<'_, str>, NameError> {
    let bytes = Bytes::of(escaped.as_bytes());
    if bytes.have_never_escaped() {
        return Err(first_never_escaped(escaped));
    }
    if !bytes.have_bang() {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut plain = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        if c != '!' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some(lower) if lower.is_ascii_lowercase() => plain.push(lower.to_ascii_uppercase()),
            _ => return Err(NameError::DanglingEscape),
        }
    }
    Ok(Cow::Owned(plain))
}

fn first_never_escaped(escaped: &str) -> NameError {
    let mut bytes = escaped.bytes();
    match bytes.find(|byte| Bytes::of(&[*byte]).have_never_escaped()) {
        Some(b'A'..=b'Z') => NameError::RawUpperCase,
        _ => NameError::NonAscii,
    }
}

/// Appends a name as the Go command writes it into a URL: the case escape, then percent-encoding
/// as `url.PathEscape` does it, `!` included, with slashes kept.
pub fn escape_into(name: &str, out: &mut String) {
    if Bytes::of(name.as_bytes()).are_url() {
        out.push_str(name);
        return;
    }
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push_str("%21");
            out.push(c.to_ascii_lowercase());
            continue;
        }
        let mut buffer = [0; 4];
        let encoded = c.encode_utf8(&mut buffer);
        if Bytes::of(encoded.as_bytes()).are_url() {
            out.push(c);
            continue;
        }
        for byte in encoded.bytes() {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_comes_back() {
        assert_eq!(
            unescape("github.com/!burnt!sushi/toml").unwrap(),
            "github.com/BurntSushi/toml"
        );
        let mut out = String::new();
        escape_into("github.com/BurntSushi/toml", &mut out);
        assert_eq!(out, "github.com/%21burnt%21sushi/toml");
    }

    #[test]
    fn a_query_with_a_percent_sign_is_encoded_once() {
        let mut out = String::new();
        escape_into("a%2fb", &mut out);
        assert_eq!(out, "a%252fb");
    }

    #[test]
    fn what_go_would_not_write_is_refused() {
        let rows = [
            ("github.com/BurntSushi", NameError::RawUpperCase),
            ("a!", NameError::DanglingEscape),
            ("a!!b", NameError::DanglingEscape),
            ("a!1", NameError::DanglingEscape),
            ("a!/b", NameError::DanglingEscape),
            ("é", NameError::NonAscii),
        ];
        table_rows::check(rows, |(name, why)| {
            assert_eq!(unescape(name), Err(why), "{name}");
        });
    }
}
