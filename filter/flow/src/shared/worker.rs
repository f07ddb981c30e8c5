//! What one worker keeps as long as it runs, through changes of the policy.

use std::cell::Cell;
use std::hash::Hasher;
use std::rc::Rc;

use modgate_engine::lookup::Lists;

use super::secret::{self, Secret};
use crate::host::Host;

/// One worker: one VM of the proxy, or one of its threads.
#[derive(Default)]
pub struct Worker {
    secret: Cell<Option<Secret>>,
    /// The version lists that it has read before.
    lists: Rc<Lists>,
    /// Whether it has logged that the filter is in the chain twice.
    has_said_twice: Cell<bool>,
}

impl Worker {
    /// The secret of all workers; `None` where the proxy shares nothing.
    pub(crate) fn secret(&self, host: &dyn Host) -> Option<Secret> {
        let secret = self.secret.get().or_else(|| secret::of_all_workers(host));
        self.secret.set(secret);
        secret
    }

    /// A hash by the secret, which gives something that a client or a backend chose its place among others.
    pub(crate) fn hasher(&self, host: &dyn Host) -> impl Hasher + use<> {
        secret::hasher(self.secret(host))
    }

    /// Whether this is the first time that the filter is seen to be in the chain twice.
    pub(crate) fn is_first_twice(&self) -> bool {
        !self.has_said_twice.replace(true)
    }

    pub(crate) fn lists(&self) -> Rc<Lists> {
        Rc::clone(&self.lists)
    }
}
