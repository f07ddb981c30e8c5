//! The filter's own queries to backends. Each is the client's request with another path: it
//! carries what would have gone upstream, and goes where the client's would have gone.

mod client;
mod coding;
mod target;

pub use client::{Client, carried, user_of};
pub use coding::decode;
pub use target::{QueryTarget, follow};

/// The most targets that a query goes to, one after the other, as backends redirect it.
pub const MAX_TARGETS: usize = 5;

#[cfg(test)]
mod tests;
