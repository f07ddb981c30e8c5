//! Why a request could not be read.

use std::fmt;

use crate::gomod::NameError;

/// The reason for which a request is none that the Go command would send.
///
/// Its text goes to the client, so it never repeats the client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// No `:path`, no `:method`, or one of them more than once.
    MalformedHead,
    /// A line break or a NUL in a header's value.
    HeaderValue,
    /// A body, or a length that is none.
    Body,
    /// The path is longer than [`super::MAX_PATH_BYTES`].
    TooLong,
    /// The path does not begin with a slash.
    NotAbsolute,
    /// A query or a fragment: the GOPROXY protocol has none.
    QueryOrFragment,
    /// A byte that may not stand in a URL's path unencoded.
    RawByte,
    /// `%` without two hexadecimal digits.
    PercentEncoding,
    /// A control character, once decoded.
    ControlCharacter,
    /// A slash or a backslash that is percent-encoded.
    EncodedSlash,
    /// A byte beyond ASCII, once decoded.
    NonAscii,
    /// None of the protocol's endpoints.
    UnknownEndpoint,
    /// None of the checksum database's endpoints.
    UnknownSumdbEndpoint,
    /// No tile of a checksum database has this path.
    TilePath,
    /// An identity header that stands more than once, or a header or claim without a tenant's name.
    Identity,
    /// A module path or version that is none.
    Name(NameError),
}

impl RequestError {
    /// The reason in words, one line of ASCII.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::MalformedHead => "the request must have exactly one :method and one :path",
            Self::HeaderValue => "a header's value has a line break or a NUL",
            Self::Body => "the request has a body; GOPROXY requests have none",
            Self::TooLong => "the path is longer than 4096 bytes",
            Self::NotAbsolute => "the path does not begin with a slash",
            Self::QueryOrFragment => {
                "the path has a query or a fragment; GOPROXY requests have neither"
            }
            Self::RawByte => "the path has a byte that must be percent-encoded",
            Self::PercentEncoding => "a % that is not followed by two hexadecimal digits",
            Self::ControlCharacter => "the path has a control character",
            Self::EncodedSlash => "a percent-encoded slash or backslash",
            Self::NonAscii => "the path is not ASCII",
            Self::UnknownEndpoint => {
                "not a GOPROXY endpoint; they are @v/list, @v/VERSION.info, .mod, .zip and @latest"
            }
            Self::UnknownSumdbEndpoint => {
                "not a checksum database endpoint; they are supported, latest, lookup and tile"
            }
            Self::TilePath => "not a tile of a checksum database",
            Self::Identity => {
                "an identity header or claim is repeated or is not a valid tenant name"
            }
            Self::Name(error) => error.reason(),
        }
    }
}

impl From<NameError> for RequestError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for RequestError {}
