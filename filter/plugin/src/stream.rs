//! One request and its answer.

use std::rc::Rc;

use modgate_engine::access_log::AccessMembers;
use modgate_engine::decision::{Decision, RequestDecision, evaluate};
use modgate_engine::reply::LocalReply;
use modgate_engine::telemetry::{CacheVerdict, Outcome, cache_verdict};
use modgate_go::http::wire::{ACCESS_PROPERTY, CLUSTER_HEADER};
use modgate_policy::model::Plan;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

use crate::callout::Token;
use crate::consulting::{Case, Consulting, End, Progress};
use crate::forwarded::{self, File, Forwarded, broken_off};
use crate::host::{self, Moment, Proxy};
use crate::integrity::{self, Guard, Step};
use crate::meters::Scope;
use crate::question::Asker;
use crate::repeats;
use crate::root::InForce;
use modgate_go::http::{Header, value_of};

const REQUEST: MapType = MapType::HttpRequestHeaders;

/// The HTTP context.
pub(crate) struct Stream {
    in_force: Option<Rc<InForce>>,
    exchange: Exchange,
    /// What the access log will say; `None` where it wants nothing, or was told.
    access: Option<AccessMembers>,
    cache: Option<CacheVerdict>,
    /// Who answered in the place of the backend that was asked first.
    stand_in: Option<String>,
}

/// How far a request has come.
enum Exchange {
    /// Its headers have not come, or there is no policy to judge them by.
    Unjudged,
    /// It is held while its backend is asked; the answer to that goes on with it.
    Consulting(Consulting),
    /// The filter has answered it, or the proxy will: what comes back is no backend's answer.
    Replied {
        scope: Rc<Scope>,
        outcome: Outcome,
        began: Moment,
        /// The bytes that a backend sent for it.
        bytes: u64,
    },
    /// It went to a backend.
    Forwarded(Forwarded),
}

impl Stream {
    pub(crate) fn new(in_force: Option<Rc<InForce>>) -> Self {
        Self {
            in_force,
            exchange: Exchange::Unjudged,
            access: None,
            cache: None,
            stand_in: None,
        }
    }

    /// Lets a request go to its backend. `Err` is what it is answered instead.
    fn forward(
        in_force: &InForce,
        headers: &[Header],
        decision: &mut RequestDecision<'_>,
        began: Moment,
    ) -> Result<Forwarded, LocalReply> {
        let (backend, cluster, path) = match &mut decision.action {
            Decision::LocalReply(reply) => return Err(std::mem::take(reply)),
            Decision::Forward {
                backend,
                cluster,
                path,
            } => (*backend, *cluster, path.as_deref()),
            // What waits for its backend's word never goes on without it.
            Decision::Pending { .. } => {
                return Err(LocalReply::unavailable("it was not judged to the end"));
            }
        };
        let asked = backend.has_redirects().then(|| {
            let came = headers.iter().find(|(name, _)| name == ":path");
            let came = came.map(|(_, path)| String::from_utf8_lossy(path).into_owned());
            path.map_or_else(|| came.unwrap_or_default(), ToOwned::to_owned)
        });
        let mut file = match std::mem::take(&mut decision.plan) {
            Plan::Unknown(artifact) => File::Unknown(artifact),
            Plan::Check(checked) => File::Guarded(Box::new(Guard::new(checked))),
            Plan::Refuse(_) | Plan::Pass => File::Free,
        };
        let mut written = decision
            .remove_headers
            .iter()
            .all(|name| host::remove_header(REQUEST, name));
        if matches!(file, File::Guarded(_)) {
            written &= integrity::prepare(headers);
        }
        if let Some(path) = path {
            written &= host::set_header(REQUEST, ":path", path);
        }
        if let Some(authority) = &backend.authority {
            written &= host::set_header(REQUEST, ":authority", authority);
        }
        // The last write: in this ABI each one makes the proxy choose the route again.
        written &= host::set_header(REQUEST, CLUSTER_HEADER, cluster);
        if !written {
            // What would go upstream is not what was judged.
            return Err(LocalReply::unavailable(
                "the proxy did not take what was judged",
            ));
        }
        if let File::Guarded(guard) = &mut file {
            guard.ask(in_force, backend, headers);
        }
        Ok(Forwarded {
            scope: in_force.meters.scope(decision, Some(backend)),
            tenant: decision.tenant.map(|tenant| tenant.id),
            backend: backend.id,
            has_stand_ins: cluster != backend.cluster,
            mutability: decision.mutability,
            cache_scope: decision.cache_scope,
            tenant_prefix: std::mem::take(&mut decision.tenant_prefix),
            asked,
            request_id: decision.request_id.take(),
            began,
            answer: forwarded::Answer::Awaited,
            file,
            passed: None,
        })
    }

