//! Standard output and standard error, which may have lost their readers.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, ErrorKind, StdoutLock, Write};

use anstream::AutoStream;

/// The status when nobody reads on, as shells report it of programs that SIGPIPE ends.
pub(super) const READER_GONE: u8 = 128 + 13;

/// Standard output. Styles are left out where nobody sees them. An error of a reader that has gone away
/// is one that [`is_reader_gone`] knows, so that it is not taken for a connection's.
#[derive(Debug)]
pub(super) struct Out(AutoStream<StdoutLock<'static>>);

/// Standard output, held until it is dropped.
pub(super) fn stdout() -> Out {
    Out(anstream::stdout().lock())
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(marked)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(marked)
    }
}

#[derive(Debug)]
struct ReaderGone;

impl Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output")
    }
}

impl Error for ReaderGone {}

fn marked(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ReaderGone),
        _ => error,
    }
}

/// Whether a command has ended because nobody reads its output: there is nobody to tell.
pub(super) fn is_reader_gone(error: &(dyn Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<ReaderGone>())
}

/// Prints a text.
///
/// # Errors
/// What keeps it from being written.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line on standard error. If that fails there is nowhere left to report it, and what the command
/// does goes on.
pub(super) fn note(line: impl Display) {
    _ = writeln!(io::stderr(), "{line}");
}

/// A number of things: `1 rule`, `2 rules`.
pub(super) fn count(n: impl ToString, what: &str) -> String {
    let n = n.to_string();
    let plural = if n == "1" { "" } else { "s" };
    format!("{n} {what}{plural}")
}
