//! One exchange on any proxy: a request and its response, from the first header to the last byte.
//!
//! The engine decides, the proxy acts; this crate is what lies between: a request waits for its lookups, a file's end is
//! held back until its hash is known, the checksum database is requested, metrics and the access log are
//! told. It makes no hostcall: all it needs of a proxy is the trait [`Host`].
//!
//! Layers, lowest first: host, timestamp, wake, callout, shared, metrics, active_policy, lookup, body, exchange, scripted, tests.
//!
//! - [`host`]: the trait that a proxy implements.
//! - [`wake`]: what a callback tells the proxy; every pause names what ends it.
//! - [`ActivePolicy`]: one configuration: a policy, its metrics, what a worker keeps of the checksum database.
//! - [`Exchange`]: one stream; a callback of the proxy is one method.
//! - `lookup`: a request that waits for versions or their age. `body`: the check of a file while it streams.

#![forbid(unsafe_code)]

mod active_policy;
mod body;
mod callout;
mod exchange;
pub mod host;
mod lookup;
mod metrics;
#[cfg(any(test, feature = "scripted"))]
pub mod scripted;
mod shared;
#[cfg(test)]
mod tests;
mod timestamp;
pub mod wake;

pub use active_policy::ActivePolicy;
pub use exchange::Exchange;
pub use host::Host;
pub use shared::Worker;
pub use wake::Action;
