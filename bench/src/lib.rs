//! Measuring: Envoy with and without the filter under the same load, slice by slice in turns, so that what
//! disturbs the machine disturbs all sides.
//!
//! In reading order: [`workload`] makes the policy and the requests, [`identity`] says how they name
//! their tenant, [`upstream`] answers them, [`sides`] starts the Envoys, [`load`] asks and counts,
//! [`cpu`] tells what it cost, [`rounds`] lets the sides take turns and compares them, [`report`] tells.
//! [`downloads`] are module zips instead, which the filter hashes; [`simulator`] is the simulator's own speed.
//!
//! Layers, lowest first: identity, workload, cpu, load, downloads, rounds, sides, report, simulator, upstream.

pub mod cpu;
pub mod downloads;
pub mod identity;
pub mod load;
pub mod report;
pub mod rounds;
pub mod sides;
pub mod simulator;
pub mod upstream;
pub mod workload;
