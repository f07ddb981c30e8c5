//! Questions of the filter's own to a backend. Each is the client's request with another path: it
//! carries what would have gone upstream, and goes where the client's would have gone.

mod client;
mod coding;
mod place;

pub use client::{Client, carried, user_of};
pub use coding::decode;
pub use place::{Place, follow};

/// The most places that a question goes to, one after the other, as backends send it on.
pub const MOST_PLACES: usize = 5;

#[cfg(test)]
mod tests;
