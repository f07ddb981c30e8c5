//! What a guest requested that is done once its callback has returned.

use std::collections::VecDeque;

use super::grpc::GrpcEnd;
use crate::effect::Direction;
use crate::local_reply::LocalReply;

/// One thing that is to be done.
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

/// What the guest requested, in its order.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    queue: VecDeque<Action>,
    iteration_stopped: bool,
}

impl Actions {
    pub(crate) fn push(&mut self, action: Action) {
        self.queue.push_back(action);
    }

    /// The guest has sent a reply: whatever its callback returns, nothing goes on.
    pub(crate) fn stop_iteration(&mut self) {
        self.iteration_stopped = true;
    }

    /// Whether the callback that has returned sent a reply.
    pub(crate) const fn iteration_stopped(&self) -> bool {
        self.iteration_stopped
    }

    /// The callback's answer has been read; the next one begins anew.
    pub(crate) fn begin(&mut self) {
        self.iteration_stopped = false;
    }

    pub(crate) fn next(&mut self) -> Option<Action> {
        self.queue.pop_front()
    }
}
