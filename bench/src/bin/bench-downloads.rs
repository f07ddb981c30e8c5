//! What it costs to hash real module zips while they stream: in Envoy against the same Envoy without the
//! filter, in the simulator's wasmtime, in the engine itself, and in Go's own `dirhash`, all in turns.
//! Called by `make bench`.

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::RangedU64ValueParser as Range;
use comfy_table::{Table, presets};
use modgate_bench::cpu::{Processors, memory_of, time_of};
use modgate_bench::downloads::{Client, PREFIX, file_of, percentile, policy, waits};
use modgate_bench::identity::{Credentials, Kind};
use modgate_bench::sides::{Side, with_filter, without_filter};
use modgate_bench::workload::{CLUSTER, Request, tenant_names};
use modgate_go::zip::ZipHasher;
use modgate_goproxy::Server;
use modgate_harness::dirhash::Dirhash;
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::module_zips::{ModuleZip, real_module_zips};
use modgate_harness::serve::Serve;
use modgate_harness::tools::{dist, root};
use serde::Serialize;
use tokio::runtime;
use tokio::task::LocalSet;

/// What a proxy hands to the filter at a time.
const CHUNK: usize = 16 << 10;

/// Measures what it costs to hash real module zips while they stream.
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, in each of which every side has every zip once.
    #[arg(long, default_value = "5", value_parser = Range::<usize>::new().range(1..))]
    rounds: usize,
    /// How long small requests are asked beside a large download, in milliseconds.
    #[arg(long, default_value = "10000", value_parser = Range::<u64>::new().range(100..))]
    slice_ms: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-downloads: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What all zips of a round took, in seconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Round {
    dirhash: f64,
    engine: f64,
    wasmtime_hashing: f64,
    envoy_hashing: f64,
    envoy_cpu_without: f64,
    envoy_cpu_with: f64,
    envoy_without: f64,
    envoy_with: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    zips: usize,
    raw_bytes: u64,
    zip_bytes: u64,
    rounds: Vec<Round>,
    /// The waits of small requests, in milliseconds.
    waits: Vec<Waits>,
    memory_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Waits {
    what: String,
    requests: usize,
    median_ms: f64,
    p99_ms: f64,
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let modules = real_module_zips();
    let served = root().join(".work/module-zips/cache/download");
    let processors = Processors::share_out()?;
    // The files' server and the load share the other processor.
    processors.measure()?;
    let files = Server::start(served)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measuring = measure(args, &modules, &files, &processors);
    runtime.block_on(LocalSet::new().run_until(measuring))
}

async fn measure(
    args: &Args,
    modules: &[ModuleZip],
    files: &Server,
    processors: &Processors,
) -> Result<(), Box<dyn Error>> {
    let zips = |prefix: &str| -> Vec<Request> {
        let zips = modules.iter();
        zips.map(|module| file_of(module, "zip", prefix)).collect()
    };
    let (plain, requests) = (zips(""), zips(PREFIX));
    let policy = policy(modules);
    let credentials = Credentials::new(Kind::Path, tenant_names(1));
    processors.start_measured()?;
    let without = without_filter(&credentials, false, files.address())?;
    let module = dist("modgate.wasm");
    let with = with_filter(&module, &policy, &credentials, false, files.address())?;
    let serve = Serve::start(&policy, &[(CLUSTER, files.address())]);
    let mut dirhash = Dirhash::start();
    processors.measure()?;

    let (mut raw_bytes, mut zip_bytes) = (0, 0);
    for module in modules {
        let summary = hash(&fs::read(&module.zip)?)?;
        raw_bytes += summary.0;
        zip_bytes += summary.1;
    }
    eprintln!("bench-downloads: warming up");
    Client::open(without.address)
        .await?
        .download(&plain)
        .await?;
    for to in [with.address, serve.address()] {
        Client::open(to).await?.download(&requests).await?;
    }
    let mut rounds = Vec::new();
    for number in 1..=args.rounds {
        let mut round = Round::default();
        for module in modules {
            round.dirhash += dirhash.time_of(&module.zip).as_secs_f64();
            let zip = fs::read(&module.zip)?;
            let began = Instant::now();
            hash(&zip)?;
            round.engine += began.elapsed().as_secs_f64();
        }
        let before = hashing(&serve.prometheus());
        Client::open(serve.address())
            .await?
            .download(&requests)
            .await?;
        round.wasmtime_hashing = hashing(&serve.prometheus()) - before;
        (round.envoy_without, round.envoy_cpu_without) = envoy(&without, &plain).await?;
        let stats = || hashing(&http::get(with.admin, "/stats/prometheus").body);
        let before = stats();
        (round.envoy_with, round.envoy_cpu_with) = envoy(&with, &requests).await?;
        round.envoy_hashing = stats() - before;
        eprintln!(
            "bench-downloads: round {number} of {}: {round:?}",
            args.rounds
        );
        rounds.push(round);
    }
    let report = Report {
        zips: modules.len(),
        raw_bytes,
        zip_bytes,
        waits: all_waits(args, modules, (&without, &with)).await?,
        rounds,
        memory_bytes: memory_of(with.process.id())?,
    };
    print!("{}", report.text());
    let out = root().join(".work/bench/downloads.json");
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(out, serde_json::to_string_pretty(&report)?)?)
}

