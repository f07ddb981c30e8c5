//! How much the filter does in one call, counted in fuel of the module that ships: about one unit for an
//! instruction, and the same on every machine. A worker of Envoy does nothing else meanwhile.
//!
//! Each input is the worst that its limits allow. `docs/explain/performance.md` says what the figures are in
//! milliseconds.

mod counted;
mod files;
mod requests;
mod sumdb;
mod versions;
