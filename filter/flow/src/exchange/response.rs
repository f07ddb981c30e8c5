//! The response's half of a stream.

use std::rc::Rc;

use modgate_engine::reply::LocalReply;
use modgate_engine::telemetry::cache_verdict;

use super::upstream_response::{BodyCheck, Received, UpstreamResponse};
use super::{Exchange, StreamState};
use crate::active_policy::Context;
use crate::body::{BodyStep, BodyVerifier, FileVerdict};
use crate::callout::status_of;
use crate::host::{CalloutResponse, Host, Message};
use crate::wake::{Action, Over, Rest, Wake};

impl Exchange {
    /// The response's headers have come; `end_of_stream` where nothing follows.
    pub fn on_response_headers(&mut self, host: &dyn Host, end_of_stream: bool) -> Action {
        let StreamState::Forwarded(response) = &mut self.state else {
            return Action::Continue;
        };
        let active = Rc::clone(&response.active);
        let context = Context {
            host,
            active: &active,
        };
        let rest = Rest::of(end_of_stream);
        let headers = host.headers(Message::Response);
        let began = response.began;
        let Some(status) = status_of(&headers) else {
            // Without its status it is unknown whether the response is a file that must be checked.
            let reply =
                LocalReply::unavailable("the proxy does not hand over the response's headers");
            let scope = Rc::clone(&response.scope);
            return self.reply(host, scope, began, 0, &reply);
        };
        response.received = Received::Begun { status, bytes: 0 };
        let (answered_by, fallback) = response.answered_by(host, &active);
        self.fallback_backend = fallback.map(ToOwned::to_owned);
        let took = || began.elapsed(host);
        self.cache = cache_verdict(answered_by, response.mutability, status, &headers, took);
        if let Some(verdict) = self.cache {
            response.scope.count_cache_lookup(host, verdict);
        }
        if let Err(reply) = response.prepare_headers(host, status, &headers) {
            let scope = Rc::clone(&response.scope);
            return self.reply(host, scope, began, 0, &reply);
        }
        response.receive(0, rest);
        if !matches!(status, 200..=299) {
            response.body = BodyCheck::None;
            return Action::Continue;
        }
        match response.take_body() {
            BodyCheck::Running(verifier) => {
                let step = verifier.on_headers(context, status, &headers, rest);
                self.follow_body(context, step)
            }
            BodyCheck::Unknown(artifact) => {
                let tenant = response.tenant();
                let meters = context.meters();
                meters.count_check(host, tenant, artifact, "unknown", "none");
                Action::Continue
            }
            BodyCheck::None | BodyCheck::Aborted(_) | BodyCheck::AwaitingSumdb(_) => {
                Action::Continue
            }
        }
    }

    /// So many bytes of the response's body have come; `end_of_stream` where nothing follows.
    pub fn on_response_body(
        &mut self,
        host: &dyn Host,
        size: usize,
        end_of_stream: bool,
    ) -> Action {
        let rest = Rest::of(end_of_stream);
        self.on_response_part(host, size, rest, |context, verifier| {
            verifier.on_body(context, size, rest)
        })
    }

    /// The response's trailers have come.
    pub fn on_response_trailers(&mut self, host: &dyn Host) -> Action {
        self.on_response_part(host, 0, Rest::End, |context, verifier| {
            verifier.on_trailers(context)
        })
    }

    /// A part of the response behind its headers has come, which is checked so.
    fn on_response_part(
        &mut self,
        host: &dyn Host,
        size: usize,
        rest: Rest,
        check: impl FnOnce(Context<'_>, Box<BodyVerifier>) -> BodyStep,
    ) -> Action {
        let StreamState::Forwarded(response) = &mut self.state else {
            return Action::Continue;
        };
        response.receive(size, rest);
        match response.take_body() {
            BodyCheck::Running(verifier) => {
                let active = Rc::clone(&response.active);
                let context = Context {
                    host,
                    active: &active,
                };
                let step = check(context, verifier);
                self.follow_body(context, step)
            }
            BodyCheck::AwaitingSumdb(waiting) => {
                let call = waiting.call();
                response.body = BodyCheck::AwaitingSumdb(waiting);
                Action::Pause(Wake::Call(call))
            }
            BodyCheck::Aborted(over) => {
                response.body = BodyCheck::Aborted(over);
                Action::Pause(Wake::Never(over))
            }
            BodyCheck::None | BodyCheck::Unknown(_) => Action::Continue,
        }
    }

    /// A callout was answered while the response comes or waits.
    pub(super) fn on_sumdb_response(&mut self, host: &dyn Host, response: CalloutResponse) {
        let StreamState::Forwarded(upstream) = &mut self.state else {
            return;
        };
        let active = Rc::clone(&upstream.active);
        let context = Context {
            host,
            active: &active,
        };
        let step = upstream.on_callout_response(context, response);
        let action = step.map(|step| self.follow_body(context, step));
        if action == Some(Action::Continue) {
            host.resume_response();
        }
    }

    /// Does what the check of a body has come to.
    fn follow_body(&mut self, context: Context<'_>, step: BodyStep) -> Action {
        let StreamState::Forwarded(response) = &mut self.state else {
            return Action::Continue;
        };
        match step {
            BodyStep::Continue(verifier) => {
                response.body = BodyCheck::Running(verifier);
                Action::Continue
            }
            BodyStep::AwaitRest(verifier, more) => {
                response.body = BodyCheck::Running(verifier);
                Action::Pause(Wake::Rest(more))
            }
            BodyStep::AwaitSumdb(waiting, call) => {
                response.body = BodyCheck::AwaitingSumdb(waiting);
                Action::Pause(Wake::Call(call))
            }
            BodyStep::Passed(file) => {
                response.record_verdict(context, &file);
                Action::Continue
            }
            BodyStep::Refused { verdict, unseen } => {
                response.record_verdict(context, &verdict);
                if unseen {
                    // The client has seen nothing of it.
                    let reply = wrong_hash(response, &verdict);
                    let (scope, began) = (Rc::clone(&response.scope), response.began);
                    return self.reply(context.host, scope, began, 0, &reply);
                }
                let over = Over::by_reset(context.host);
                response.body = BodyCheck::Aborted(over);
                Action::Pause(Wake::Never(over))
            }
        }
    }
}

fn wrong_hash(response: &UpstreamResponse, file: &FileVerdict) -> LocalReply {
    let reason = file.verdict.to_string();
    LocalReply::wrong_hash(&file.checked.name(), &reason, response.footer())
}
