//! What the workers of one proxy share, in its memory, and what one worker keeps for itself.

mod cache;
mod repeats;
mod secret;
mod worker;

pub(crate) use cache::SharedCache;
pub(crate) use repeats::is_repetition;
pub use worker::Worker;

use crate::host::{Expected, Host, NotShared, SharedVersion};

/// How often another worker may be first.
const RACES: usize = 16;

/// The value under a key; `None` where there is none.
pub(crate) fn get(host: &dyn Host, key: &str) -> Option<Vec<u8>> {
    host.shared_data(key).map(|(value, _)| value)
}

/// Sets a value, whatever was there. Where the proxy refuses, it has logged why: what is shared may be
/// forgotten at any time, so nothing hangs on it.
pub(crate) fn set(host: &dyn Host, key: &str, value: &[u8]) {
    let _ = host.set_shared_data(key, value, Expected::Anything);
}

/// Sets a value, unless there is one.
pub(crate) fn set_new(host: &dyn Host, key: &str, value: &[u8]) {
    let _ = host.set_shared_data(key, value, Expected::Nothing);
}

/// Changes a value, which is made, empty, where there is none: `change` gives the new one, or
/// nothing where it stays, and is called again with the value of another worker that was first. `None` where
/// the proxy refuses, or others are first too often.
pub(crate) fn change<R>(
    host: &dyn Host,
    key: &str,
    mut change: impl FnMut(&[u8]) -> (R, Option<Vec<u8>>),
) -> Option<R> {
    for _ in 0..RACES {
        let (value, version) = get_or_make(host, key)?;
        let (result, new) = change(&value);
        let Some(new) = new else {
            return Some(result);
        };
        match host.set_shared_data(key, &new, Expected::Version(version)) {
            Ok(()) => return Some(result),
            Err(NotShared::Changed) => {}
            Err(NotShared::Refused) => return None,
        }
    }
    None
}

fn get_or_make(host: &dyn Host, key: &str) -> Option<(Vec<u8>, SharedVersion)> {
    host.shared_data(key).or_else(|| {
        set_new(host, key, &[]);
        host.shared_data(key)
    })
}

/// Adds one to a number, unless the proxy refuses, or others are first too often.
pub(crate) fn count(host: &dyn Host, key: &str) {
    change(host, key, |value| {
        let number = number(value).saturating_add(1);
        ((), Some(number.to_le_bytes().to_vec()))
    });
}

/// A number that was counted; 0 where there is none yet.
pub(crate) fn number(value: &[u8]) -> u32 {
    value.try_into().map_or(0, u32::from_le_bytes)
}
