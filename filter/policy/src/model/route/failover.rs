//! Backends that stand in for each other.

/// A cluster in which others stand in for a backend that fails, by the proxy's own means: its retries
/// and its view of who is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// The cluster's name.
    pub cluster: String,
    /// The places of the backends among the policy's, in the order in which they are asked. Never
    /// empty.
    pub order: Vec<usize>,
}

impl Failover {
    /// Whether this backend is asked first.
    pub fn begins_with(&self, backend: usize) -> bool {
        self.order.first() == Some(&backend)
    }
}
