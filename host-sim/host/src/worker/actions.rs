//! What the guest requested while it ran, done after it has returned.

use super::Worker;
use crate::effect::StreamEffect;
use crate::host::Action;

impl Worker {
    /// Does what the last callback requested, in order. Each action may run callbacks of its own,
    /// whose wishes join the queue.
    pub(super) fn run_actions(&mut self) {
        self.host().actions.begin();
        while let Some(action) = self.host().actions.next() {
            match action {
                Action::Continue(id, direction) => self.continue_half(id, direction),
                Action::Reply(id, reply) => self.send_local_reply(id, *reply),
                Action::Close(id) => self.close_stream(id),
                Action::RootDone(id) => self.delete_root(id),
                Action::GrpcClosed(root, token, end) => self.grpc_closed(root, token, end),
            }
        }
    }

    fn close_stream(&mut self, id: u32) {
        if self.is_live(id) {
            self.host().emit(id, StreamEffect::DownstreamReset);
            self.finish(id);
        }
    }
}
