//! Everything Modgate decides, free of any host: no hostcalls, no I/O, no clock, no `unsafe`.
//!
//! The filter in Envoy, the simulator and the command line all run this one engine.
//! In reading order:
//!
//! - [`telemetry`]: the one catalogue of metrics, how their labels travel through Envoy.

#![forbid(unsafe_code)]

pub mod telemetry;
pub mod wire;
