//! The end of a stream: `on_log`, `on_done`, `on_delete`, in this order.

use super::Worker;
use crate::effect::{StreamEffect, StreamSummary};

impl Worker {
    /// Tells the VM of a stream, once.
    pub(super) fn create_in_vm(&mut self, id: u32) {
        let Some(stream) = self.host().contexts.stream_mut(id) else {
            return;
        };
        if stream.unfiltered || std::mem::replace(&mut stream.created, true) {
            return;
        }
        let root = stream.root;
        let create = self.guest.exports().on_context_create.clone();
        self.guest
            .call("proxy_on_context_create", id, create, (id, root));
        self.run_actions();
    }

    /// Takes a stream down. What the filter still requests for it comes too late.
    pub(super) fn finish(&mut self, id: u32) {
        let now = self.proxy().now();
        let Some(stream) = self.live(id) else {
            return;
        };
        stream.finishing = true;
        stream.info.ended = true;
        stream.request.in_callback = None;
        stream.response.in_callback = None;
        if !stream.unfiltered {
            self.report_the_end(id);
        }
        let Some(stream) = self.host().contexts.remove_stream(id) else {
            return;
        };
        let root = stream.root;
        let info = stream.info;
        let summary = StreamSummary {
            request_headers: stream.request.headers.unwrap_or_default(),
            original_path: info.original_path,
            status: info.status,
            code_details: info.code_details,
            cluster: info.cluster,
            from_upstream: info.from_upstream,
            request_bytes: info.request_bytes,
            response_bytes: info.response_bytes,
            flags: info.flags.bits(),
            duration: now.saturating_sub(info.start),
            filter_state: stream.filter_state,
        };
        let summary = Box::new(summary);
        self.host().emit(id, StreamEffect::Ended { summary });
        self.drop_root_if_idle(root);
    }

    fn report_the_end(&mut self, id: u32) {
        self.create_in_vm(id);
        if let Some(stream) = self.host().contexts.stream_mut(id) {
            stream.log_phase = true;
        }
        let log = self.guest.exports().on_log.clone();
        self.guest.call("proxy_on_log", id, log, id);
        self.run_actions();
        if let Some(stream) = self.host().contexts.stream_mut(id) {
            stream.log_phase = false;
        }
        let done = self.guest.exports().on_done.clone();
        self.guest.call("proxy_on_done", id, done, id);
        self.run_actions();
        let delete = self.guest.exports().on_delete.clone();
        self.guest.call("proxy_on_delete", id, delete, id);
        self.run_actions();
    }
}
