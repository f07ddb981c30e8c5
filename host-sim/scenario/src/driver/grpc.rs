//! The filter's own gRPC requests and their answers, part by part.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::{CalloutToken, GrpcCallout, GrpcPart};

use super::effects::with_scheme;
use super::{Driver, Event};
use crate::client::Step;
use crate::expected::Ending;
use crate::model::Behaviour;
use crate::timeline;

/// A gRPC request that has begun.
pub(super) struct GrpcFlow {
    /// Its place among what upstreams got.
    pub(super) seen: usize,
    behaviour: Option<Behaviour>,
    answering: bool,
    steps: VecDeque<(Duration, Step)>,
}

impl Driver<'_> {
    pub(super) fn grpc_begins(&mut self, vm: usize, callout: GrpcCallout) {
        let (token, cluster) = (callout.token, callout.cluster);
        let headers = with_scheme(callout.headers);
        let (number, shown) = (token.number(), timeline::list(&headers));
        self.note(vm, format!("gRPC request {number} to {cluster}: {shown}"));
        let (seen, behaviour) = self.upstream_gets(cluster, headers, true);
        let flow = GrpcFlow {
            seen,
            behaviour,
            answering: false,
            steps: VecDeque::new(),
        };
        self.grpc.insert((vm, token), flow);
        self.grpc_answers(vm, token, false);
    }

    /// More of the request has come to the upstream, which may answer now.
    pub(super) fn grpc_moves(&mut self, vm: usize, token: CalloutToken, data: Bytes, end: bool) {
        let (number, size, ends) = (token.number(), data.len(), timeline::end(end));
        self.note(vm, format!("gRPC request {number}: {size} bytes{ends}"));
        let Some(flow) = self.grpc.get(&(vm, token)) else {
            return;
        };
        if let Some(seen) = self.run.upstream.get_mut(flow.seen) {
            seen.body.push(data);
            if end {
                seen.ending = Ending::Complete;
            }
        }
        self.grpc_answers(vm, token, end);
    }

    /// The proxy gives a request up. An upstream that has sent all of its answer by then, and has all of the
    /// request, does not notice.
    pub(super) fn grpc_cancelled(&mut self, vm: usize, token: CalloutToken) {
        let Some(flow) = self.grpc.remove(&(vm, token)) else {
            return;
        };
        let is_out = |(after, step): &(Duration, Step)| {
            let apart = matches!(step, Step::Data(data, true) if data.is_empty());
            after.is_zero() && !apart && !matches!(step, Step::Fails(_))
        };
        let silent = flow.behaviour.as_ref().is_some_and(Behaviour::falls_silent);
        let answered = flow.answering && !silent && flow.steps.iter().all(is_out);
        if let Some(seen) = self.run.upstream.get_mut(flow.seen)
            && !(answered && seen.ending == Ending::Complete)
        {
            seen.ending = Ending::Cancelled;
        }
    }

    fn grpc_answers(&mut self, vm: usize, token: CalloutToken, ended: bool) {
        let Some(flow) = self.grpc.get_mut(&(vm, token)) else {
            return;
        };
        let behaviour = flow.behaviour.as_ref();
        let Some(behaviour) = behaviour.filter(|b| !flow.answering && b.is_due(ended)) else {
            return;
        };
        flow.answering = true;
        flow.steps = behaviour.steps(false);
        self.plan_grpc(vm, token);
    }

    fn plan_grpc(&mut self, vm: usize, token: CalloutToken) {
        let flow = self.grpc.get(&(vm, token));
        if let Some((after, _)) = flow.and_then(|flow| flow.steps.front()) {
            let after = *after;
            self.agenda.plan_after(after, Event::GrpcComes(vm, token));
        }
    }

    pub(super) fn grpc_step(&mut self, vm: usize, token: CalloutToken) {
        let step = self.grpc.get_mut(&(vm, token));
        let Some((_, step)) = step.and_then(|flow| flow.steps.pop_front()) else {
            return;
        };
        self.plan_grpc(vm, token);
        let ends = step.ends();
        self.note(vm, format!("gRPC answer {}: {step}", token.number()));
        let part = match step {
            Step::Headers(headers, end) => GrpcPart::Headers(headers, end),
            Step::Data(data, end) => GrpcPart::Data(data, end),
            Step::Trailers(trailers) => GrpcPart::Trailers(trailers),
            Step::Fails(failure) => GrpcPart::Failed(failure),
        };
        self.with(vm, |worker| worker.grpc_answered(token, part));
        if ends {
            self.grpc.remove(&(vm, token));
        }
    }
}
