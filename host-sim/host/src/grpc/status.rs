//! Statuses of gRPC.

use crate::http::Headers;

/// A status as Envoy hands it to the filter: those that gRPC knows, and -1 for one that is no number or
/// none that gRPC knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u32);

impl Status {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const UNKNOWN: Self = Self(2);
    pub(crate) const INTERNAL: Self = Self(13);
    pub(crate) const UNAVAILABLE: Self = Self(14);
    const INVALID: Self = Self(u32::MAX);
    /// The last that gRPC knows: unauthenticated.
    const LAST: u32 = 16;

    /// What `grpc-status` says, where it is there.
    pub(crate) fn of(headers: &Headers) -> Option<Self> {
        let text = headers.get("grpc-status")?;
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let known = number.filter(|number| *number <= Self::LAST);
        Some(known.map_or(Self::INVALID, Self))
    }
}

/// What `grpc-message` says, as it came.
pub(crate) fn message_of(headers: &Headers) -> String {
    let message = headers.get("grpc-message");
    message.map_or_else(String::new, |text| {
        String::from_utf8_lossy(text).into_owned()
    })
}

/// What a status of HTTP is worth, where gRPC has none
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>).
pub(crate) const fn status_of_http(status: u16) -> Status {
    Status(match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    })
}
