//! The parts of a backend's refusal that reach the client after a lookup.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::denial;
use modgate_go::http::{Header, value_of};

/// The headers that say when to try again, and with which credentials (RFC 9110, sections 10.2.3 and 11.6.1).
const HANDED_ON: [&str; 2] = ["retry-after", "www-authenticate"];

/// The most values of those that are passed on, and the most bytes of one.
const MOST_VALUES: usize = 8;
const MOST_BYTES: usize = 1024;

/// The most lines that the Go command prints of an answer (cmd/go/internal/web, `formatErrorDetail`).
const MOST_LINES: usize = 8;

/// The headers that are passed on.
pub(crate) fn headers(headers: &[Header]) -> Vec<(&'static str, String)> {
    let of_name = |name: &'static str| {
        let values = headers.iter().filter(move |(known, _)| known == name);
        values.filter_map(move |(_, value)| {
            let is_plain = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
            let fits = is_plain && value.len() <= MOST_BYTES;
            Some((
                name,
                std::str::from_utf8(value).ok().filter(|_| fits)?.to_owned(),
            ))
        })
    };
    HANDED_ON
        .into_iter()
        .flat_map(of_name)
        .take(MOST_VALUES)
        .collect()
}

/// What the Go command would print of a refusal's body: plain text, up to its first empty line. Nothing, if a
/// character could control a terminal.
pub(crate) fn text(headers: &[Header], body: &[u8]) -> String {
    let Some(text) = std::str::from_utf8(body)
        .ok()
        .filter(|_| is_plain_text(headers))
    else {
        return String::new();
    };
    let mut shown = String::new();
    for line in text.split_inclusive('\n').take(MOST_LINES) {
        if line.trim().is_empty() || shown.len() + line.len() > denial::MAX_BYTES {
            break;
        }
        if !line.chars().all(|c| is_graphic(c) || c.is_whitespace()) {
            return String::new();
        }
        shown.push_str(line);
    }
    shown
}

/// As Go's `unicode.IsGraphic`.
fn is_graphic(c: char) -> bool {
    use GeneralCategory as Is;
    let category = get_general_category(c);
    !matches!(
        category,
        Is::Control
            | Is::Format
            | Is::Surrogate
            | Is::PrivateUse
            | Is::Unassigned
            | Is::LineSeparator
            | Is::ParagraphSeparator
    )
}

fn is_plain_text(headers: &[Header]) -> bool {
    let media = value_of(headers, "content-type").and_then(|value| std::str::from_utf8(value).ok());
    let media = media.unwrap_or_default().to_ascii_lowercase();
    let mut parts = media.split(';').map(str::trim);
    let is_readable = |parameter: &str| match parameter.strip_prefix("charset=") {
        Some(charset) => matches!(charset.trim_matches('"'), "utf-8" | "us-ascii"),
        None => true,
    };
    parts.next() == Some("text/plain") && parts.all(is_readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(media: &str, body: &[u8]) -> String {
        text(
            &[("content-type".to_owned(), media.as_bytes().to_vec())],
            body,
        )
    }

    #[test]
    fn the_body_is_what_go_would_print() {
        let plain = "text/plain";
        assert_eq!(
            of(plain, b"not found: no such tag\n"),
            "not found: no such tag\n"
        );
        assert_eq!(of(plain, b"a\nb\n\nc\n"), "a\nb\n");
        assert_eq!(of(plain, "1\n".repeat(9).as_bytes()), "1\n".repeat(8));
        let long = format!("{}\n{}\n", "a".repeat(400), "b".repeat(400));
        assert_eq!(of(plain, long.as_bytes()), format!("{}\n", "a".repeat(400)));
        assert_eq!(
            of(plain, "gr\u{fc}\u{df}e\t\u{a0}\r\n".as_bytes()),
            "gr\u{fc}\u{df}e\t\u{a0}\r\n"
        );
        for media in [
            "Text/Plain; charset=UTF-8",
            "text/plain;charset=us-ascii",
            "text/plain; charset=\"utf-8\"",
        ] {
            assert_eq!(of(media, b"why"), "why", "{media}");
        }
        for media in [
            "",
            "text/html",
            "application/json",
            "text/plain; charset=latin1",
            "text/plainer",
        ] {
            assert_eq!(of(media, b"why"), "", "{media}");
        }
        for body in [
            &b"\x1b[2J"[..],
            b"a\nb\x07\n",
            b"\xff",
            b"\x00",
            "\u{202e}a".as_bytes(),
        ] {
            assert_eq!(of(plain, body), "", "{body:?}");
        }
        assert_eq!(text(&[], b"why"), "");
    }

    #[test]
    fn headers_say_when_and_with_which_credentials_to_ask_again() {
        let of = |all: &[(&str, &str)]| {
            let all: Vec<Header> = all
                .iter()
                .map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec()))
                .collect();
            headers(&all)
        };
        let kept = |name, value: &str| (name, value.to_owned());
        assert_eq!(
            of(&[
                ("www-authenticate", "Basic realm=\"x\""),
                ("set-cookie", "a=b"),
                ("retry-after", "7"),
                ("www-authenticate", "Bearer"),
                ("location", "/x"),
            ]),
            [
                kept("retry-after", "7"),
                kept("www-authenticate", "Basic realm=\"x\""),
                kept("www-authenticate", "Bearer"),
            ]
        );
        let long = "x".repeat(MOST_BYTES + 1);
        assert_eq!(
            of(&[("retry-after", &long), ("www-authenticate", "a\r\nb: c")]),
            []
        );
        let many = vec![("www-authenticate", "Basic"); 100];
        assert_eq!(of(&many).len(), MOST_VALUES);
    }
}
