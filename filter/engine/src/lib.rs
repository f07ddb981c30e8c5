//! Everything Modgate decides, free of any host: no hostcalls, no I/O, no clock, no `unsafe`.
//!
//! The filter in Envoy, the simulator and the command line all run this one engine.
//! In reading order:
//!
//! - [`module`]: module paths and versions as Go knows them.
//! - [`request`]: the bytes of a request to an operation on a module.
//! - [`policy`]: the document, compiled into what decides; [`route`]: which backend is asked.
//! - [`redirect`]: where a backend's redirects may lead.
//! - [`consult`]: requests that wait while their backend is asked for versions and their age.
//! - [`question`]: what such a question carries, and where it goes.
//! - [`judge`]: the one way through: a request's headers in, what to do with it out.
//! - [`integrity`]: the hash of a module's files, taken while they pass, and what it is held against.
//! - [`sumdb`]: the checksum database that tells hashes, and proves them.
//! - [`telemetry`]: the one catalogue of metrics, how their labels travel through Envoy.

#![forbid(unsafe_code)]

pub mod consult;
pub mod http;
pub mod integrity;
pub mod judge;
pub mod module;
pub mod policy;
pub mod question;
pub mod redirect;
pub mod request;
pub mod route;
pub mod sumdb;
pub mod telemetry;
