//! Scenarios: a filter's configuration, what upstreams answer, what clients send, and what is
//! expected to come of it, in one file; played in virtual time by the [`Worker`](envoy_wasm_host::Worker)
//! that `envoy-wasm-serve` runs. Nothing is random but for the scenario's seed: the same file
//! and module give the same [`Run`], to the last byte of its trace.
//!
//! ```
//! use envoy_wasm_scenario::{Scenario, engine};
//! use envoy_wasm_host::Module;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let binary = wat::parse_str(r#"(module
//!   (memory (export "memory") 1)
//!   (func (export "proxy_abi_version_0_2_1"))
//!   (func (export "malloc") (param i32) (result i32) (i32.const 1024))
//!   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1)))"#)?;
//! let scenario = Scenario::parse(r#"
//! name: a filter that holds every request for ever
//! upstreams: {up: [{status: 200}]}
//! route: {cluster: up}
//! requests:
//!   - path: /
//!     expect: {outcome: pending}
//! "#)?;
//! let module = Module::new(&engine(None)?, &binary)?;
//! let run = scenario.play(&module)?;
//! assert!(scenario.differences(&run).is_empty());
//! # Ok(())
//! # }
//! ```

mod client;
mod configuration;
mod difference;
mod driver;
mod expect;
mod expected;
mod explore;
mod grpc;
mod load;
mod model;
mod report;
mod run;
mod schedule;
mod shown;
mod singles;
mod timeline;
mod upstream;
mod values;

pub use client::Step;
pub use configuration::Configuration;
pub use difference::Difference;
pub use expect::Selector;
pub use expected::{Budgets, Client, Ending, Expect, Outcome, Start, Upstream};
pub use explore::Explored;
pub use grpc::GrpcAnswer;
pub use model::{Behaviour, Exploration, Fault, Filter, Request, RouteTo, Scenario, VmFailPolicy};
pub use report::{Played, json, junit, text};
pub use run::{ClientSeen, Line, Run, UpstreamSeen, Usage};
pub use schedule::{DropAt, FaultAt, Schedule};
pub use shown::shown;
pub use upstream::Upstreams;
pub use values::{Chunk, Chunks, Pairs, Span};

use std::path::PathBuf;

use envoy_wasm_host::{Engine, EngineOptions, ModuleError};

/// An engine for scenarios: it counts fuel, because a run that is stopped by a watch is not the
/// same twice. Compiled modules are kept in `cache`.
///
/// # Errors
/// A cache directory that cannot be used.
pub fn engine(cache: Option<PathBuf>) -> Result<Engine, ModuleError> {
    Engine::new(&EngineOptions { fuel: true, cache })
}
