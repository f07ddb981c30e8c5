//! What a server knows besides its files: what it was asked, and what it is to do wrong.

use super::Fault;
use http::{HeaderMap, Method};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request as it reached the server.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: Method,
    /// The request target as it was sent, byte for byte: undecoded, with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
}

/// What the connections share.
#[derive(Debug)]
pub(super) struct State {
    root: PathBuf,
    requests: Mutex<Vec<Recorded>>,
    faults: Mutex<BTreeMap<String, Fault>>,
}

impl State {
    /// `root` has no links in it.
    pub(super) const fn new(root: PathBuf) -> Self {
        Self {
            root,
            requests: Mutex::new(Vec::new()),
            faults: Mutex::new(BTreeMap::new()),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn record(&self, request: Recorded) {
        lock(&self.requests).push(request);
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        lock(&self.requests).clone()
    }

    pub(super) fn forget_requests(&self) {
        lock(&self.requests).clear();
    }

    pub(super) fn set_fault(&self, path: String, fault: Fault) {
        lock(&self.faults).insert(path, fault);
    }

    pub(super) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    pub(super) fn fault(&self, path: &str) -> Option<Fault> {
        lock(&self.faults).get(path).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
