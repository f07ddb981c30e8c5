//! Replies that do not come from an upstream, and what happens where the VM has failed or a held
//! body has become too large.

use super::Worker;
use crate::effect::{Direction, StreamEffect};
use crate::http::Body;
use crate::local_reply::{LocalReply, is_grpc_request};
use crate::vm::FailPolicy;

impl Worker {
    /// `FilterManager::sendLocalReply`: through the response callbacks where no response has begun;
    /// straight to the client where one is under way in the filter; and where its headers are out,
    /// all that is left is to close the stream.
    pub(super) fn send_local_reply(&mut self, id: u32, reply: LocalReply) {
        let Some(stream) = self.live(id) else {
            return;
        };
        stream.info.code_details.clone_from(&reply.details);
        stream.info.from_upstream = false;
        let in_request = stream.request.in_callback.is_some();
        if in_request {
            stream.request.aborted = true;
        } else if stream.response.in_callback.is_some() {
            stream.response.aborted = true;
        }
        if stream.response_started {
            self.host().emit(id, StreamEffect::DownstreamReset);
            self.finish(id);
        } else if stream.response.headers.is_some() {
            self.send_direct(id, reply);
        } else if in_request {
            // The first reply stands.
            stream.prepared.get_or_insert(reply);
        } else {
            self.send_through_filter(id, reply);
        }
    }

    /// Sends the reply that was made while a request callback ran.
    pub(super) fn send_prepared(&mut self, id: u32) {
        let prepared = self.live(id).and_then(|stream| stream.prepared.take());
        if let Some(reply) = prepared {
            self.send_through_filter(id, reply);
        }
    }

    fn send_through_filter(&mut self, id: u32, reply: LocalReply) {
        let Some(stream) = self.live(id) else {
            return;
        };
        let grpc = stream.request.headers.as_ref().is_some_and(is_grpc_request);
        let head = stream.is_head();
        let (headers, body) = reply.into_message(grpc);
        stream.info.status = headers.status();
        stream.response.headers = Some(headers);
        let end = body.is_empty() || head;
        stream.response.complete = end;
        self.filter_headers(id, Direction::Response, end);
        if end {
            return;
        }
        if let Some(stream) = self.live(id) {
            stream.response.complete = true;
            self.filter_data(id, Direction::Response, Body::from(body), true);
        }
    }

    pub(super) fn send_direct(&mut self, id: u32, reply: LocalReply) {
        let Some(stream) = self.live(id) else {
            return;
        };
        let grpc = stream.request.headers.as_ref().is_some_and(is_grpc_request);
        let head = stream.is_head();
        stream.info.code_details.clone_from(&reply.details);
        let (headers, body) = reply.into_message(grpc);
        stream.info.status = headers.status();
        stream.info.response_bytes = if head { 0 } else { body.len() as u64 };
        stream.response.headers = Some(headers.clone());
        stream.response.complete = true;
        stream.response_started = true;
        let request_unfinished = !stream.request.complete;
        let end_stream = body.is_empty() || head;
        self.host().emit(
            id,
            StreamEffect::DownstreamHeaders {
                headers,
                end_stream,
                request_unfinished,
            },
        );
        if !end_stream {
            let data = Body::from(body);
            self.host().emit(
                id,
                StreamEffect::DownstreamData {
                    data,
                    end_stream: true,
                },
            );
        }
        self.finish(id);
    }

    /// Whether requests that begin now pass a VM that has failed. Those that it had begun with fail,
    /// whatever the policy.
    pub(super) fn passes_unfiltered(&self) -> bool {
        self.guest.failure().is_some() && self.guest.state().config.fail_policy == FailPolicy::Open
    }

    /// Answers for a VM that has failed: an empty 503, without a callback.
    pub(super) fn or_fail<R>(&mut self, id: u32, result: Option<R>) -> Option<R> {
        if result.is_some() {
            return result;
        }
        if let Some(stream) = self.live(id)
            && !std::mem::replace(&mut stream.failed, true)
        {
            self.send_local_reply(id, LocalReply::new(503, "", "wasm_fail_stream"));
        }
        None
    }

    /// Answers every stream for a VM that has failed, where nothing else will: Envoy leaves those that wait for the
    /// filter alone until something comes for them. A proxy that serves has no reason to.
    pub fn fail_streams(&mut self) {
        if self.guest.failure().is_none() {
            return;
        }
        let roots: Vec<u32> = self.host().contexts.roots().map(|(id, _)| id).collect();
        for root in roots {
            self.cancel_callouts_of(root);
        }
        let streams = self.host().contexts.streams();
        let begun = streams.filter(|(_, s)| s.request.headers.is_some() && !s.unfiltered);
        let mut begun: Vec<u32> = begun.map(|(id, _)| id).collect();
        begun.sort_unstable();
        for id in begun {
            self.or_fail(id, None::<()>);
        }
        self.run_actions();
    }

    /// Where more is held than the limit allows: reading stops if the filter holds everything, else
    /// the request is refused, or the response replaced.
    pub(super) fn check_limit(&mut self, id: u32, direction: Direction) {
        let limit = self.proxy().config().buffer_limit;
        let Some(half) = self.half(id, direction) else {
            return;
        };
        let held = half.buffered.as_ref().map_or(0, Body::len);
        if held <= limit || half.reading_stopped {
            return;
        }
        if half.streaming {
            half.reading_stopped = true;
            return self
                .host()
                .emit(id, StreamEffect::StopReading { direction });
        }
        let reply = match direction {
            Direction::Request => {
                LocalReply::new(413, "Payload Too Large", "request_payload_too_large")
            }
            Direction::Response => {
                LocalReply::new(500, "Internal Server Error", "response_payload_too_large")
            }
        };
        self.send_local_reply(id, reply);
    }
}