    /// What becomes of a request's body: where the headers are held with Envoy's
    /// `allow_on_headers_stop_iteration`, a body that goes on would let them go.
    fn request_goes_on(&self) -> Action {
        match self.exchange {
            Exchange::Forwarded(_) => Action::Continue,
            Exchange::Unjudged | Exchange::Consulting(_) | Exchange::Replied { .. } => {
                Action::Pause
            }
        }
    }

    /// What becomes of a request that was judged to the end.
    fn settle(
        &mut self,
        in_force: &InForce,
        headers: &[Header],
        mut decision: RequestDecision<'_>,
        began: Moment,
        bytes: u64,
    ) -> Action {
        self.access = AccessMembers::of(&in_force.policy, headers, &decision);
        if !repeats::is_repetition(headers, &decision, began) {
            in_force.meters.decided(&decision);
            in_force.meters.assigned(&decision);
            in_force.meters.routed(&decision);
        }
        if let Plan::Refuse(artifact) = decision.plan {
            let tenant = decision.tenant;
            in_force.meters.checked(tenant, artifact, "unknown", "none");
        }
        let backend = decision.backend();
        match Self::forward(in_force, headers, &mut decision, began) {
            Ok(forwarded) => {
                self.exchange = Exchange::Forwarded(forwarded);
                Action::Continue
            }
            Err(reply) => {
                let scope = in_force.meters.scope(&decision, backend);
                self.reply(scope, began, bytes, &reply)
            }
        }
    }

    /// What becomes of a request whose lookup has come so far.
    fn consulted(
        &mut self,
        in_force: &InForce,
        headers: &[Header],
        progress: Progress<'_>,
    ) -> Action {
        let (case, end) = match progress {
            Progress::Waits(consulting) => {
                self.exchange = Exchange::Consulting(consulting);
                return Action::Pause;
            }
            Progress::Ends(case, end) => (case, end),
        };
        let Case {
            suspended,
            lookup,
            scope,
            began,
            bytes,
            cache,
            ..
        } = *case;
        let Some(mut decision) = suspended.resume(&in_force.policy, lookup) else {
            let reply = LocalReply::unavailable("the policy that decided is gone");
            return self.reply(scope, began, bytes, &reply);
        };
        match end {
            End::Proceed(ruling) => decision.proceed(ruling),
            End::Answer(ruling, reply) => {
                self.cache = cache;
                if let Some(verdict) = cache {
                    scope.looked_up(verdict);
                }
                decision.conclude(ruling, reply);
            }
        }
        self.settle(in_force, headers, decision, began, bytes)
    }

    /// Answers instead of the backend.
    fn reply(&mut self, scope: Rc<Scope>, began: Moment, bytes: u64, reply: &LocalReply) -> Action {
        let outcome = reply.outcome;
        self.exchange = Exchange::Replied {
            scope,
            outcome,
            began,
            bytes,
        };
        send(reply);
        Action::Pause
    }

