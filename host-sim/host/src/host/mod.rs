//! The state of one VM: what hostcalls read and change.

mod actions;
mod callouts;
mod contexts;
mod grpc;
mod metrics;

use std::collections::VecDeque;
use std::sync::Arc;

use wasmtime::{Memory, StoreLimits, TypedFunc};

pub(crate) use self::actions::{Action, Actions};
pub(crate) use self::callouts::{Callouts, CurrentAnswer};
pub(crate) use self::contexts::{Contexts, VM_CONTEXT};
pub(crate) use self::grpc::{CurrentGrpc, GrpcEnd, GrpcKind, GrpcRequests, PendingGrpc};
pub(crate) use self::metrics::MetricTable;
use crate::effect::{Effect, LogLevel, StreamEffect, StreamId};
use crate::proxy::Proxy;
use crate::rng::Rng;
use crate::shared::Inbox;
use crate::vm::{AbiVersion, VmConfig, VmFailure};

/// The state of one VM.
pub(crate) struct Host {
    pub proxy: Arc<Proxy>,
    pub config: Arc<VmConfig>,
    pub abi: AbiVersion,
    pub memory: Option<Memory>,
    pub allocate: Option<TypedFunc<u32, u32>>,
    pub limits: StoreLimits,
    pub failure: Option<VmFailure>,
    pub contexts: Contexts,
    pub actions: Actions,
    /// What has happened, for whoever drives the worker.
    pub effects: VecDeque<Effect>,
    pub metrics: MetricTable,
    pub callouts: Callouts,
    pub grpc: GrpcRequests,
    pub inbox: Arc<Inbox>,
    pub rng: Rng,
}

impl Host {
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
