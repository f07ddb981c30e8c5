//! What lookups have found out of versions, in the memory that all workers share.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use modgate_engine::lookup::{Lists, World};

use super::{Worker, get, set};
use crate::host::{Host, LogLevel};
use crate::timestamp::Timestamp;

/// How many entries there can be. A new one takes the place of an old one.
const PLACES: u64 = 16_384;

/// The largest entry with its key, in bytes; a larger one is not kept, and looked up again.
const MAX_BYTES: usize = 4096;

/// What is known beside the request of a client that names this authority, with these credentials: by
/// either a backend may tell one set of modules from another, so what was found out under one says nothing
/// under another.
pub(crate) struct SharedCache<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) worker: &'a Worker,
    pub(crate) authority: &'a str,
    /// What tells the user from others, and is no credential itself
    /// ([`user_of`](modgate_engine::question::user_of)).
    pub(crate) user: &'a str,
    /// When the request began that waits.
    pub(crate) began: Timestamp,
    /// Whether anything may be kept: what another backend has answered hangs on who was sent there,
    /// and with what.
    pub(crate) may_keep: bool,
}

impl World for SharedCache<'_> {
    fn now(&self) -> Option<u64> {
        Some(Timestamp::now(self.host).unix_milliseconds()? / 1000)
    }

    fn waited(&self) -> Duration {
        self.began.elapsed(self.host)
    }

    fn warn(&self, what: &str) {
        self.host.log(LogLevel::Warn, what);
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        let key = self.whole(key);
        let entry = get(self.host, &self.place_of(&key))?;
        // The key stands in front, so that two that share a place are told apart.
        let value = entry.strip_prefix(key.as_bytes())?.strip_prefix(b"\0")?;
        Some(value.to_vec())
    }

    fn note(&self, key: &str, value: &[u8]) {
        let key = self.whole(key);
        let entry = [key.as_bytes(), b"\0", value].concat();
        if self.may_keep && entry.len() <= MAX_BYTES {
            set(self.host, &self.place_of(&key), &entry);
        }
    }

    fn lists(&self) -> Option<Rc<Lists>> {
        Some(self.worker.lists())
    }
}

impl SharedCache<'_> {
    /// No part has a NUL, so no two are alike.
    fn whole(&self, key: &str) -> String {
        format!("{}\0{}\0{key}", self.authority, self.user)
    }

    fn place_of(&self, key: &str) -> String {
        let mut hasher = self.worker.hasher(self.host);
        key.hash(&mut hasher);
        format!("modgate.note.{}", hasher.finish() % PLACES)
    }
}
