//! Whole streams through a proxy in memory, without Envoy and without a VM.
//!
//! In reading order: `world` is the policy, the backend and the checksum database that the others play with; `requests` are
//! decided, `lookups` wait, `bodies` are checked in every order of their parts, `refusals` are every call that a proxy can
//! refuse.

mod bodies;
#[path = "../../../../fuzz/src/database.rs"]
#[expect(dead_code, reason = "the fuzz targets use more of it")]
mod database;
mod lookups;
mod refusals;
mod requests;
mod world;