    /// Goes on with a file that is checked.
    fn go_on(&mut self, step: Step) -> Action {
        let (judged, refused_unseen) = match step {
            Step::Goes(guard) => return self.keep(guard, Action::Continue),
            Step::Waits(guard) => return self.keep(guard, Action::Pause),
            Step::Held(held) => {
                if let Exchange::Forwarded(forwarded) = &mut self.exchange {
                    forwarded.file = File::Held(held);
                }
                return Action::Pause;
            }
            Step::Judged(judged) => (judged, None),
            Step::Refused { judged, unseen } => (judged, Some(unseen)),
        };
        let Some(in_force) = self.in_force.clone() else {
            return Action::Continue;
        };
        let Exchange::Forwarded(forwarded) = &mut self.exchange else {
            return Action::Continue;
        };
        forwarded.told(&in_force, &judged);
        match refused_unseen {
            None => Action::Continue,
            Some(true) => {
                let (scope, began) = (Rc::clone(&forwarded.scope), forwarded.began);
                let reason = judged.verdict.to_string();
                let footer = forwarded.footer(&in_force);
                let reply = LocalReply::wrong_hash(&judged.checked.name(), &reason, footer);
                self.reply(scope, began, 0, &reply)
            }
            Some(false) => {
                forwarded.file = File::Shut;
                host::reset_response();
                Action::Pause
            }
        }
    }

    fn keep(&mut self, guard: Box<Guard>, action: Action) -> Action {
        if let Exchange::Forwarded(forwarded) = &mut self.exchange {
            forwarded.file = File::Guarded(guard);
        }
        action
    }
}

impl Context for Stream {
    fn on_http_call_response(
        &mut self,
        token: u32,
        headers: usize,
        body_size: usize,
        _trailers: usize,
    ) {
        let Some(in_force) = self.in_force.clone() else {
            return;
        };
        if let Exchange::Forwarded(forwarded) = &mut self.exchange {
            let step = forwarded.heard(&in_force, Token(token), headers, body_size);
            let goes_on = step.map(|step| self.go_on(step));
            if goes_on == Some(Action::Continue) {
                host::resume_response();
            }
            return;
        }
        let consulting = match std::mem::replace(&mut self.exchange, Exchange::Unjudged) {
            Exchange::Consulting(consulting) if consulting.awaits(Token(token)) => consulting,
            exchange => {
                self.exchange = exchange;
                return;
            }
        };
        let progress = consulting.answered(&in_force.policy, Token(token), headers, body_size);
        let headers = host::headers(REQUEST);
        if self.consulted(&in_force, &headers, progress) == Action::Continue {
            host::resume_request();
        }
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let began = Moment::now();
        let Some(in_force) = self.in_force.clone() else {
            send(&LocalReply::unavailable("no valid policy is in force"));
            return Action::Pause;
        };
        let headers = host::headers(REQUEST);
        let decision = evaluate(&in_force.policy, &headers, &Proxy);
        let Decision::Pending {
            backend, cluster, ..
        } = &decision.action
        else {
            return self.settle(&in_force, &headers, decision, began, 0);
        };
        // For the log of a request whose client does not wait for the end.
        self.access = AccessMembers::of(&in_force.policy, &headers, &decision);
        let scope = in_force.meters.scope(&decision, Some(backend));
        let asker = Asker::new(&in_force.policy, (backend, cluster), &headers, &decision);
        let mutability = decision.mutability;
        let Some((suspended, lookup)) = decision.suspend(&in_force.policy) else {
            let reply = LocalReply::unavailable("what it waits for is not known");
            return self.reply(scope, began, 0, &reply);
        };
        let case = Case {
            suspended,
            lookup,
            asker,
            mutability,
            scope,
            began,
            bytes: 0,
            was_sent_on: false,
            cache: None,
        };
        let progress = Box::new(case).begin(&in_force.policy);
        self.consulted(&in_force, &headers, progress)
    }

