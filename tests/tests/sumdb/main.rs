//! The checksum database as evidence: the engine's reading of it against Go's own, and real go behind
//! the filter with databases that are honest, lie, or do not answer.

mod answers;
mod delivered;
mod differential;
mod lies;
mod public;
mod support;
