//! A request's headers, and what the lines of one say together.

/// A header as hosts hand it over: the name in lower case, the value in bytes.
pub type Header = (String, Vec<u8>);

/// The first value of a header.
pub fn value_of<'h>(headers: &'h [Header], name: &str) -> Option<&'h [u8]> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_slice())
}

/// The values of one header of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderValue<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// It is there once.
    Single(&'a [u8]),
    /// It is there more than once, so that none of them counts.
    Duplicate,
}

impl<'a> HeaderValue<'a> {
    /// Notes another line of the header.
    pub const fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Single(value),
            Self::Single(_) | Self::Duplicate => Self::Duplicate,
        };
    }
}
