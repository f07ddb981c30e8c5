//! `modgate sim`: scenarios.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use envoy_wasm_host::{Engine, Module, Profile, StartError};
use envoy_wasm_scenario::{self as sim, Played, Scenario, Schedule};

use super::filter;
use super::module;
use super::out::print;

const COMMAND: &str = "modgate sim";

/// The arguments of `modgate sim`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scenario files, YAML or JSON.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The filter's .wasm file, instead of the one in the scenario.
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// The seed for random numbers, instead of the one in the scenario.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Behave like this Envoy version, instead of the one in the scenario.
    #[arg(long, value_enum, value_name = "NAME")]
    profile: Option<Named>,
    /// Print every event with its virtual time.
    #[arg(long)]
    trace: bool,
    /// Also run each scenario with many changes: bodies cut differently, late ends, clients that
    /// disconnect, upstreams and callouts that fail, ticks and configurations in between, other orders of
    /// workers; report the changes with which an expectation fails. `--seed` selects them.
    #[arg(long)]
    explore: bool,
    /// The maximum number of runs of each scenario.
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "explore")]
    budget: usize,
    /// Run the scenarios with this one change, as --explore printed it.
    #[arg(long, value_name = "WORDS", conflicts_with = "explore")]
    schedule: Option<Schedule>,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
}

/// A profile as the command line names it.
#[derive(Clone, Copy, Debug)]
struct Named(Profile);

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Profile::Envoy1_37), Self(Profile::Envoy1_40)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            Profile::Envoy1_37 => "1.36 to 1.38.0",
            Profile::Envoy1_40 => "1.38.1 to 1.40; the reference for everything else",
        };
        Some(PossibleValue::new(self.0.name()).help(help))
    }
}

/// Status 0 where every scenario went as expected, else 1.
pub(super) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut modules = Modules {
        engine: sim::engine(module::cache())?,
        compiled: HashMap::new(),
    };
    let played: Vec<_> = args
        .files
        .iter()
        .map(|file| play(args, file, &mut modules))
        .collect();
    print(&match args.format {
        Format::Text => sim::text(&played, args.trace),
        Format::Json => sim::json(&played, args.trace),
        Format::Junit => sim::junit(&played, COMMAND),
    })?;
    Ok(if played.iter().all(Played::passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn play(args: &Args, file: &Path, modules: &mut Modules) -> Played {
    let shown = file.display().to_string();
    let mut name = shown.clone();
    let outcome = Scenario::load(file).and_then(|scenario| {
        let mut scenario = filter::scenario(scenario);
        name.clone_from(&scenario.name);
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        scenario.filter.profile = args
            .profile
            .map_or(scenario.filter.profile, |named| named.0);
        let wasm = match (&args.wasm, scenario.module(file)) {
            (None, Some(named)) => named,
            (flag, _) => module::find(flag.clone())?,
        };
        let module = modules.get(&wasm)?;
        if let Some(schedule) = &args.schedule {
            return scenario.try_schedule(&module, schedule).map_err(sentence);
        }
        let run = scenario.play(&module).map_err(sentence)?;
        let mut differences = scenario.differences(&run);
        if args.explore && differences.is_empty() {
            let seed = scenario.seed;
            let explored = scenario
                .explore(&module, seed, args.budget)
                .map_err(sentence)?;
            differences = explored.differences(COMMAND, file);
        }
        Ok((run, differences))
    });
    Played {
        file: shown,
        name,
        outcome,
    }
}

fn sentence(error: StartError) -> String {
    error.to_string()
}

/// Modules, each compiled once.
struct Modules {
    engine: Engine,
    compiled: HashMap<PathBuf, Module>,
}

impl Modules {
    fn get(&mut self, path: &Path) -> Result<Module, String> {
        if let Some(module) = self.compiled.get(path) {
            return Ok(module.clone());
        }
        let module = Module::from_file(&self.engine, path).map_err(|error| error.to_string())?;
        self.compiled.insert(path.to_owned(), module.clone());
        Ok(module)
    }
}
