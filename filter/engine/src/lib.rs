//! Everything Modgate decides on one request, free of any host: no hostcalls, no I/O, no clock, no
//! `unsafe`.
//!
//! The filter in Envoy, the simulator and the command line all run this one engine.
//!
//! Layers, lowest first: telemetry, reply, lookup, decision, backend_query, access_log.
//!
//! - [`telemetry`]: the one catalogue of metrics, how their labels travel through Envoy.
//! - [`reply`]: answers that the filter gives itself.
//! - [`lookup`]: requests that wait while their backend is asked for versions and their age.
//! - [`decision`]: the one way through: a request's headers in, what to do with it out.
//! - [`backend_query`]: what a query to a backend carries, and where it goes.
//! - [`access_log`]: what the access log says of a request.

#![forbid(unsafe_code)]

pub mod access_log;
pub mod backend_query;
pub mod decision;
pub mod lookup;
pub mod reply;
pub mod telemetry;
