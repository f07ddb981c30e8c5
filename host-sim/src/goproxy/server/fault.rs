//! What a server can be told to do wrong.

use http::StatusCode;

/// How the requests for one path are answered, instead of with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this status and a line of text.
    Status(StatusCode),
    /// With the file's headers, its whole length among them, and this many bytes of it; then the
    /// connection is cut. A file that is no longer than that is cut at its end, which is harmless.
    BreakOff {
        /// The bytes of the body that are sent.
        after: usize,
    },
}
