//! What was found out of versions, in the memory that all workers share.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use modgate_engine::lookup::{Lists, LookupEnv};
use proxy_wasm::types::LogLevel;

use crate::host::{self, Moment};
use crate::secret;

thread_local! {
    /// The lists that this worker read before.
    static LISTS: Rc<Lists> = Rc::default();
}

/// How many notes there can be. A new one takes the place of an old one.
const PLACES: u64 = 16_384;

/// The largest note with its key, in bytes; a larger one is not kept, and looked up again.
const MAX_BYTES: usize = 4096;

/// The world as the proxy shows it to a client that names this authority, with these credentials: by
/// either a backend may tell one set of modules from another, so what was found out under one says nothing
/// under another.
pub(crate) struct Notes<'a> {
    pub(crate) authority: &'a str,
    /// What tells the user from others, and is no credential itself
    /// ([`user_of`](modgate_engine::backend_query::user_of)).
    pub(crate) user: &'a str,
    /// When the request began that asks.
    pub(crate) began: Moment,
    /// Whether there is something to note: what another backend has answered hangs on who was sent there,
    /// and with what.
    pub(crate) may_note: bool,
}

impl LookupEnv for Notes<'_> {
    fn now(&self) -> Option<u64> {
        Some(Moment::now().unix_milliseconds()? / 1000)
    }

    fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    fn warn(&self, what: &str) {
        host::log(LogLevel::Warn, what);
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        let key = self.whole(key);
        let noted = host::shared(&place_of(&key))?;
        // The key stands in front, so that two that share a place are told apart.
        let value = noted.strip_prefix(key.as_bytes())?.strip_prefix(b"\0")?;
        Some(value.to_vec())
    }

    fn note(&self, key: &str, value: &[u8]) {
        let key = self.whole(key);
        let noted = [key.as_bytes(), b"\0", value].concat();
        if self.may_note && noted.len() <= MAX_BYTES {
            host::share(&place_of(&key), &noted);
        }
    }

    fn lists(&self) -> Option<Rc<Lists>> {
        Some(LISTS.with(Rc::clone))
    }
}

impl Notes<'_> {
    /// No part has a NUL, so no two are alike.
    fn whole(&self, key: &str) -> String {
        format!("{}\0{}\0{key}", self.authority, self.user)
    }
}

fn place_of(key: &str) -> String {
    let mut hasher = secret::hasher();
    key.hash(&mut hasher);
    format!("modgate.note.{}", hasher.finish() % PLACES)
}
