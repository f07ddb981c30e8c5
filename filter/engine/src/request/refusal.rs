//! Why a request could not be read.

use std::fmt;

/// The reason for which a request is none that the Go command would send.
///
/// Its text goes to the client, so it never repeats the client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
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
    /// An upper-case letter that is not written `!` and lower case.
    RawUpperCase,
    /// `!` without a lower-case letter behind it.
    DanglingEscape,
    /// Two slashes together, or one at the end.
    EmptyElement,
    /// An element that begins or ends with a dot.
    DotElement,
    /// A name that Windows keeps for itself.
    WindowsName,
    /// The module path's first element has no dot.
    NoDotInFirstElement,
    /// The module path's first element is no domain name.
    FirstElement,
    /// A character that no module path has.
    ModuleCharacter,
    /// A character that no file of a module has in its name.
    FileCharacter,
    /// `/v0`, `/v1`, a leading zero, or gopkg.in without `.vN`.
    MajorSuffix,
    /// A character that no version has.
    VersionCharacter,
    /// A version where only a canonical one can stand.
    NotCanonical,
    /// A version of another major version than the path's.
    MajorMismatch,
    /// None of the protocol's endpoints.
    UnknownEndpoint,
    /// None of the checksum database's endpoints.
    UnknownSumdbEndpoint,
    /// No tile of a checksum database has this path.
    TilePath,
    /// An identity header that stands more than once, or a header or claim without a tenant's name.
    Identity,
}

impl Refusal {
    /// The reason in words, one line of ASCII.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::MalformedHead => "the request has no single :method and :path",
            Self::HeaderValue => "a header's value has a line break or a NUL",
            Self::Body => "the request has a body; the GOPROXY protocol has none",
            Self::TooLong => "the path is longer than 4096 bytes",
            Self::NotAbsolute => "the path does not begin with a slash",
            Self::QueryOrFragment => {
                "the path has a query or a fragment; the GOPROXY protocol has none"
            }
            Self::RawByte => "the path has a byte that must be percent-encoded",
            Self::PercentEncoding => "a % without two hexadecimal digits",
            Self::ControlCharacter => "the path has a control character",
            Self::EncodedSlash => "a percent-encoded slash or backslash",
            Self::NonAscii => "the path is not ASCII",
            Self::RawUpperCase => "an upper-case letter must be written as ! and its lower case",
            Self::DanglingEscape => "a ! without a lower-case letter behind it",
            Self::EmptyElement => "an empty path element",
            Self::DotElement => "a path element that begins or ends with a dot",
            Self::WindowsName => "a path element that is a reserved name on Windows",
            Self::NoDotInFirstElement => "the module path's first element has no dot",
            Self::FirstElement => "the module path's first element is not a domain name",
            Self::ModuleCharacter => "a character that no module path has",
            Self::FileCharacter => "a character that no file of a module has in its name",
            Self::MajorSuffix => "the module path ends in a major version that no module has",
            Self::VersionCharacter => "a character that no version has",
            Self::NotCanonical => "the version is not canonical; only .info takes other queries",
            Self::MajorMismatch => "the version does not fit the module path's major version",
            Self::UnknownEndpoint => {
                "not a GOPROXY endpoint; they are @v/list, @v/VERSION.info, .mod, .zip and @latest"
            }
            Self::UnknownSumdbEndpoint => {
                "not a checksum database endpoint; they are supported, latest, lookup and tile"
            }
            Self::TilePath => "not a tile of a checksum database",
            Self::Identity => "an identity header or claim is repeated or holds no tenant name",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Refusal {}
