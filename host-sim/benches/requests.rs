//! Requests through a filter, per second and core: `cargo bench -p modgate-host-sim`.
//!
//! The filter is the module that `MODGATE_WASM` names, with the policy that `MODGATE_POLICY` names.
//! This is the simulator's own speed, which says nothing about Envoy's.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use host_sim::http::Headers;
use host_sim::stats::StatsConfig;
use host_sim::{
    Downstream, Engine, EngineOptions, Module, PluginConfig, Proxy, ProxyConfig, StreamId,
    VmConfig, Worker,
};

const WARM_UP: u32 = 20_000;
const REQUESTS: u32 = 200_000;
const ROUNDS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let wasm = variable("MODGATE_WASM")?;
    let policy = std::fs::read(variable("MODGATE_POLICY")?)?;
    let engine = Engine::new(&EngineOptions::default())?;
    let began = Instant::now();
    let module = Module::from_file(&engine, &wasm)?;
    println!("compiled in {:.0?}", began.elapsed());
    let mut proxy = ProxyConfig {
        stats: StatsConfig::modgate(),
        ..ProxyConfig::default()
    };
    for backend in modgate_engine::policy::Policy::from_json(&policy)
        .map_err(|e| e[0].to_string())?
        .backends()
    {
        proxy.clusters.insert(backend.cluster.clone());
    }
    let began = Instant::now();
    let mut worker = Worker::new(&module, VmConfig::default(), Proxy::new(proxy))?;
    let plugin = worker.start_plugin(PluginConfig {
        configuration: policy,
        ..PluginConfig::default()
    })?;
    println!(
        "a worker in {:.1?}, {} KiB of guest memory",
        began.elapsed(),
        worker.memory_size() / 1024
    );
    let mut exchange = || {
        let stream = worker.create_stream(plugin, Downstream::default());
        request(&mut worker, stream);
        worker.effects().for_each(drop);
        respond(&mut worker, stream);
        worker.effects().for_each(drop);
    };
    (0..WARM_UP).for_each(|_| exchange());
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        (0..REQUESTS).for_each(|_| exchange());
        best = best.min(began.elapsed());
    }
    if let Some(failure) = worker.failure() {
        return Err(failure.to_string().into());
    }
    let each = best / REQUESTS;
    println!(
        "{:.2?} for a request and its response, {:.0} a second",
        each,
        1.0 / each.as_secs_f64()
    );
    Ok(())
}

fn request(worker: &mut Worker, stream: StreamId) {
    let headers = Headers::from_pairs([
        (":authority", "proxy.example"),
        (":path", "/golang.org/x/text/@v/v0.14.0.info"),
        (":method", "GET"),
        (":scheme", "http"),
        ("user-agent", "Go-http-client/1.1"),
        ("accept-encoding", "gzip"),
        ("x-forwarded-proto", "http"),
        ("x-request-id", "2f0a5b5e-8f0d-4a8e-9d0e-6a1c2b3d4e5f"),
    ]);
    worker.request_headers(stream, headers, true);
}

fn respond(worker: &mut Worker, stream: StreamId) {
    let headers = Headers::from_pairs([
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", "50"),
    ]);
    worker.response_headers(stream, headers, false);
    worker.response_body(stream, bytes::Bytes::from_static(&[b' '; 50]), false);
    worker.response_body(stream, bytes::Bytes::new(), true);
}

fn variable(name: &str) -> Result<PathBuf, String> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{name} is not set; give it a file"))
}
