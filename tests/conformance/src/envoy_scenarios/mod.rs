//! Scenarios of `modgate sim`, played on real Envoy: what comes of one is a [`Run`] as the simulator's own,
//! so that the scenario's expectations judge both, and [`compare`] finds where the two hosts differ.
//!
//! Clients and upstreams speak HTTP/2, in which a message's parts and its end are what a scenario says
//! they are: the end may come by itself, trailers exist, and a reset is not a closed connection. Times
//! are real. In reading order: [`bootstrap`] is Envoy's configuration, `wire` sends and reads messages,
//! [`upstream`] answers, [`client`] asks, [`configurations`] change, [`figures`] reads metrics, [`compare`] finds
//! what differs, [`evaluate`] does it all for files.

pub mod bootstrap;
pub mod client;
pub mod compare;
pub mod configurations;
pub mod evaluate;
pub mod figures;
pub mod upstream;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::{LogLevel, Profile};
use envoy_wasm_scenario::{Run, Scenario};

use configurations::FilterFile;
use modgate_harness::envoy::listener_address;
use modgate_harness::http;
use modgate_harness::ports::free_port;
use modgate_harness::process::Process;
use modgate_harness::tools::tool;
use upstream::Script;

/// How long after the last answer Envoy is given for its log and its metrics.
const SETTLING: Duration = Duration::from_millis(600);

/// Plays a scenario on real Envoy with this module.
///
/// # Panics
/// Where Envoy does not come up, or the scenario has what cannot be had on a real network.
pub fn play(scenario: &Scenario, module: &Path) -> Run {
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("no runtime: {e}"));
    let script = Arc::new(Script::new(&scenario.upstreams));
    let addresses = runtime.block_on(listen(scenario, &script));
    let bootstrap = dir.path().join("envoy.json");
    let file = FilterFile::of(scenario, module, dir.path());
    let path = file.as_ref().map(FilterFile::path);
    let content = bootstrap::of(scenario, module, path, &addresses);
    fs::write(&bootstrap, content.to_string()).unwrap_or_else(|e| panic!("{e}"));
    let admin_file = dir.path().join("admin.txt");
    // The default is the Envoy of all other tests; others stand beside it by name.
    let envoy = match scenario.filter.profile {
        profile if profile == Profile::default() => "envoy",
        profile => profile.name(),
    };
    let mut command = Command::new(tool(envoy));
    command
        .arg("-c")
        .arg(&bootstrap)
        .args(["--use-dynamic-base-id", "--log-level", "info"])
        .args(["--concurrency", &scenario.filter.workers.to_string()])
        .arg("--admin-address-path")
        .arg(&admin_file);
    let mut process = Process::start("envoy", command, dir.path());
    let mut run = Run::default();
    match started(&mut process, &admin_file) {
        Err(refused) => run.refused = Some(refused),
        Ok((admin, address)) => {
            let configurations = configurations::hand_over(scenario, module, file, admin);
            run.clients = runtime.block_on(client::all(scenario, address));
            let seen = configurations.join();
            run.configurations = seen.unwrap_or_else(|why| std::panic::resume_unwind(why));
            runtime.block_on(async {
                script.settle().await;
                tokio::time::sleep(SETTLING).await;
            });
            run.series = figures::series(&http::get(admin, "/stats/prometheus").body);
        }
    }
    (run.upstream, run.unanswered) = script.seen();
    let log = process.log();
    let failures = log.lines().filter(|line| is_failure(line));
    run.failures = failures.map(ToOwned::to_owned).collect();
    run.log = log
        .lines()
        .map(|line| (LogLevel::Info, line.to_owned()))
        .collect();
    run
}

/// Whether a line says that a VM has failed that serves requests, and not one for trials.
fn is_failure(line: &str) -> bool {
    let starts = ["proxy_on_vm_start", "proxy_on_configure"];
    let of_start = starts.iter().any(|callback| line.contains(callback));
    let failed = line.contains("Function: proxy_on_") && line.contains("failed");
    (failed && !of_start) || line.contains("Failed to configure thread-local Wasm plugin")
}

/// A port for each cluster; nobody listens where all that a cluster does is to refuse.
async fn listen(scenario: &Scenario, script: &Arc<Script>) -> BTreeMap<String, SocketAddr> {
    let mut addresses = BTreeMap::new();
    for (cluster, behaviours) in &scenario.upstreams {
        let refusing = behaviours.iter().filter(|behaviour| behaviour.refuses());
        let address = match refusing.count() {
            0 => upstream::listen(cluster.clone(), script.clone()).await,
            all if all == behaviours.len() => SocketAddr::from(([127, 0, 0, 1], free_port())),
            _ => panic!("{cluster}: connections are refused by a whole cluster or not at all"),
        };
        addresses.insert(cluster.clone(), address);
    }
    addresses
}

/// The admin interface and the listener; or why Envoy did not take its configuration.
fn started(process: &mut Process, admin: &Path) -> Result<(SocketAddr, SocketAddr), String> {
    let ready = process.wait_or_end("ready", || {
        let admin = fs::read_to_string(admin).ok()?.trim().parse().ok()?;
        Some((admin, listener_address(admin)?))
    });
    ready.map_err(|_| {
        let log = process.log();
        let why = log.lines().rfind(|line| line.contains("Unable to create"));
        why.map_or_else(|| panic!("{log}"), ToOwned::to_owned)
    })
}
