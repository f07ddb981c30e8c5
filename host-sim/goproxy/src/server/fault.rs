//! What a server can be told to do wrong.

use http::{HeaderValue, StatusCode};

/// How the requests for one path are answered, instead of with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this status and a line of text.
    Status(StatusCode),
    /// With a redirect to this place, the value of `Location` as it is.
    Redirect(HeaderValue),
    /// With the file's headers, its whole length among them, and this many bytes of it; then the
    /// connection is cut. A file that is no longer than that is cut at its end, which is harmless.
    BreakOff {
        /// The bytes of the body that are sent.
        after: usize,
    },
}