/// The raw bytes of a zip's files, and the zip's own.
fn hash(zip: &[u8]) -> Result<(u64, u64), Box<dyn Error>> {
    let mut hasher = ZipHasher::of_any_module();
    for chunk in zip.chunks(CHUNK) {
        hasher.feed(chunk).map_err(|error| error.to_string())?;
    }
    let summary = hasher.finish().map_err(|error| error.to_string())?;
    Ok((summary.content_bytes, summary.zip_bytes))
}

/// What the filter spent on hashing so far, in seconds.
fn hashing(prometheus: &str) -> f64 {
    Figures::parse(prometheus).sum("modgate_integrity_microseconds_total", &[]) / 1e6
}

/// How long the downloads took, and Envoy's CPU time.
async fn envoy(side: &Side, requests: &[Request]) -> Result<(f64, f64), Box<dyn Error>> {
    let mut client = Client::open(side.address).await?;
    let (before, began) = (time_of(side.process.id())?, Instant::now());
    client.download(requests).await?;
    let took = began.elapsed();
    let ran = time_of(side.process.id())?.saturating_sub(before);
    Ok((took.as_secs_f64(), ran.as_secs_f64()))
}

async fn all_waits(
    args: &Args,
    modules: &[ModuleZip],
    (without, with): (&Side, &Side),
) -> Result<Vec<Waits>, Box<dyn Error>> {
    let largest = modules
        .iter()
        .max_by_key(|module| fs::metadata(&module.zip).map_or(0, |file| file.len()))
        .ok_or("there is no module")?;
    let length = Duration::from_millis(args.slice_ms);
    let mut all = Vec::new();
    for (side, prefix, name) in [
        (without, "", "without the filter"),
        (with, PREFIX, "with the filter"),
    ] {
        let small = file_of(&modules[0], "info", prefix);
        let large = file_of(largest, "zip", prefix);
        for (large, beside) in [(None, "alone"), (Some(&large), "beside a large download")] {
            let sorted = waits(side.address, &small, large, length).await?;
            let ms = |percent| percentile(&sorted, percent).as_secs_f64() * 1e3;
            all.push(Waits {
                what: format!("{name}, {beside}"),
                requests: sorted.len(),
                median_ms: ms(50),
                p99_ms: ms(99),
            });
        }
    }
    Ok(all)
}

impl Report {
    fn text(&self) -> String {
        let median = |figure: fn(&Round) -> f64| {
            let mut figures: Vec<f64> = self.rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let dirhash = median(|round| round.dirhash);
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["hashing", "MB/s raw", "MB/s of zip", "against dirhash"]);
        let mut hashing = |name: &str, seconds: f64| {
            table.add_row([
                name.to_owned(),
                format!("{:.0}", self.raw_bytes as f64 / 1e6 / seconds),
                format!("{:.0}", self.zip_bytes as f64 / 1e6 / seconds),
                format!("{:.2}", dirhash / seconds),
            ]);
        };
        hashing("Go's dirhash", dirhash);
        hashing("engine, native", median(|round| round.engine));
        hashing("in wasmtime", median(|round| round.wasmtime_hashing));
        hashing("in Envoy's V8", median(|round| round.envoy_hashing));
        let added = |round: &Round| round.envoy_cpu_with - round.envoy_cpu_without;
        hashing("CPU that Envoy adds", median(added));
        let mut downloads = Table::new();
        downloads.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        downloads.set_header(["downloads through Envoy", "MB/s of zip"]);
        for (name, seconds) in [
            ("without the filter", median(|round| round.envoy_without)),
            ("with the filter", median(|round| round.envoy_with)),
        ] {
            let speed = self.zip_bytes as f64 / 1e6 / seconds;
            downloads.add_row([name.to_owned(), format!("{speed:.0}")]);
        }
        let mut waits = Table::new();
        waits.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        waits.set_header(["small requests", "median ms", "p99 ms", "requests"]);
        for wait in &self.waits {
            let (median, p99) = (wait.median_ms, wait.p99_ms);
            let (median, p99) = (format!("{median:.2}"), format!("{p99:.2}"));
            waits.add_row([wait.what.clone(), median, p99, wait.requests.to_string()]);
        }
        format!(
            "{} zips, {:.0} MB of {:.0} MB raw, {} rounds; Envoy took {} MiB\n{table}\n{downloads}\n{waits}\n",
            self.zips,
            self.zip_bytes as f64 / 1e6,
            self.raw_bytes as f64 / 1e6,
            self.rounds.len(),
            self.memory_bytes >> 20,
        )
    }
}
