//! A request and its answer, part by part.

use std::time::Duration;

use envoy_wasm_host::{Direction, StreamEffect, StreamId};

use super::{Driver, Event};
use crate::client::{Flow, Step};
use crate::expected::{Ending, Outcome};
use crate::model::Behaviour;
use crate::run::UpstreamSeen;
use crate::timeline;

/// A request that has begun.
pub(super) struct Exchange {
    pub(super) vm: usize,
    pub(super) stream: StreamId,
    pub(super) request: Flow,
    pub(super) response: Flow,
    pub(super) behaviour: Option<Behaviour>,
    /// Its place among what upstreams got.
    pub(super) upstream: Option<usize>,
    /// The upstream's answer has begun to come.
    pub(super) answering: bool,
    /// The upstream's answer has ended.
    pub(super) answered: bool,
    pub(super) head: bool,
    pub(super) over: bool,
}

impl Driver<'_> {
    pub(super) fn leave(&mut self, i: usize) {
        let Some(exchange) = self.exchanges.get(i).and_then(Option::as_ref) else {
            return;
        };
        if exchange.over {
            return;
        }
        let (vm, stream) = (exchange.vm, exchange.stream);
        if let Some(client) = self.run.clients.get_mut(i) {
            client.outcome.get_or_insert(Outcome::Left);
        }
        self.note(vm, format!("client of request {} disconnects", i + 1));
        self.with(vm, |worker| worker.downstream_closed(stream));
    }

    pub(super) fn flow(&mut self, i: usize, direction: Direction) -> Option<&mut Flow> {
        let exchange = self.exchanges.get_mut(i)?.as_mut()?;
        let flow = match direction {
            Direction::Request => &mut exchange.request,
            Direction::Response => &mut exchange.response,
        };
        (!exchange.over).then_some(flow)
    }

    pub(super) fn plan_step(&mut self, i: usize, direction: Direction) {
        let flow = self.flow(i, direction);
        if let Some((after, _)) = flow.and_then(|flow| flow.steps.front()) {
            let after = *after;
            self.agenda.plan_after(after, Event::Comes(i, direction));
        }
    }

    pub(super) fn step(&mut self, i: usize, direction: Direction) {
        let Some(flow) = self.flow(i, direction) else {
            return;
        };
        if flow.stopped {
            flow.waiting = true;
            return;
        }
        let Some((_, step)) = flow.steps.pop_front() else {
            return;
        };
        let last = flow.steps.is_empty();
        self.plan_step(i, direction);
        let Some(exchange) = self.exchanges.get_mut(i).and_then(Option::as_mut) else {
            return;
        };
        let (vm, stream) = (exchange.vm, exchange.stream);
        exchange.answered |= last && direction == Direction::Response && step.ends();
        let half = timeline::half(direction);
        self.note(vm, format!("{half} {}: {}", i + 1, step));
        self.with(vm, |worker| match (direction, step) {
            (Direction::Request, Step::Data(data, end)) => worker.request_body(stream, data, end),
            (Direction::Request, Step::Trailers(map)) => worker.request_trailers(stream, map),
            // A client's message begins with the exchange, and it fails by its leaving.
            (Direction::Request, Step::Headers(..) | Step::Fails(_)) => {}
            (Direction::Response, Step::Headers(headers, end)) => {
                worker.response_headers(stream, headers, end);
            }
            (Direction::Response, Step::Data(data, end)) => worker.response_body(stream, data, end),
            (Direction::Response, Step::Trailers(map)) => worker.response_trailers(stream, map),
            (Direction::Response, Step::Fails(failure)) => worker.upstream_failed(stream, &failure),
        });
    }

    pub(super) fn stream_effect(&mut self, i: usize, effect: StreamEffect) {
        match effect {
            StreamEffect::UpstreamHeaders {
                cluster,
                headers,
                end_stream,
            } => {
                let (seen, behaviour) = self.upstream_gets(cluster, headers, false);
                if let Some(exchange) = self.exchanges.get_mut(i).and_then(Option::as_mut) {
                    exchange.behaviour = behaviour;
                    exchange.upstream = Some(seen);
                }
                self.upstream_moves(i, end_stream);
            }
            StreamEffect::UpstreamData {
                mut data,
                end_stream,
            } => {
                if let Some(seen) = self.upstream_of(i) {
                    seen.body.append(&mut data);
                }
                self.upstream_moves(i, end_stream);
            }
            StreamEffect::UpstreamTrailers { trailers } => {
                if let Some(seen) = self.upstream_of(i) {
                    seen.trailers = Some(trailers);
                }
                self.upstream_moves(i, true);
            }
            StreamEffect::StopReading { direction } => {
                if let Some(flow) = self.flow(i, direction) {
                    flow.stopped = true;
                }
            }
            StreamEffect::ResumeReading { direction } => {
                let waits = self.flow(i, direction).is_some_and(|flow| {
                    flow.stopped = false;
                    std::mem::take(&mut flow.waiting)
                });
                if waits {
                    self.agenda
                        .plan_after(Duration::ZERO, Event::Comes(i, direction));
                }
            }
            StreamEffect::Ended { .. } => self.ended(i),
            StreamEffect::Paused { .. } | StreamEffect::Resumed { .. } => {}
            for_client => {
                if let Some(client) = self.run.clients.get_mut(i) {
                    client.sees(for_client);
                }
            }
        }
    }

    pub(super) fn upstream_of(&mut self, i: usize) -> Option<&mut UpstreamSeen> {
        let seen = self.exchanges.get(i)?.as_ref()?.upstream?;
        self.run.upstream.get_mut(seen)
    }

    /// More of the request has come to the upstream, which may answer now.
    pub(super) fn upstream_moves(&mut self, i: usize, end: bool) {
        if end && let Some(seen) = self.upstream_of(i) {
            seen.ending = Ending::Complete;
        }
        let Some(exchange) = self.exchanges.get_mut(i).and_then(Option::as_mut) else {
            return;
        };
        let Some(behaviour) = &exchange.behaviour else {
            return;
        };
        if exchange.answering || !(end || behaviour.early) {
            return;
        }
        exchange.answering = true;
        exchange.response.steps = behaviour.steps(exchange.head);
        self.plan_step(i, Direction::Response);
    }

    pub(super) fn ended(&mut self, i: usize) {
        let Some(exchange) = self.exchanges.get_mut(i).and_then(Option::as_mut) else {
            return;
        };
        exchange.over = true;
        let answered = exchange.answered;
        if let Some(seen) = self.upstream_of(i)
            && !(answered && seen.ending == Ending::Complete)
        {
            seen.ending = Ending::Cancelled;
        }
    }
}
