//! Every scenario on real Envoy too: it comes to what the scenario says and the simulator does, or the
//! scenario lists the difference with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_sim::Module;
use host_sim::sim::{Scenario, engine};
use modgate_tests::envoy_scenarios::{compare, play};
use modgate_tests::tools::{dist, files};

/// What differs, scenario by scenario.
fn wrong(files: &[PathBuf]) -> Vec<String> {
    let engine = engine(None).unwrap();
    let mut modules: BTreeMap<PathBuf, Module> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files {
        let scenario = Scenario::load(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let wasm = scenario
            .module(file)
            .unwrap_or_else(|| dist("modgate.wasm"));
        let module = modules.entry(wasm.clone()).or_insert_with(|| {
            Module::from_file(&engine, &wasm).unwrap_or_else(|e| panic!("{}: {e}", wasm.display()))
        });
        let simulator = scenario.play(module).unwrap();
        let envoy = play(&scenario, &wasm);
        let name = file.file_name().map(Path::new).unwrap_or(file);
        for one in compare::differences(&scenario, &simulator, &envoy) {
            wrong.push(format!(
                "{}: {}\n- {}\n+ {}",
                name.display(),
                one.what,
                one.expected,
                one.seen
            ));
        }
    }
    wrong
}

/// Plays the scenarios of a folder, of which there are at least so many.
fn agree(folder: &str, least: usize) {
    let files = files(folder, "yaml");
    assert!(files.len() >= least, "{files:?}");
    let wrong = wrong(&files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn scenarios_of_the_filter_come_to_the_same_in_envoy() {
    agree("tests/scenarios", 5);
}

#[test]
fn scenarios_of_odd_filters_come_to_the_same_in_envoy() {
    agree("tests/scenarios/odd", 28);
}
