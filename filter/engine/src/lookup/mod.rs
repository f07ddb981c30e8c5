//! Requests that cannot be decided by themselves: which versions of a module a tenant may have, and how old
//! one is, only the backend's answers tell. Such a request waits while its backend is queried, and is then
//! forwarded or gets a local reply.
//!
//! In reading order: [`VersionLookup`] goes from query to query, without knowing how they are sent; `state`
//! and `list_steps` are its steps; `answers`, `list` and `info` read the backend's answers; `noted` remembers
//! them.

use std::rc::Rc;
use std::time::Duration;

mod ages;
mod answers;
mod context;
mod info;
mod kind;
mod list;
mod list_filter;
mod list_steps;
mod lookups;
mod memory;
mod noted;
mod order;
mod ruled_list;
mod state;
mod target;
mod toolchain;
mod variant_choice;
mod version_lookup;

pub use kind::LookupKind;
pub use memory::{ListOf, Lists};
pub use ruled_list::RuledList;
pub(crate) use target::LookupTarget;
pub(crate) use variant_choice::VariantChoice;
pub use version_lookup::{BackendQuery, Fetched, QueryId, Step, VersionLookup};

/// What is known beside the request.
pub trait LookupEnv {
    /// Seconds since 1970, where a clock tells.
    fn now(&self) -> Option<u64>;

    /// What was noted under a key; it may have been forgotten.
    fn recall(&self, key: &str) -> Option<Vec<u8>>;

    /// Notes something, for as long as there is room.
    fn note(&self, key: &str, value: &[u8]);

    /// How long the client has waited by now.
    fn waited(&self) -> Duration;

    /// Tells whoever reads the proxy's log.
    fn warn(&self, what: &str);

    /// The lists that were read before, where they are kept.
    fn lists(&self) -> Option<Rc<Lists>> {
        None
    }
}
