//! How a string is written so that every reader takes it for that string.

use std::fmt::Write as _;

/// Words that some reader takes for a boolean or for null, whatever their case.
const WORDS: [&str; 9] = ["y", "yes", "n", "no", "on", "off", "true", "false", "null"];

/// The style of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bare,
    Single,
    Double,
    /// `|`, with its sign for the end of the text.
    Block(&'static str),
}

impl Style {
    /// The most readable style that no reader takes for something else.
    pub(crate) fn of(text: &str) -> Self {
        if let Some(end) = block(text) {
            return Self::Block(end);
        }
        if !text.chars().all(is_shown) {
            return Self::Double;
        }
        if is_bare(text) {
            Self::Bare
        } else {
            Self::Single
        }
    }
}

/// A string on one line, as a key must be.
pub(crate) fn inline(text: &str) -> String {
    match Style::of(text) {
        Style::Bare => text.to_owned(),
        Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double | Style::Block(_) => double(text),
    }
}

/// Whether a character may stand in a line as it is: all others are escaped. No reader agrees with
/// another on tabs everywhere; the ends of lines of YAML 1.1 are more than those of 1.2.
fn is_shown(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => c >= '\u{a0}',
    }
}

fn is_bare(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if !(first.is_alphanumeric() || matches!(first, '_' | '/')) {
        return false;
    }
    if text.ends_with([':', ' ']) || text.contains(": ") || text.contains(" #") {
        return false;
    }
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return false;
    }
    !first.is_numeric() || has_no_number(text)
}

/// Whether a text that begins with a digit has a letter that no number, no time and no date has, in any
/// base: `30s` is none, `0x1f`, `1e3`, `12:30` and `2001-12-14T21:59:43Z` may be.
fn has_no_number(text: &str) -> bool {
    let of_numbers = |c: char| {
        matches!(
            c.to_ascii_lowercase(),
            'a'..='f' | 'i' | 'n' | 'o' | 't' | 'x' | 'z'
        )
    };
    text.chars()
        .any(|c| c.is_ascii_alphabetic() && !of_numbers(c))
}

/// The sign of a block for this text, if it can be one: several lines that need no escape, the first of
/// which shows the indent.
fn block(text: &str) -> Option<&'static str> {
    let content = text.strip_suffix('\n').unwrap_or(text);
    if content.is_empty() || !text.contains('\n') || content.ends_with('\n') {
        return None;
    }
    let is_line =
        |line: &str| line.chars().all(is_shown) && (line.is_empty() || !line.trim().is_empty());
    if content.starts_with([' ', '\n']) || !content.split('\n').all(is_line) {
        return None;
    }
    Some(if text.ends_with('\n') { "|" } else { "|-" })
}

fn double(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let code = u32::from(c);
        // Writing to a string cannot fail.
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            '\n' => write!(quoted, "\\n"),
            '\t' => write!(quoted, "\\t"),
            '\r' => write!(quoted, "\\r"),
            c if is_shown(c) => write!(quoted, "{c}"),
            _ if code < 0x100 => write!(quoted, "\\x{code:02x}"),
            _ => write!(quoted, "\\u{code:04x}"),
        };
    }
    quoted.push('"');
    quoted
}
