//! Backends that stand in for each other.

use crate::model::BackendId;

/// A cluster in which others stand in for a backend that fails, by the proxy's own means: its retries
/// and its view of who is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// The cluster's name.
    pub cluster: String,
    /// The backends, in the order in which they are asked. Never empty.
    pub order: Vec<BackendId>,
}

impl Failover {
    /// Whether this backend is asked first.
    pub fn begins_with(&self, backend: BackendId) -> bool {
        self.order.first() == Some(&backend)
    }
}
