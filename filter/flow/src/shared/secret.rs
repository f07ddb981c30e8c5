//! What nobody outside knows of this process: the key of every hash by which something that a client or a
//! backend chose gets its place among others. With one that is known they could choose things that share
//! a place, and push each other out.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::{get, set_new};
use crate::host::Host;

/// The secret.
pub(crate) type Secret = [u8; 16];

/// Its key in the memory that all workers share: what one of them keeps the others must find.
const KEY: &str = "modgate.secret";

/// The secret. The first worker that wants it draws it, and shares it; `None` where the proxy shares
/// nothing.
pub(super) fn of_all_workers(host: &dyn Host) -> Option<Secret> {
    let shared = || get(host, KEY)?.try_into().ok();
    shared().or_else(|| {
        set_new(host, KEY, &draw());
        shared()
    })
}

/// Random bytes, by the only way to them that the standard library has: the keys of its hash tables are
/// random, and what they make of anything is.
fn draw() -> Secret {
    let mut drawn = Secret::default();
    let numbers = [RandomState::new(), RandomState::new()].map(|state| state.hash_one(KEY));
    let bytes = numbers.into_iter().flat_map(u64::to_le_bytes);
    drawn
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = from);
    drawn
}

/// A hash by the secret: SipHash, which nobody can choose collisions of who does not know its key.
#[expect(
    deprecated,
    reason = "the standard library has no other hash of which the key can be given"
)]
pub(super) fn hasher(secret: Option<Secret>) -> impl Hasher + use<> {
    let secret = secret.map_or((0, 0), |secret| {
        let both = u128::from_le_bytes(secret);
        #[expect(clippy::cast_possible_truncation, reason = "its lower half")]
        let low = both as u64;
        (low, (both >> 64) as u64)
    });
    std::hash::SipHasher::new_with_keys(secret.0, secret.1)
}
