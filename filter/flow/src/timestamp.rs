//! A moment by the proxy's clock.

use std::time::{Duration, SystemTime};

use crate::host::Host;

/// A moment by the proxy's clock, where it has told one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp(Option<SystemTime>);

impl Timestamp {
    pub(crate) fn now(host: &dyn Host) -> Self {
        Self(host.now())
    }

    /// Milliseconds since 1970.
    pub(crate) fn unix_milliseconds(self) -> Option<u64> {
        let since = self.0?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    }

    /// The time since; zero where the clock went backwards.
    pub(crate) fn elapsed(self, host: &dyn Host) -> Duration {
        let (Some(then), Some(now)) = (self.0, host.now()) else {
            return Duration::ZERO;
        };
        now.duration_since(then).unwrap_or_default()
    }
}
