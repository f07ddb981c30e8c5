//! How fast the simulator is, what it covers, and how far it agrees with real Envoy. Called by `make bench`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::RangedU64ValueParser as Range;
use comfy_table::{Table, presets};
use envoy_wasm_host::Module;
use modgate_bench::identity::{Credentials, Kind};
use modgate_bench::rounds::Spread;
use modgate_bench::simulator::{Mode, Side, load_times, memory_of_a_worker};
use modgate_bench::workload::{CLUSTER, Request, Workload, tenant_names};
use modgate_conformance::envoy_scenarios::evaluate;
use modgate_conformance::hostcalls;
use modgate_harness::serve::Serve;
use modgate_harness::tools::{dist, files};
use serde_json::Value;

/// Different requests that are asked, in turns.
const REQUESTS: usize = 20_000;
/// Workers over which their memory is averaged.
const WORKERS: u32 = 8;

/// Measures the simulator: requests per second and core, start-up, memory, and what of Envoy it covers.
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, in each of which every side has every request once.
    #[arg(long, default_value = "15", value_parser = Range::<usize>::new().range(1..))]
    rounds: usize,
    /// Tenants and rules of the policies, as TENANTS/RULES.
    #[arg(long, value_delimiter = ',', default_value = "1/2,1000/10000", value_parser = size)]
    policies: Vec<(usize, usize)>,
    /// The module, to measure another than dist/modgate.wasm.
    #[arg(long)]
    wasm: Option<PathBuf>,
    /// Leave out the hostcalls and the scenarios that are played on real Envoy.
    #[arg(long)]
    no_envoy: bool,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let numbers = text.split_once('/').and_then(|(tenants, rules)| {
        let tenants = tenants.parse().ok().filter(|n| (1..=9_999).contains(n));
        tenants.zip(rules.parse().ok())
    });
    numbers.ok_or_else(|| format!("`{text}` is not TENANTS/RULES, such as 1000/10000"))
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let wasm = args.wasm.clone().unwrap_or_else(|| dist("modgate.wasm"));
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["the simulator", "median (quartiles)"]);
    for (tenants, rules) in &args.policies {
        of_policy(args, &wasm, (*tenants, *rules), &mut table)?;
    }
    start_up(&wasm, &mut table)?;
    if !args.no_envoy {
        agreement(&mut table);
    }
    println!("{table}");
    Ok(())
}

/// A policy of so many tenants and rules, and requests that it allows.
fn workload((tenants, rules): (usize, usize)) -> (Value, Vec<Request>) {
    let workload = Workload {
        tenants,
        rules,
        access_log: false,
    };
    let credentials = Credentials::new(Kind::Path, tenant_names(tenants));
    let requests = workload.requests(&credentials, REQUESTS, 1);
    (workload.policy(&credentials), requests)
}

/// All modes in turns, so that what disturbs the machine disturbs all.
fn of_policy(
    args: &Args,
    wasm: &Path,
    size: (usize, usize),
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    let (policy, requests) = workload(size);
    let what = format!("tenants: {}, rules: {}", size.0, size.1);
    table.add_row([format!("policy with {what}")]);
    let mut sides = Vec::new();
    for mode in Mode::ALL {
        let module = Module::from_file(&mode.engine()?, wasm)?;
        sides.push((mode, Side::start(&module, &policy, mode)?, Vec::new()));
        if mode == Mode::Serving {
            let memory = memory_of_a_worker(&module, &policy, WORKERS)?;
            row(
                table,
                "resident memory of a worker",
                format!("{} KiB", memory / 1024),
            );
        }
    }
    // The first round defines the series.
    for round in 0..=args.rounds {
        eprintln!("bench-simulator: {what}, round {round} of {}", args.rounds);
        for (_, side, seen) in &mut sides {
            let figure = side.per_second(&requests)?;
            if round > 0 {
                seen.push(figure);
            }
        }
    }
    for (mode, side, seen) in &sides {
        // A filter that did not judge would cost nothing.
        let asked = ((args.rounds + 1) * requests.len()) as f64;
        if args.wasm.is_none() && side.allowed() != asked {
            let what = format!("the filter allowed {} of {asked} requests", side.allowed());
            return Err(what.into());
        }
        let spread = Spread::of(seen, |figure| *figure).ok_or("nothing was measured")?;
        row(
            table,
            &format!("requests a second and core, {}", mode.name()),
            spread.shown(0),
        );
    }
    if let Some((_, side, _)) = sides.first() {
        let ready = format!(
            "{:.1?}, {} KiB of guest memory",
            side.ready_after,
            side.guest_memory() / 1024
        );
        row(table, "a worker is ready after", ready);
    }
    Ok(())
}

fn start_up(wasm: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    let cache = tempfile::tempdir()?;
    let (compiled, cached) = load_times(wasm, cache.path())?;
    row(
        table,
        "the module is loaded after",
        format!("{compiled:.0?}, cached {cached:.1?}"),
    );
    let (policy, _) = workload((1, 2));
    let nobody = ([127, 0, 0, 1], 9).into();
    let arguments = [format!("--wasm={}", wasm.display())];
    let start = || -> Duration {
        let began = Instant::now();
        drop(Serve::start_with(&policy, &[(CLUSTER, nobody)], &arguments));
        began.elapsed()
    };
    // The first one leaves the module in the cache.
    start();
    row(
        table,
        "`modgate serve` answers after, cached",
        format!("{:.0?}", start()),
    );
    Ok(())
}

fn agreement(table: &mut Table) {
    eprintln!("bench-simulator: hostile calls, on Envoy too");
    let calls = hostcalls::compare();
    let agreeing = calls.answers - calls.differing.len();
    row(
        table,
        &format!(
            "{} hostcalls and {} functions of WASI with hostile arguments",
            calls.hostcalls, calls.wasi
        ),
        format!("{agreeing} of {} answers are Envoy's", calls.answers),
    );
    eprintln!("bench-simulator: scenarios, on Envoy too");
    let mut scenarios = files("tests/scenarios", "yaml");
    scenarios.extend(files("tests/scenarios/odd", "yaml"));
    let evaluated = evaluate::all(&scenarios);
    let wholly = evaluated
        .iter()
        .filter(|one| one.wrong.is_empty() && one.listed == 0);
    let listed = evaluated
        .iter()
        .filter(|one| one.wrong.is_empty() && one.listed > 0);
    row(
        table,
        &format!("{} scenarios", evaluated.len()),
        format!(
            "{} agree with Envoy, {} list a difference",
            wholly.count(),
            listed.count()
        ),
    );
    for wrong in calls
        .differing
        .iter()
        .chain(evaluated.iter().flat_map(|one| &one.wrong))
    {
        eprintln!("bench-simulator: {wrong}");
    }
}

fn row(table: &mut Table, what: &str, figure: String) {
    table.add_row([what.to_owned(), figure]);
}