    fn on_http_request_body(&mut self, size: usize, _end_of_stream: bool) -> Action {
        // Without a declared length it comes when the headers have gone on. A backend gets none of it.
        if size > 0 && !host::replace_body(BufferType::HttpRequestBody, size, &[]) {
            return Action::Pause;
        }
        self.request_goes_on()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.request_goes_on()
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let (Exchange::Forwarded(forwarded), Some(in_force)) =
            (&mut self.exchange, self.in_force.clone())
        else {
            return Action::Continue;
        };
        let headers = host::headers(MapType::HttpResponseHeaders);
        let status = status_of(&headers);
        forwarded.answer = forwarded::Answer::Began { status, bytes: 0 };
        let (answered_by, stand_in) = forwarded.answered_by(&in_force);
        self.stand_in = stand_in.map(ToOwned::to_owned);
        let Some(backend) = in_force.policy.backend(forwarded.backend) else {
            return Action::Continue;
        };
        let (began, mutability) = (forwarded.began, forwarded.mutability);
        self.cache = cache_verdict(answered_by, mutability, status, &headers, || {
            began.elapsed()
        });
        if let Some(verdict) = self.cache {
            forwarded.scope.looked_up(verdict);
        }
        let footer = forwarded.footer(&in_force);
        if let Err(reply) = forwarded.redirect(backend, status, &headers, footer) {
            let scope = Rc::clone(&forwarded.scope);
            return self.reply(scope, began, 0, &reply);
        }
        if !forwarded.keep_private(&in_force, &headers) {
            let reply = LocalReply::unavailable("the proxy does not keep the answer out of caches");
            let scope = Rc::clone(&forwarded.scope);
            return self.reply(scope, began, 0, &reply);
        }
        forwarded.goes_on(0, end_of_stream);
        if !matches!(status, 200..=299) {
            forwarded.file = File::Free;
            return Action::Continue;
        }
        match forwarded.take_file() {
            File::Guarded(guard) => {
                let step = guard.headers(status, &headers, end_of_stream);
                self.go_on(step)
            }
            File::Unknown(artifact) => {
                let tenant = forwarded.tenant(&in_force);
                in_force.meters.checked(tenant, artifact, "unknown", "none");
                Action::Continue
            }
            File::Free | File::Shut | File::Held(_) => Action::Continue,
        }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Exchange::Forwarded(forwarded) = &mut self.exchange else {
            return Action::Continue;
        };
        forwarded.goes_on(size, end_of_stream);
        match forwarded.take_file() {
            File::Guarded(guard) => {
                let step = guard.body(size, end_of_stream);
                self.go_on(step)
            }
            file @ (File::Shut | File::Held(_)) => {
                forwarded.file = file;
                Action::Pause
            }
            File::Free | File::Unknown(_) => Action::Continue,
        }
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        let Exchange::Forwarded(forwarded) = &mut self.exchange else {
            return Action::Continue;
        };
        forwarded.goes_on(0, true);
        match forwarded.take_file() {
            File::Guarded(guard) => {
                let step = guard.trailers();
                self.go_on(step)
            }
            file @ (File::Shut | File::Held(_)) => {
                forwarded.file = file;
                Action::Pause
            }
            File::Free | File::Unknown(_) => Action::Continue,
        }
    }

    fn on_log(&mut self) {
        let (scope, began, outcome, bytes) = match &self.exchange {
            Exchange::Unjudged => return,
            Exchange::Replied {
                scope,
                outcome,
                began,
                bytes,
            } => (scope, began, *outcome, *bytes),
            Exchange::Consulting(Consulting { case, .. }) => {
                let outcome = Outcome::of_answer(None, broken_off());
                (&case.scope, &case.began, outcome, case.bytes)
            }
            Exchange::Forwarded(forwarded) => {
                let Some(in_force) = &self.in_force else {
                    return;
                };
                let (outcome, bytes) = forwarded.ended(in_force);
                (&forwarded.scope, &forwarded.began, outcome, bytes)
            }
        };
        scope.ended(outcome, began.elapsed(), bytes, self.cache);
        if let Some(access) = self.access.take() {
            host::leave(
                ACCESS_PROPERTY,
                &access.ended(self.stand_in.as_deref(), self.cache, outcome),
            );
        }
    }
}

fn send(reply: &LocalReply) {
    host::reply(reply.status, reply.headers(), &reply.body);
}

/// The value of `:status`; 0 where there is none.
fn status_of(headers: &[Header]) -> u16 {
    let text = value_of(headers, ":status").and_then(|value| std::str::from_utf8(value).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}
