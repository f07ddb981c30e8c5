//! The simulator's own speed, which says nothing about Envoy's: what a request costs one core, how soon a
//! filter is ready, what a worker holds in memory.

use std::io;
use std::path::Path;
use std::process;
use std::time::{Duration, Instant};

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{
    Budget, Downstream, Engine, EngineOptions, Module, ModuleError, PluginConfig, Proxy,
    ProxyConfig, RootId, StartError, VmConfig, Worker,
};
use modgate::filter;
use serde_json::Value;

use super::cpu::{memory_of, time_of};
use super::workload::{CLUSTER, Request};

/// More than any request needs: what is measured is the counting.
const FUEL: u64 = 10_000_000_000;

/// How a VM runs the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As `modgate serve` does: what a call may take is a time.
    Serving,
    /// What a call may take is fuel.
    Fuel,
    /// Fuel, and every call in and out is told, as `modgate sim` does.
    Traced,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Serving, Self::Fuel, Self::Traced];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serving => "as `modgate serve` runs it",
            Self::Fuel => "with fuel counted",
            Self::Traced => "with fuel and a trace, as `modgate sim` runs it",
        }
    }

    /// An engine for it, which keeps nothing of what it compiles.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn engine(self) -> Result<Engine, ModuleError> {
        Engine::new(&EngineOptions {
            fuel: self != Self::Serving,
            ..EngineOptions::default()
        })
    }

    fn vm(self) -> VmConfig {
        let budget = match self {
            Self::Serving => VmConfig::default().budget,
            Self::Fuel | Self::Traced => Budget::Fuel(FUEL),
        };
        VmConfig {
            budget,
            trace: self == Self::Traced,
            ..VmConfig::default()
        }
    }
}

/// A worker with the filter and a policy, ready for requests.
#[derive(Debug)]
pub struct Side {
    worker: Worker,
    plugin: RootId,
    /// From the compiled module to a worker that has taken its policy.
    pub ready_after: Duration,
}

impl Side {
    /// Starts a worker.
    ///
    /// # Errors
    /// Where the filter does not take the policy.
    pub fn start(module: &Module, policy: &Value, mode: Mode) -> Result<Self, StartError> {
        let proxy = ProxyConfig {
            stats: filter::stats(),
            route: filter::route(),
            clusters: [CLUSTER.to_owned()].into(),
            ..ProxyConfig::default()
        };
        let configuration = policy.to_string().into_bytes();
        let began = Instant::now();
        let mut worker = Worker::new(module, mode.vm(), Proxy::new(proxy))?;
        let plugin = worker.start_plugin(PluginConfig {
            configuration,
            ..PluginConfig::default()
        })?;
        Ok(Self {
            worker,
            plugin,
            ready_after: began.elapsed(),
        })
    }

    /// The memory that the guest has, in bytes.
    pub fn guest_memory(&self) -> usize {
        self.worker.memory_size()
    }

    /// Requests and their answers through the filter, per second that this process was running; one of
    /// them uses one core.
    ///
    /// # Errors
    /// Where the system does not tell how long it was, or a request was not allowed.
    pub fn per_second(&mut self, requests: &[Request]) -> io::Result<f64> {
        let before = time_of(process::id())?;
        for request in requests {
            self.exchange(request);
        }
        let ran = time_of(process::id())?.saturating_sub(before);
        match self.worker.failure() {
            Some(failure) => Err(io::Error::other(failure.to_string())),
            None => Ok(requests.len() as f64 / ran.as_secs_f64()),
        }
    }

    fn exchange(&mut self, request: &Request) {
        let worker = &mut self.worker;
        let stream = worker.create_stream(self.plugin, Downstream::default());
        let own = request
            .header
            .as_ref()
            .map(|(name, value)| (*name, &**value));
        let headers = [
            (":authority", "proxy.example"),
            (":path", &request.path),
            (":method", "GET"),
            (":scheme", "http"),
            ("user-agent", "Go-http-client/1.1"),
            ("accept-encoding", "gzip"),
            ("x-forwarded-proto", "http"),
            ("x-request-id", "2f0a5b5e-8f0d-4a8e-9d0e-6a1c2b3d4e5f"),
        ];
        let headers = headers.into_iter().chain(own);
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        worker.request_headers(stream, Headers::from_pairs(headers), true);
        worker.effects().for_each(drop);
        let answer = [
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", "50"),
        ];
        worker.response_headers(stream, Headers::from_pairs(answer), false);
        worker.response_body(stream, Bytes::from_static(&[b' '; 50]), false);
        worker.response_body(stream, Bytes::new(), true);
        worker.effects().for_each(drop);
    }

    /// How many requests the filter let through.
    pub fn allowed(&self) -> f64 {
        let text = envoy_wasm_host::stats::render(self.worker.proxy().stats());
        modgate_harness::metrics::Figures::parse(&text)
            .sum("modgate_requests_total", &[("outcome", "ok")])
    }
}

/// The resident memory that each of so many workers adds to this process, in bytes.
///
/// # Errors
/// Where a worker does not start, or the system does not tell.
pub fn memory_of_a_worker(module: &Module, policy: &Value, workers: u32) -> io::Result<u64> {
    let start = || Side::start(module, policy, Mode::Serving).map_err(io::Error::other);
    // What all of them share is there already.
    let first = start()?;
    let before = memory_of(process::id())?;
    let more: Vec<_> = (0..workers).map(|_| start()).collect::<Result<_, _>>()?;
    let after = memory_of(process::id())?;
    drop((first, more));
    Ok(after.saturating_sub(before) / u64::from(workers.max(1)))
}

/// How long the module takes from its file until it can be run: compiled anew, and from the cache.
///
/// # Errors
/// A module or a cache that cannot be used.
pub fn load_times(file: &Path, cache: &Path) -> Result<(Duration, Duration), ModuleError> {
    let load = || {
        let began = Instant::now();
        let engine = Engine::new(&EngineOptions {
            cache: Some(cache.to_owned()),
            ..EngineOptions::default()
        })?;
        Module::from_file(&engine, file)?;
        Ok(began.elapsed())
    };
    Ok((load()?, load()?))
}
