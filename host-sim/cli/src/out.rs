//! Standard output.

use std::io::{self, ErrorKind, Write};

/// Prints a text; styles are left out where nobody sees them. That nobody reads on is no error: who
/// reads only the beginning has what he wants.
///
/// # Errors
/// What else keeps it from being written.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A number of things: `1 rule`, `2 rules`.
pub(super) fn count(n: impl ToString, what: &str) -> String {
    let n = n.to_string();
    let plural = if n == "1" { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// What others wrote, as it can be shown: nothing of it steers a terminal, and it is cut to so many
/// characters.
pub(super) fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == most {
            shown.push_str("...");
            break;
        }
        match c {
            ' '..='~' => shown.push(c),
            c if c.is_alphanumeric() => shown.push(c),
            c => shown.extend(c.escape_default()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_others_wrote_steers_no_terminal() {
        assert_eq!(shown("a\u{1b}[2Jé\u{202e}b", 99), r"a\u{1b}[2Jé\u{202e}b");
        assert_eq!(shown("abcdef", 3), "abc...");
        assert_eq!(shown("abc", 3), "abc");
    }
}
