//! The filter's callbacks of one half of a stream: what is handed in, and how the answer is read.

use super::Worker;
use super::guest::Called;
use crate::effect::{Direction, Part};
use crate::http::Headers;
use crate::types::{DataStatus, HeadersStatus, TrailersStatus};
use crate::vm::HeadersCallback;

impl Worker {
    pub(super) fn call_headers(
        &mut self,
        id: u32,
        direction: Direction,
        end_stream: bool,
    ) -> HeadersStatus {
        let Some(stream) = self.live(id) else {
            return HeadersStatus::StopAllIterationAndWatermark;
        };
        if stream.failed || stream.unfiltered {
            return HeadersStatus::Continue;
        }
        let root = stream.root;
        let half = stream.half(direction);
        half.in_callback = Some(Part::Headers);
        let count = count(half.headers.as_ref());
        let (name, callback) = match direction {
            Direction::Request => (
                "proxy_on_request_headers",
                &self.guest.exports().on_request_headers,
            ),
            Direction::Response => (
                "proxy_on_response_headers",
                &self.guest.exports().on_response_headers,
            ),
        };
        let result = match callback.clone() {
            None => self.missing(),
            Some(HeadersCallback::WithoutEnd(f)) => self.guest.call(name, id, Some(f), (id, count)),
            Some(HeadersCallback::WithEnd(f)) => {
                self.guest
                    .call(name, id, Some(f), (id, count, u32::from(end_stream)))
            }
        };
        let stopped = self.host().actions.iteration_stopped();
        let plugin = self.host().contexts.root(root).map(|root| &root.plugin);
        let allow = plugin.is_some_and(|plugin| plugin.allow_on_headers_stop_iteration);
        let status = match self.or_fail(id, result.or(0)) {
            Some(result) => HeadersStatus::from_guest(result, stopped, allow),
            None => HeadersStatus::StopAllIterationAndWatermark,
        };
        self.run_actions();
        status
    }

    /// The filter's word on a part of the body; `None` where there is no stream any more.
    pub(super) fn call_body(&mut self, id: u32, direction: Direction) -> Option<DataStatus> {
        let stream = self.live(id)?;
        if !stream.created || stream.failed || stream.unfiltered {
            return Some(DataStatus::Continue);
        }
        let half = stream.half(direction);
        half.in_callback = Some(Part::Body);
        if half.aborted {
            return Some(DataStatus::StopIterationNoBuffer);
        }
        let end = half.filter_ended;
        let size = half.visible_body().map_or(0, |body| body.len());
        let (name, callback) = match direction {
            Direction::Request => (
                "proxy_on_request_body",
                &self.guest.exports().on_request_body,
            ),
            Direction::Response => (
                "proxy_on_response_body",
                &self.guest.exports().on_response_body,
            ),
        };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let result = match callback.clone() {
            None => self.missing(),
            some => self.guest.call(name, id, some, (id, size, u32::from(end))),
        };
        let stopped = self.host().actions.iteration_stopped();
        let status = match self.or_fail(id, result.or(0)) {
            Some(result) => DataStatus::from_guest(result, stopped),
            None => DataStatus::StopIterationNoBuffer,
        };
        self.run_actions();
        self.is_live(id).then_some(status)
    }

    pub(super) fn call_trailers(&mut self, id: u32, direction: Direction) -> TrailersStatus {
        let Some(stream) = self.live(id) else {
            return TrailersStatus::StopIteration;
        };
        if !stream.created || stream.failed || stream.unfiltered {
            return TrailersStatus::Continue;
        }
        let half = stream.half(direction);
        half.in_callback = Some(Part::Trailers);
        let count = count(half.trailers.as_ref());
        let (name, callback) = match direction {
            Direction::Request => (
                "proxy_on_request_trailers",
                &self.guest.exports().on_request_trailers,
            ),
            Direction::Response => (
                "proxy_on_response_trailers",
                &self.guest.exports().on_response_trailers,
            ),
        };
        let result = match callback.clone() {
            None => self.missing(),
            some => self.guest.call(name, id, some, (id, count)),
        };
        let stopped = self.host().actions.iteration_stopped();
        let status = match self.or_fail(id, result.or(0)) {
            Some(result) => TrailersStatus::from_guest(result, stopped),
            None => TrailersStatus::StopIteration,
        };
        self.run_actions();
        status
    }

    /// What a callback is worth that the module does not have: nothing, unless the VM has failed.
    fn missing(&self) -> Called<u32> {
        if self.guest.failure().is_some() {
            Called::Failed
        } else {
            Called::Missing
        }
    }
}

fn count(headers: Option<&Headers>) -> u32 {
    u32::try_from(headers.map_or(0, Headers::len)).unwrap_or(u32::MAX)
}
