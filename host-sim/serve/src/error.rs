//! Why a proxy does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use envoy_wasm_host::{ModuleError, StartError};

/// Why a proxy does not start: one sentence each.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The module cannot be used.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The filter does not start.
    #[error(transparent)]
    Start(StartError),
    /// The filter refused the policy.
    #[error("the policy is refused: {reason}")]
    PolicyRefused {
        /// The filter's own words.
        reason: String,
    },
    /// The policy file cannot be read.
    #[error("cannot read the policy {}: {source}", path.display())]
    PolicyUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Two upstreams have one name.
    #[error("two upstreams are named {0}")]
    DuplicateUpstream(String),
    /// No certificates to trust, or no thread, or no event loop.
    #[error("cannot start the proxy: {0}")]
    System(String),
}
