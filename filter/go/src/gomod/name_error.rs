//! Why a name is none that the Go command would write.

use std::fmt;

/// The reason for which something is no module path, version or file name.
///
/// Its text goes to the client, so it never repeats the client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// A character beyond ASCII.
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
}

impl NameError {
    /// The reason in words, one line of ASCII.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NonAscii => "the path is not ASCII",
            Self::RawUpperCase => "an upper-case letter must be written as ! and its lower case",
            Self::DanglingEscape => "a ! that is not followed by a lower-case letter",
            Self::EmptyElement => "an empty path element",
            Self::DotElement => "a path element that begins or ends with a dot",
            Self::WindowsName => "a path element that is a reserved name on Windows",
            Self::NoDotInFirstElement => "the module path's first element has no dot",
            Self::FirstElement => "the module path's first element is not a domain name",
            Self::ModuleCharacter => "a character that is not valid in a module path",
            Self::FileCharacter => "a character that is not valid in a file name of a module",
            Self::MajorSuffix => "the module path ends in an invalid major version",
            Self::VersionCharacter => "a character that is not valid in a version",
            Self::NotCanonical => "the version is not canonical; only .info takes other queries",
            Self::MajorMismatch => "the version does not fit the module path's major version",
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for NameError {}
