//! A worker: one VM with its plugins and streams, as each of Envoy's worker threads has one.
//!
//! Events go in as method calls, what they bring about comes out of [`Worker::effects`]. The worker
//! does no I/O and never waits; who drives it has the sockets and the timer.

mod actions;
mod callbacks;
mod callouts;
mod chain;
mod finish;
mod forward;
mod grpc;
mod guest;
mod plugins;
mod reply;
mod streams;
mod timers;

use std::sync::Arc;

use wasmtime::{Store, StoreLimitsBuilder, UnknownImportError};

pub use callouts::CalloutAnswer;
pub use grpc::GrpcPart;
pub use streams::UpstreamFailure;

use crate::abi;
use crate::effect::{Effect, LogLevel};
use crate::host::{Callouts, GrpcRequests, Host, MetricTable, VM_CONTEXT};
use crate::proxy::Proxy;
use crate::rng::Rng;
use crate::shared::Inbox;
use crate::vm::{Budget, Exports, Module, ModuleError, StartError, VmConfig, VmFailure};

/// What wakes a worker's driver when another worker has left something for it.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// Elements of a guest's tables, at most.
const TABLE_LIMIT: usize = 1 << 20;

/// One VM with its plugins and streams.
pub struct Worker {
    store: Store<Host>,
    exports: Exports,
    last_context: u32,
}

impl Worker {
    /// A VM that has run its entry function and knows no plugin yet.
    ///
    /// # Errors
    /// An import that this host does not have, exports that do not fit the ABI, a trap.
    pub fn new(module: &Module, config: VmConfig, proxy: Arc<Proxy>) -> Result<Self, StartError> {
        Self::with_waker(module, config, proxy, None)
    }

    /// As [`Worker::new`]; `waker` is called, on any thread, when [`Worker::run_due`] has something to
    /// do that another worker caused.
    ///
    /// # Errors
    /// As [`Worker::new`].
    pub fn with_waker(
        module: &Module,
        config: VmConfig,
        proxy: Arc<Proxy>,
        waker: Option<Waker>,
    ) -> Result<Self, StartError> {
        if matches!(config.budget, Budget::Fuel(_)) && !module.engine().counts_fuel() {
            return Err(StartError::NoFuel);
        }
        let linker = abi::linker(module.engine(), &config)?;
        let pre = linker.instantiate_pre(module.inner()).map_err(unlinked)?;
        let mut store = Store::new(module.engine().inner(), host(module, config, proxy, waker));
        store.limiter(|host| &mut host.limits);
        guest::refill(&mut store);
        let instance = pre
            .instantiate(&mut store)
            .map_err(|error| guest::failure(&store, "its start section", &error))?;
        let exports = Exports::of(instance, &mut store, module.abi())?;
        let host = store.data_mut();
        host.memory = Some(exports.memory);
        host.allocate = Some(exports.allocate.clone());
        let mut worker = Self {
            store,
            exports,
            last_context: VM_CONTEXT,
        };
        worker.call_entry();
        worker
            .healthy()
            .map_err(|failure| worker.with_lines(failure))?;
        Ok(worker)
    }

    /// What is to be done, or to be known, since the last call, in order.
    pub fn effects(&mut self) -> impl Iterator<Item = Effect> + use<'_> {
        self.store.data_mut().effects.drain(..)
    }

    /// Why the VM does not run any more.
    pub fn failure(&self) -> Option<&VmFailure> {
        self.store.data().failure.as_ref()
    }

    /// The proxy that the worker is part of.
    pub fn proxy(&self) -> &Arc<Proxy> {
        &self.store.data().proxy
    }

    /// How much memory the guest has, in bytes.
    pub fn memory_size(&self) -> usize {
        self.exports.memory.data_size(&self.store)
    }

    /// Streams that live.
    pub fn stream_count(&self) -> usize {
        self.store.data().streams.len()
    }

    fn healthy(&self) -> Result<(), VmFailure> {
        self.failure().cloned().map_or(Ok(()), Err)
    }

    /// The failure with what the guest wrote before it, which nobody could read any more.
    fn with_lines(&mut self, mut failure: VmFailure) -> VmFailure {
        let own = LogLevel::Critical;
        let lines = self.effects().filter_map(|effect| match effect {
            Effect::Log(level, line) if level != own => Some(line),
            _ => None,
        });
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            failure.reason = format!("{}; it wrote: {}", failure.reason, lines.join(" | "));
        }
        failure
    }

    fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    fn log(&mut self, level: LogLevel, line: String) {
        self.host().log(level, line);
    }

    /// The next id of a context; roots and streams are counted together.
    fn next_context(&mut self) -> u32 {
        loop {
            self.last_context = self.last_context.wrapping_add(1);
            let id = self.last_context;
            if !self.store.data().exists(id) {
                return id;
            }
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("failure", &self.failure())
            .finish_non_exhaustive()
    }
}

fn host(module: &Module, config: VmConfig, proxy: Arc<Proxy>, waker: Option<Waker>) -> Host {
    let limits = StoreLimitsBuilder::new()
        .memory_size(config.memory_limit)
        .table_elements(TABLE_LIMIT)
        .build();
    Host {
        rng: Rng::new(proxy.config().seed),
        proxy,
        config: Arc::new(config),
        abi: module.abi(),
        memory: None,
        allocate: None,
        limits,
        failure: None,
        roots: std::collections::BTreeMap::new(),
        streams: std::collections::HashMap::new(),
        current: VM_CONTEXT,
        effective: None,
        configuring: None,
        iteration_stopped: false,
        actions: std::collections::VecDeque::new(),
        effects: std::collections::VecDeque::new(),
        metrics: MetricTable::default(),
        callouts: Callouts::default(),
        grpc: GrpcRequests::default(),
        inbox: Arc::new(Inbox::new(waker)),
    }
}

fn unlinked(error: wasmtime::Error) -> ModuleError {
    match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) => ModuleError::MissingImport {
            module: unknown.module().to_owned(),
            name: unknown.name().to_owned(),
        },
        None => ModuleError::Invalid(format!("{error:#}")),
    }
}
