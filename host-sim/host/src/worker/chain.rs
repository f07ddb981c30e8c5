//! One half of a stream through the filter: Envoy's filter manager with a single filter
//! (`source/common/http/filter_manager.cc`, whose names the comments give).

use super::Worker;
use crate::context::{Half, Iteration, Stream};
use crate::effect::{Direction, Part, StreamEffect};
use crate::http::Body;
use crate::types::{DataStatus, HeadersStatus, TrailersStatus};

impl Worker {
    /// A stream that is there and not being taken down.
    pub(super) fn live(&mut self, id: u32) -> Option<&mut Stream> {
        self.host().contexts.stream_mut(id).filter(|s| !s.finishing)
    }

    pub(super) fn is_live(&mut self, id: u32) -> bool {
        self.live(id).is_some()
    }

    pub(super) fn half(&mut self, id: u32, direction: Direction) -> Option<&mut Half> {
        self.live(id).map(|stream| stream.half(direction))
    }

    /// `decodeHeaders`, `encodeHeaders`: shows the headers, which are in the half already.
    pub(super) fn filter_headers(&mut self, id: u32, direction: Direction, end_stream: bool) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        half.filter_ended = end_stream;
        half.headers_visible = true;
        let status = self.call_headers(id, direction, end_stream);
        let Some(half) = self.half(id, direction) else {
            return;
        };
        half.in_callback = None;
        if status == HeadersStatus::Continue {
            half.headers_visible = false;
        }
        let aborted = half.aborted;
        if aborted {
            half.iteration = Iteration::StopSingle;
            self.send_prepared(id);
            return;
        }
        half.iteration = match status {
            // Headers that the filter let go in its callback are out.
            HeadersStatus::Continue | HeadersStatus::ContinueAndDontEndStream
                if half.headers_continued =>
            {
                return;
            }
            HeadersStatus::Continue | HeadersStatus::ContinueAndDontEndStream => {
                half.headers_continued = true;
                let end_stream = end_stream && status == HeadersStatus::Continue;
                return self.forward_headers(id, direction, end_stream);
            }
            HeadersStatus::StopIteration => Iteration::StopSingle,
            HeadersStatus::StopAllIterationAndBuffer => Iteration::StopAllBuffer,
            HeadersStatus::StopAllIterationAndWatermark => Iteration::StopAllWatermark,
        };
        self.paused(id, direction, Part::Headers);
    }

    /// `decodeData`, `encodeData`: shows a part of the body, unless it has to wait unseen.
    pub(super) fn filter_data(&mut self, id: u32, direction: Direction, data: Body, end: bool) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        if half.stopped_all() {
            half.streaming = half.iteration == Iteration::StopAllWatermark;
            half.buffer(data);
            return self.check_limit(id, direction);
        }
        if half.filter_ended {
            return;
        }
        let had_trailers = half.trailers.is_some();
        half.filter_ended = end && !had_trailers;
        half.current = data;
        half.current_visible = true;
        if half.buffering {
            // The filter sees the sum of what it holds.
            half.streaming = false;
            half.hold_current();
            half.in_callback = Some(Part::Body);
            self.check_limit(id, direction);
        }
        let Some(status) = self.call_body(id, direction) else {
            return;
        };
        self.after_data(id, direction, status, end, had_trailers);
    }

    /// `commonHandleAfterDataCallback` and what follows it.
    fn after_data(
        &mut self,
        id: u32,
        direction: Direction,
        status: DataStatus,
        end: bool,
        had_trailers: bool,
    ) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        half.in_callback = None;
        half.buffering = status == DataStatus::StopIterationAndBuffer;
        if status == DataStatus::Continue {
            half.current_visible = false;
        }
        if half.aborted {
            half.iteration = Iteration::StopSingle;
            return self.send_prepared(id);
        }
        let added_trailers = !had_trailers && half.trailers.is_some();
        if status == DataStatus::Continue {
            if half.iteration == Iteration::StopSingle {
                half.hold_current();
                return self.continue_half(id, direction);
            }
            let mut data = half.take_buffered().unwrap_or_default();
            data.append(&mut half.current);
            self.forward_data(id, direction, data, end && !added_trailers);
            if added_trailers {
                // Envoy shows them to the filters behind this one.
                self.forward_trailers(id, direction);
            }
            return;
        }
        half.iteration = Iteration::StopSingle;
        if status == DataStatus::StopIterationNoBuffer {
            half.current.take();
            if half.complete && half.trailers.is_none() {
                // So that the end goes on when the half is continued.
                half.buffered.get_or_insert_default();
            }
        } else {
            half.streaming = status == DataStatus::StopIterationAndWatermark;
            half.hold_current();
            self.check_limit(id, direction);
        }
        self.paused(id, direction, Part::Body);
    }

    /// `decodeTrailers`, `encodeTrailers`.
    pub(super) fn filter_trailers(&mut self, id: u32, direction: Direction) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        if half.stopped_all() {
            return;
        }
        half.trailers_visible = true;
        let status = self.call_trailers(id, direction);
        let Some(half) = self.half(id, direction) else {
            return;
        };
        half.in_callback = None;
        half.filter_ended = true;
        if status == TrailersStatus::Continue {
            half.trailers_visible = false;
        }
        if half.aborted {
            return self.send_prepared(id);
        }
        match (status, half.iteration) {
            (TrailersStatus::Continue, Iteration::StopSingle) => self.continue_half(id, direction),
            (TrailersStatus::Continue, _) => self.forward_trailers(id, direction),
            (TrailersStatus::StopIteration, _) => {
                if half.can_iterate() {
                    half.iteration = Iteration::StopSingle;
                }
                self.paused(id, direction, Part::Trailers);
            }
        }
    }

    /// `commonContinue`: lets go on what is held. What waited unseen is shown first.
    pub(super) fn continue_half(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.live(id) else {
            return;
        };
        // A request does not go on once its response is complete.
        if direction == Direction::Request && stream.response.complete {
            return;
        }
        let half = stream.half(direction);
        if half.headers.is_none() {
            return;
        }
        if half.in_callback == Some(Part::Headers) {
            return self.continue_headers(id, direction);
        }
        if half.can_iterate() {
            return;
        }
        let unseen = half.stopped_all();
        half.iteration = Iteration::Continue;
        let headers_first = !std::mem::replace(&mut half.headers_continued, true);
        let had_trailers = half.trailers.is_some();
        let complete = half.complete;
        let headers_only = complete && half.buffered.is_none() && !had_trailers;
        self.host().emit(id, StreamEffect::Resumed { direction });
        if headers_first {
            self.forward_headers(id, direction, headers_only);
        }
        let held = self.half(id, direction).and_then(Half::take_buffered);
        if let Some(held) = held {
            self.resume_reading(id, direction);
            let end = complete && !had_trailers;
            if unseen {
                self.filter_data(id, direction, held, end);
            } else {
                self.forward_data(id, direction, held, end);
            }
        }
        if had_trailers {
            if unseen {
                self.filter_trailers(id, direction);
            } else {
                self.forward_trailers(id, direction);
            }
        }
    }

    /// The filter lets headers go in the callback about them. They go at once, and what its answer is
    /// holds for what comes behind them: a filter that answers with a pause holds the body, unless it
    /// continues once more. One that answers with Continue has Envoy send them twice, or crash; here
    /// they are sent once.
    fn continue_headers(&mut self, id: u32, direction: Direction) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        if half.aborted || std::mem::replace(&mut half.headers_continued, true) {
            return;
        }
        let headers_only = half.complete && half.trailers.is_none();
        self.forward_headers(id, direction, headers_only);
    }

    pub(super) fn paused(&mut self, id: u32, direction: Direction, at: Part) {
        if self.is_live(id) {
            self.host().emit(id, StreamEffect::Paused { direction, at });
        }
    }

    fn resume_reading(&mut self, id: u32, direction: Direction) {
        let Some(half) = self.half(id, direction) else {
            return;
        };
        if std::mem::take(&mut half.reading_stopped) {
            self.host()
                .emit(id, StreamEffect::ResumeReading { direction });
        }
    }
}
