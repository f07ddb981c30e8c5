//! What of a backend's refusal reaches the client, where the filter asked the backend itself.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::head::{Header, value_of};
use crate::policy::denial;

/// What tells a client when to ask again, and with which credentials (RFC 9110, sections 10.2.3 and 11.6.1).
const HANDED_ON: [&str; 2] = ["retry-after", "www-authenticate"];

/// The most values of those that are handed on, and of bytes of one.
const MOST_VALUES: usize = 8;
const MOST_BYTES: usize = 1024;

/// The most lines that the Go command prints of an answer (cmd/go/internal/web, `formatErrorDetail`).
const MOST_LINES: usize = 8;

/// The headers that are handed on.
pub(super) fn headers(headers: &[Header]) -> Vec<(&'static str, String)> {
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

/// What the Go command would print of a refusal's body: plain text, up to its first empty line. Nothing
/// of a text with a character that could do something to a terminal.
pub(super) fn text(headers: &[Header], body: &[u8]) -> String {
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
