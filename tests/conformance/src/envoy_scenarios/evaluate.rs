//! Scenarios of files on both hosts, and what is otherwise in Envoy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use envoy_wasm_host::Module;
use envoy_wasm_scenario::{Scenario, engine};
use modgate::filter;

use super::{compare, play};
use modgate_harness::tools::dist;

/// What came of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Differences that the scenario lists, with their reasons.
    pub listed: usize,
    /// Everything else that is wrong, in words that name the file.
    pub wrong: Vec<String>,
}

/// Plays the scenarios on the simulator and on Envoy, one after the other.
///
/// # Panics
/// Where a scenario or a module cannot be read, or Envoy does not come up.
pub fn all(files: &[PathBuf]) -> Vec<Evaluated> {
    let engine = engine(None).unwrap_or_else(|e| panic!("{e}"));
    let mut modules: BTreeMap<PathBuf, Module> = BTreeMap::new();
    let evaluate = |file: &PathBuf| {
        let scenario = Scenario::load(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let scenario = filter::scenario(scenario);
        let wasm = scenario
            .module(file)
            .unwrap_or_else(|| dist("modgate.wasm"));
        let module = modules.entry(wasm.clone()).or_insert_with(|| {
            Module::from_file(&engine, &wasm).unwrap_or_else(|e| panic!("{}: {e}", wasm.display()))
        });
        let simulator = scenario.play(module);
        let simulator = simulator.unwrap_or_else(|e| panic!("{}: {e}", wasm.display()));
        let envoy = play(&scenario, &wasm);
        let name = file.file_name().map(Path::new).unwrap_or(file).display();
        let wrong = compare::differences(&scenario, &simulator, &envoy);
        let wrong = wrong.into_iter();
        Evaluated {
            listed: scenario.differs.len(),
            wrong: wrong
                .map(|one| format!("{name}: {}\n- {}\n+ {}", one.what, one.expected, one.seen))
                .collect(),
        }
    };
    files.iter().map(evaluate).collect()
}
