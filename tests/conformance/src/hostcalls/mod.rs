//! Hostile arguments to every hostcall, in every phase, on real Envoy and on the simulator.
//!
//! In reading order: [`calls`] are the calls, [`guest`] is a filter that makes them.

pub mod calls;
pub mod guest;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use modgate_goproxy::{Module, Server, Tree};
use serde_json::json;

use guest::{PHASES, answers};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::process::Process;
use modgate_harness::serve::Serve;

/// How long a host is given to say what came of all calls.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of all calls on both hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Functions of the proxy-wasm ABI that were called.
    pub hostcalls: usize,
    /// Functions of WASI that were called.
    pub wasi: usize,
    /// Answers that each host gave: calls, times phases.
    pub answers: usize,
    /// The different answers that Envoy gave to a request's headers callback.
    pub kinds: BTreeSet<String>,
    /// Each answer of the simulator that is not Envoy's, in words.
    pub differing: Vec<String>,
}

/// Makes all calls on Envoy and on `modgate serve`.
///
/// # Panics
/// Where one of them does not come up, or does not say what came of the calls.
pub fn compare() -> Comparison {
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    let tree = dir.path().join("tree");
    Tree::write(tree.clone(), &[Module::new("example.org/m", "v1.0.0")])
        .unwrap_or_else(|e| panic!("{}: {e}", tree.display()));
    let server = Server::start(tree).unwrap_or_else(|e| panic!("the Go proxy: {e}"));
    let calls = calls::all();
    let file = dir.path().join("hostile.wasm");
    std::fs::write(&file, guest::of(&calls)).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let policy = json!({});
    let clusters: [(&str, SocketAddr); 1] = [("backend", server.address())];

    let mut config = Config::new(policy.clone(), &clusters);
    config.module = file.clone();
    let mut envoy = Envoy::start(&config);
    let wasm = format!("--wasm={}", file.display());
    let mut serve = Serve::start_with(&policy, &clusters, &[wasm]);
    let wanted = reported(envoy.address(), envoy.process(), calls.len());
    let seen = reported(serve.address(), serve.process(), calls.len());

    let mut differing = Vec::new();
    for (phase, wanted) in &wanted {
        let seen = seen.get(phase).into_iter().flatten();
        for (((name, arguments), envoy), simulator) in calls.iter().zip(wanted).zip(seen) {
            if envoy != simulator {
                let call = format!("{phase} {name} {arguments:?}");
                differing.push(format!("{call}: Envoy {envoy}, the simulator {simulator}"));
            }
        }
    }
    let names: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).collect();
    let hostcalls = names.iter().filter(|name| name.starts_with("proxy_"));
    let hostcalls = hostcalls.count();
    Comparison {
        hostcalls,
        wasi: names.len() - hostcalls,
        answers: calls.len() * PHASES.len(),
        kinds: wanted.get(&'Q').into_iter().flatten().cloned().collect(),
        differing,
    }
}

/// The answers of all phases, by phase.
fn reported(
    address: SocketAddr,
    process: &mut Process,
    calls: usize,
) -> BTreeMap<char, Vec<String>> {
    http::get(address, "/example.org/m/@v/list");
    let start = Instant::now();
    loop {
        let answers = answers(&process.log(), calls);
        if answers.len() == PHASES.len() {
            return answers;
        }
        assert!(start.elapsed() < PATIENCE, "{:?}", answers.keys());
        std::thread::sleep(Duration::from_millis(50));
    }
}
