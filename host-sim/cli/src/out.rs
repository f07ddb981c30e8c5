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
