//! The checksum database as evidence: real go behind the filter with databases that are honest, lie, or do not answer.

mod answers;
mod delivered;
mod lies;
mod public;
mod support;
