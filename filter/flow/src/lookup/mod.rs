//! Requests that wait while their backend is queried: the engine's queries, carried by callouts.
//!
//! In reading order: `pending_lookup` is a request that waits, `backend_query` one of its queries, through redirects.

mod backend_query;
mod pending_lookup;

pub(crate) use backend_query::Requester;
pub(crate) use pending_lookup::{LookupEnd, PendingLookup};
