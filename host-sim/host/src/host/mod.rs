//! The state of one VM: what hostcalls read and change.

mod callouts;
mod grpc;
mod metrics;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use wasmtime::{Memory, StoreLimits, TypedFunc};

pub(crate) use self::callouts::{Callouts, CurrentAnswer};
pub(crate) use self::grpc::{CurrentGrpc, GrpcEnd, GrpcKind, GrpcRequests, PendingGrpc};
pub(crate) use self::metrics::MetricTable;
use crate::context::{Root, Stream};
use crate::effect::{Direction, Effect, LogLevel, StreamEffect, StreamId};
use crate::local_reply::LocalReply;
use crate::proxy::Proxy;
use crate::rng::Rng;
use crate::shared::Inbox;
use crate::vm::{AbiVersion, VmConfig, VmFailure};

/// The context of the VM itself, in which it is initialised.
pub(crate) const VM_CONTEXT: u32 = 0;

/// What a guest asked for that is done once its callback has returned.
#[derive(Debug)]
pub(crate) enum Action {
    Continue(u32, Direction),
    Close(u32),
    Reply(u32, Box<LocalReply>),
    /// A retired root context is done and can go.
    RootDone(u32),
    /// A gRPC request ended before it had begun: root context, token, why.
    GrpcClosed(u32, u32, GrpcEnd),
}

/// The state of one VM.
pub(crate) struct Host {
    pub proxy: Arc<Proxy>,
    pub config: Arc<VmConfig>,
    pub abi: AbiVersion,
    pub memory: Option<Memory>,
    pub allocate: Option<TypedFunc<u32, u32>>,
    pub limits: StoreLimits,
    pub failure: Option<VmFailure>,
    pub roots: BTreeMap<u32, Root>,
    pub streams: HashMap<u32, Stream>,
    /// The context that the guest was called for.
    pub current: u32,
    /// The context that the guest chose to act for.
    pub effective: Option<u32>,
    /// The root context whose configuration can be read: set in `on_context_create` and
    /// `on_configure` only.
    pub configuring: Option<u32>,
    /// The guest has sent a reply: whatever its callback returns, nothing goes on.
    pub iteration_stopped: bool,
    pub actions: VecDeque<Action>,
    pub effects: VecDeque<Effect>,
    pub metrics: MetricTable,
    pub callouts: Callouts,
    pub grpc: GrpcRequests,
    pub inbox: Arc<Inbox>,
    pub rng: Rng,
}

impl Host {
    /// The context that hostcalls act for.
    pub(crate) fn context(&self) -> u32 {
        self.effective
            .filter(|id| self.exists(*id))
            .unwrap_or(self.current)
    }

    pub(crate) fn exists(&self, context: u32) -> bool {
        context == VM_CONTEXT
            || self.roots.contains_key(&context)
            || self.streams.contains_key(&context)
    }

    /// The stream that hostcalls act for, where they act for one.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        let id = self.context();
        self.streams.get_mut(&id)
    }

    /// The root context that hostcalls act for, or act beneath.
    pub(crate) fn root_id(&self) -> u32 {
        let id = self.context();
        self.streams.get(&id).map_or(id, |stream| stream.root)
    }

    pub(crate) fn emit(&mut self, stream: u32, effect: StreamEffect) {
        self.effects
            .push_back(Effect::Stream(StreamId(stream), effect));
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: String) {
        if level >= self.config.log_level {
            self.effects.push_back(Effect::Log(level, message));
        }
    }
}
