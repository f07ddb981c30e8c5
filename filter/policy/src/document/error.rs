//! What is wrong with a policy, and where.

use std::fmt;

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The JSON path, such as `$.rules.org[1].deny[0]`.
    pub path: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl PolicyError {
    /// An error of the document as a whole.
    pub fn at_root(message: impl Into<String>) -> Self {
        Path::root().error(message)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for PolicyError {}

/// A place in the document.
#[derive(Clone, Debug)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn root() -> Self {
        Self("$".to_owned())
    }

    /// A member of an object, `.name`, or `['name']` (RFC 9535) where a dot would mislead.
    pub(crate) fn key(&self, key: &str) -> Self {
        let plain = !key.is_empty()
            && !key.starts_with(|c: char| c.is_ascii_digit())
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if plain {
            Self(format!("{}.{key}", self.0))
        } else {
            Self(format!("{}['{}']", self.0, key.escape_debug()))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> PolicyError {
        PolicyError {
            path: self.0.clone(),
            message: one_line(&message.into()),
        }
    }
}

/// A message repeats names and values of the document. Control characters, and those that change the
/// direction of text or are invisible, are escaped: a message stays on one line and steers no terminal.
fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            ' '..='~' => line.push(c),
            c => line.extend(c.escape_debug()),
        }
    }
    line
}

/// The JSON path of an object's member, as errors have it.
pub fn member_path(object: &str, key: &str) -> String {
    Path(object.to_owned()).key(key).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_escapes_what_steers_a_terminal() {
        for (what, text, wanted) in [
            (
                "plain text",
                r#"the key "a": 'b' \ é"#,
                r#"the key "a": 'b' \ é"#,
            ),
            ("the end of a line", "a\r\nb", r"a\r\nb"),
            ("an escape", "a\u{1b}[2J", r"a\u{1b}[2J"),
            ("a C1 control", "a\u{9b}2J", r"a\u{9b}2J"),
            ("right to left", "a\u{202e}b", r"a\u{202e}b"),
            ("an isolate", "a\u{2066}b", r"a\u{2066}b"),
            ("a zero-width space", "a\u{200b}b", r"a\u{200b}b"),
            ("the end of a paragraph", "a\u{2029}b", r"a\u{2029}b"),
        ] {
            assert_eq!(PolicyError::at_root(text).message, wanted, "{what}");
        }
    }
}
