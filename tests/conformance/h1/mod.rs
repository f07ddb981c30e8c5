//! The engine's hashes of module zips against Go's own, on real zips, forged ones and broken ones.
//!
//! What is taken must have Go's hash; what is refused is refused for the reason that the case names.

mod case;
mod cases;
mod chunks;
mod forgeries;
mod mutations;
mod names;
mod real;
mod tools;
