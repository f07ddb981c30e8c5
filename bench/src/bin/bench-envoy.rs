//! What the filter costs in Envoy: requests per second and CPU time per request with it, without it, and with
//! two filters to measure it by, in turns, and their ratios. Called by `make bench`.

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser as Range;
use modgate_bench::cpu::{Instructions, Processors};
use modgate_bench::identity::{Credentials, Kind};
use modgate_bench::load::Load;
use modgate_bench::report::Report;
use modgate_bench::rounds::{Measured, Round, Who};
use modgate_bench::sides::{Side, with_filter, with_nothing, with_same_calls, without_filter};
use modgate_bench::upstream;
use modgate_bench::workload::{Request, Workload, tenant_names};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::tools::{dist, root};
use tokio::runtime;
use tokio::task::LocalSet;

/// Different requests that are asked, in turns.
const REQUESTS: usize = 20_000;

/// Measures what the filter costs in Envoy: the same load with it, without it, with a filter that does
/// nothing and with one that only makes its calls, in turns.
#[derive(Debug, Parser)]
struct Args {
    /// Tenants in the policy.
    #[arg(long, default_value = "1000", value_parser = Range::<usize>::new().range(1..=9_999))]
    tenants: usize,
    /// Rules in the policy.
    #[arg(long, default_value_t = 10_000)]
    rules: usize,
    /// Where a request names its tenant.
    #[arg(long, value_enum, default_value_t = Kind::Path)]
    identity: Kind,
    /// Let all sides write the shipped access log, and the filter tell it what it knows.
    #[arg(long)]
    access_log: bool,
    /// Rounds, each with a slice of each side.
    #[arg(long, default_value = "20", value_parser = Range::<usize>::new().range(1..))]
    rounds: usize,
    /// Length of a slice, in milliseconds.
    #[arg(long, default_value = "1500", value_parser = Range::<u64>::new().range(100..))]
    slice_ms: u64,
    /// Connections of the load, each with one request at a time.
    #[arg(long, default_value = "16", value_parser = Range::<usize>::new().range(1..=512))]
    connections: usize,
    /// The module, to measure another than dist/modgate.wasm.
    #[arg(long)]
    wasm: Option<PathBuf>,
    /// The file for the figures; without it .work/bench/envoy.json.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(LocalSet::new().run_until(compare(&args))));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-envoy: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(args: &Args) -> Result<(), Box<dyn Error>> {
    let workload = Workload {
        tenants: args.tenants,
        rules: args.rules,
        access_log: args.access_log,
    };
    let credentials = Credentials::new(args.identity, tenant_names(args.tenants));
    let requests: Rc<[Request]> = workload.requests(&credentials, REQUESTS, 1).into();
    let module = match &args.wasm {
        Some(file) => file
            .canonicalize()
            .map_err(|error| format!("--wasm {}: {error}", file.display()))?,
        None => dist("modgate.wasm"),
    };

    let processors = Processors::share_out()?;
    let upstream = upstream::start().await?;
    processors.start_measured()?;
    let policy = workload.policy(&credentials);
    // In the order of `Who::ALL`.
    let sides = [
        without_filter(&credentials, args.access_log, upstream)?,
        with_nothing(&credentials, args.access_log, upstream)?,
        with_same_calls(&credentials, args.access_log, upstream)?,
        with_filter(&module, &policy, &credentials, args.access_log, upstream)?,
    ];
    processors.measure()?;

    let rounds = take_turns(args, &credentials, &sides, &requests).await?;
    let [.., with] = &sides;
    if args.wasm.is_none() {
        judged_all(with, &rounds)?;
    }
    let title = format!(
        "{} tenants, {} rules, tenant by {:?}; {} rounds of {} ms a side, {} connections",
        args.tenants, args.rules, args.identity, args.rounds, args.slice_ms, args.connections
    );
    let size = policy.to_string().len();
    let report = Report::new(title, &sides, &module, size, rounds)?;
    print!("{}", report.text());
    let default = root().join(".work/bench/envoy.json");
    let out = args.out.clone().unwrap_or(default);
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&out, serde_json::to_string_pretty(&report)?)
        .map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(())
}

async fn take_turns(
    args: &Args,
    credentials: &Credentials,
    sides: &[Side; Who::ALL.len()],
    requests: &Rc<[Request]>,
) -> Result<Vec<Round>, Box<dyn Error>> {
    let length = Duration::from_millis(args.slice_ms);
    let tls = credentials.tls();
    let open = async |side: &Side| {
        let load = Load::open(side.address, args.connections, requests, tls.as_ref()).await?;
        io::Result::Ok(Measured {
            process: side.process.id(),
            instructions: Instructions::of(side.process.id()),
            load,
        })
    };
    let [without, nothing, same_calls, modgate] = sides;
    let mut measured = [
        open(without).await?,
        open(nothing).await?,
        open(same_calls).await?,
        open(modgate).await?,
    ];
    eprintln!("bench-envoy: warming up");
    // Until every request has been asked: V8 compiles what runs often, and series are defined once.
    for side in &mut measured {
        let mut asked = 0;
        while asked < REQUESTS as u64 {
            asked += side.slice(length).await?.requests;
        }
    }
    let mut rounds = Vec::new();
    for number in 0..args.rounds {
        let round = Round::play(number, &mut measured, length).await?;
        eprintln!(
            "bench-envoy: round {} of {}: ratio {:.3}, {:+.2} us{}",
            number + 1,
            args.rounds,
            round.ratio(Who::Modgate),
            round.added_cpu_us(Who::Modgate),
            if round.is_quiet() { "" } else { ", disturbed" },
        );
        rounds.push(round);
    }
    Ok(rounds)
}

/// A filter that did not judge would cost nothing.
fn judged_all(with: &Side, rounds: &[Round]) -> Result<(), Box<dyn Error>> {
    let figures = Figures::parse(&http::get(with.admin, "/stats/prometheus").body);
    let judged = figures.sum("modgate_requests_total", &[("outcome", "ok")]);
    let asked: u64 = rounds
        .iter()
        .map(|round| round.of(Who::Modgate).requests)
        .sum();
    if judged < asked as f64 {
        let what = format!("the filter counted {judged} of {asked} requests: it was not at work");
        return Err(what.into());
    }
    Ok(())
}
