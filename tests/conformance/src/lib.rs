//! One behaviour, two implementations: what the tests here need to put the same to both.
//!
//! [`envoy_scenarios`] plays the simulator's scenarios on real Envoy, [`hostcalls`] hostile calls on both.
//!
//! Layers, lowest first: envoy_scenarios, hostcalls.

pub mod envoy_scenarios;
pub mod hostcalls;
