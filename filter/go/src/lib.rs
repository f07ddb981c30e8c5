//! What Go says: module paths and versions, requests for them, the hashes of their files, and the
//! checksum database. No policy, no host, no I/O, no clock, no `unsafe`.
//!
//! Layers, lowest first: http, gomod, goproxy, sumdb, zip, integrity.
//!
//! - [`http`]: the headers of a request, and the names that Modgate speaks on the wire.
//! - [`gomod`]: module paths and versions as Go knows them; `go.mod`, `go.sum` and their hashes.
//! - [`goproxy`]: the bytes of a request to an operation on a module.
//! - [`sumdb`]: the checksum database that tells hashes, and proves them.
//! - [`zip`]: the hash of a module's zip, taken while it passes.
//! - [`integrity`]: one file's check, and what it is held against.

#![forbid(unsafe_code)]

pub mod gomod;
pub mod goproxy;
pub mod http;
pub mod integrity;
pub mod sumdb;
pub mod zip;
