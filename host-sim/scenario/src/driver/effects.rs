//! What VMs want done, or known.

use envoy_wasm_host::{
    Callout, Crossing, Effect,
    http::{Body, Headers},
};

use super::Driver;
use crate::expected::Ending;
use crate::model::Behaviour;
use crate::run::UpstreamSeen;
use crate::timeline;

impl Driver<'_> {
    pub(super) fn dispatch(&mut self, vm: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Stream(stream, effect) => {
                    self.note(vm, timeline::effect(&effect));
                    if let Some(i) = self.streams.get(&(vm, stream)).copied() {
                        self.stream_effect(i, effect);
                    }
                }
                // The VM goes before anything of it is sent.
                Effect::Callout(_) if self.is_trial(vm) => {}
                Effect::Callout(callout) => self.callout(vm, *callout),
                Effect::GrpcCallout(_) if self.is_trial(vm) => {}
                Effect::GrpcCallout(callout) => self.grpc_begins(vm, *callout),
                Effect::GrpcData {
                    token,
                    data,
                    end_stream,
                } => self.grpc_moves(vm, token, data, end_stream),
                Effect::CancelCallout(token) => {
                    self.note(vm, format!("callout {} is given up", token.number()));
                    if let Some(seen) = self.callouts.remove(&(vm, token)) {
                        self.end_upstream(seen, Ending::Cancelled);
                    }
                    self.grpc_cancelled(vm, token);
                }
                Effect::Log(level, line) => {
                    self.note(vm, format!("log {level}: {line}"));
                    self.run.log.push((level, line));
                }
                Effect::Crossing(crossing) => self.crossing(vm, &crossing),
            }
        }
    }

    fn crossing(&mut self, vm: usize, crossing: &Crossing) {
        self.note(vm, timeline::crossing(crossing));
        if self.starting {
            return;
        }
        let usage = &mut self.run.usage;
        match crossing {
            Crossing::Called { .. } => {}
            Crossing::Returned { fuel, .. } => usage.fuel = usage.fuel.max(fuel.unwrap_or(0)),
            Crossing::Hostcall { .. } => usage.hostcalls += 1,
        }
    }

    fn callout(&mut self, vm: usize, callout: Callout) {
        let (token, cluster) = (callout.token, callout.cluster);
        let headers = with_scheme(callout.headers);
        let shown = timeline::list(&headers);
        self.note(
            vm,
            format!("callout {} to {cluster}: {shown}", token.number()),
        );
        let (number, behaviour) = self.upstream_gets(cluster, headers, true);
        self.callouts.insert((vm, token), number);
        if let Some(seen) = self.run.upstream.get_mut(number) {
            seen.body = callout.body;
            seen.trailers = Some(callout.trailers).filter(|trailers| !trailers.is_empty());
            // It goes out in one piece.
            seen.ending = Ending::Complete;
        }
        if let Some(behaviour) = behaviour {
            self.plan_answer((vm, token), behaviour.callout_begins(), behaviour.callout());
        }
    }

    /// Notes a request whose headers come to an upstream. Gives its place among all, and what the upstream does.
    pub(super) fn upstream_gets(
        &mut self,
        cluster: String,
        headers: Headers,
        callout: bool,
    ) -> (usize, Option<Behaviour>) {
        let behaviour = self.upstreams.choose(&cluster, &headers);
        if behaviour.is_none() {
            let line = format!("{cluster}: {}", timeline::list(&headers));
            self.run.unanswered.push(line);
        }
        let number = self.run.upstream.len();
        self.run.upstream.push(UpstreamSeen {
            cluster,
            callout,
            headers,
            body: Body::new(),
            trailers: None,
            ending: Ending::Pending,
            refused: behaviour.as_ref().is_some_and(Behaviour::refuses),
        });
        (number, behaviour)
    }

    pub(super) fn end_upstream(&mut self, seen: usize, ending: Ending) {
        if let Some(seen) = self.run.upstream.get_mut(seen) {
            seen.ending = ending;
        }
    }
}

/// A callout's headers as the router sends them on: it says how they go.
pub(super) fn with_scheme(mut headers: Headers) -> Headers {
    if headers.get(":scheme").is_none() {
        headers.add(":scheme", "http");
    }
    headers
}
