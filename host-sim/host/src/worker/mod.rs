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

use wasmtime::StoreLimitsBuilder;

pub use callouts::CalloutAnswer;
pub use grpc::GrpcPart;
use guest::Guest;
pub use streams::UpstreamFailure;

use crate::effect::Effect;
use crate::host::{Actions, Callouts, Contexts, GrpcRequests, Host, MetricTable};
use crate::proxy::Proxy;
use crate::rng::Rng;
use crate::shared::Inbox;
use crate::vm::{Budget, Module, StartError, VmConfig, VmFailure};

/// What wakes a worker's driver when another worker has left something for it.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// Elements of a guest's tables, at most.
const TABLE_LIMIT: usize = 1 << 20;

/// One VM with its plugins and streams.
pub struct Worker {
    guest: Guest,
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
        let host = host(module, config, proxy, waker);
        Ok(Self {
            guest: Guest::start(module, host)?,
        })
    }

    /// What is to be done, or to be known, since the last call, in order.
    pub fn effects(&mut self) -> impl Iterator<Item = Effect> + use<'_> {
        self.guest.state_mut().effects.drain(..)
    }

    /// Why the VM does not run any more.
    pub fn failure(&self) -> Option<&VmFailure> {
        self.guest.failure()
    }

    /// The proxy that the worker is part of.
    pub fn proxy(&self) -> &Arc<Proxy> {
        &self.guest.state().proxy
    }

    /// How much memory the guest has, in bytes.
    pub fn memory_size(&self) -> usize {
        self.guest.memory_size()
    }

    /// Streams that live.
    pub fn stream_count(&self) -> usize {
        self.guest.state().contexts.streams().len()
    }

    fn healthy(&self) -> Result<(), VmFailure> {
        self.failure().cloned().map_or(Ok(()), Err)
    }

    fn host(&mut self) -> &mut Host {
        self.guest.state_mut()
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
        contexts: Contexts::default(),
        actions: Actions::default(),
        effects: std::collections::VecDeque::new(),
        metrics: MetricTable::default(),
        callouts: Callouts::default(),
        grpc: GrpcRequests::default(),
        inbox: Arc::new(Inbox::new(waker)),
    }
}
