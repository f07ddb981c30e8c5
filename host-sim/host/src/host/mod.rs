//! The state of one VM: what hostcalls read and change.

mod callouts;
mod metrics;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wasmtime::{Memory, StoreLimits, TypedFunc};

pub(crate) use self::callouts::{Callouts, CurrentAnswer};
pub(crate) use self::metrics::MetricTable;
use crate::context::{Root, Stream};
use crate::effect::{Direction, Effect, LogLevel, StreamEffect, StreamId};
use crate::grpc::{Decoder, Status};
use crate::http::{Headers, LocalReply};
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

/// A gRPC call or stream that the filter can name.
#[derive(Debug)]
pub(crate) struct PendingGrpc {
    pub root: u32,
    pub kind: GrpcKind,
    pub deadline: Option<Duration>,
    /// All of the request is out.
    pub request_ended: bool,
    /// The answer's headers have come.
    pub begun: bool,
    /// The answer has ended.
    pub remote_closed: bool,
    /// Why the answer is what it is, in Envoy's words.
    pub details: String,
    /// Of the answer.
    pub decoder: Decoder,
}

/// What a gRPC request is to the filter.
#[derive(Debug)]
pub(crate) enum GrpcKind {
    /// One message, and one for it: the last that has come.
    Call(Option<Bytes>),
    /// Messages in both directions.
    Stream {
        /// The filter has closed it, and knows it until the answer has ended.
        local_closed: bool,
    },
}

/// How a gRPC request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcEnd {
    pub status: Status,
    pub message: String,
}

/// What a gRPC callback is about; it is there for its root context only.
#[derive(Debug)]
pub(crate) enum CurrentGrpc {
    InitialMetadata(Headers),
    Message(Bytes),
    TrailingMetadata(Headers),
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
    pub grpc: BTreeMap<u32, PendingGrpc>,
    pub last_grpc_call: u32,
    pub last_grpc_stream: u32,
    /// With the root context that it is for.
    pub current_grpc: Option<(u32, CurrentGrpc)>,
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

    /// The next token of a gRPC call, 5, 9, 13, or of a gRPC stream, 6, 10, 14.
    pub(crate) fn next_grpc(&mut self, kind: &GrpcKind) -> u32 {
        let last = match kind {
            GrpcKind::Call(_) => &mut self.last_grpc_call,
            GrpcKind::Stream { .. } => &mut self.last_grpc_stream,
        };
        *last = last.wrapping_add(4);
        *last
    }

    /// What a gRPC callback is about, for who hostcalls act for.
    pub(crate) fn grpc(&self) -> Option<&CurrentGrpc> {
        let (root, current) = self.current_grpc.as_ref()?;
        (*root == self.root_id()).then_some(current)
    }
}
