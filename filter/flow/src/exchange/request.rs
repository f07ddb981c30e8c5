//! The request's half of a stream.

use std::rc::Rc;

use modgate_engine::access_log::AccessMembers;
use modgate_engine::decision::{Decision, RequestDecision, evaluate};
use modgate_engine::reply::LocalReply;
use modgate_go::http::Header;
use modgate_go::http::headers::CLUSTER_HEADER;
use modgate_policy::model::{Backend, Plan, Policy};

use super::upstream_response::{BodyCheck, Received, UpstreamResponse};
use super::{Exchange, Replied, StreamState};
use crate::active_policy::Context;
use crate::body::{BodyVerifier, prepare_request};
use crate::host::{Attributes, CalloutResponse, Host, LogLevel, Message, Refused};
use crate::lookup::{LookupEnd, PendingLookup, Requester};
use crate::shared;
use crate::timestamp::Timestamp;
use crate::wake::{Action, Over, Progress, Wake};

/// Why a request is refused that the filter has let through already.
const TWICE: &str = "the filter is in the proxy's chain twice, so nothing is answered; \
                     delete one of its configurations (in Istio, WasmPlugin or TrafficExtension)";

impl Exchange {
    /// The request's headers have come.
    pub fn on_request_headers(&mut self, host: &dyn Host) -> Action {
        let began = Timestamp::now(host);
        let active = match &mut self.state {
            StreamState::AwaitingHeaders(active) => active.take(),
            _ => None,
        };
        let Some(active) = active else {
            return self.fail(host, "no valid policy is in force");
        };
        let context = Context {
            host,
            active: &active,
        };
        let headers = host.headers(Message::Request);
        if comes_from_this_filter(&active.policy, &headers) {
            return self.refuse_twice(context);
        }
        let decision = evaluate(&active.policy, &headers, &Attributes(host));
        let Decision::Pending {
            backend, cluster, ..
        } = decision.action
        else {
            return self.finish_request(context, &headers, decision, began, 0);
        };
        // For the log of a request whose client does not wait for the end.
        self.access = AccessMembers::of(&active.policy, &headers, &decision);
        let scope = active.meters.scope(host, &decision, Some(backend));
        let requester = Requester::new(&active.policy, (backend, cluster), &headers, &decision);
        let Some(mut pending) = PendingLookup::new(&active, decision, requester, scope, began)
        else {
            return self.fail(host, "there is no lookup to wait for");
        };
        match pending.begin(context) {
            Progress::Pending(call) => {
                self.state = StreamState::AwaitingLookup(Box::new(pending));
                Action::Pause(Wake::Call(call))
            }
            Progress::Done(end) => self.finish_lookup(context, &headers, pending, end),
        }
    }

    /// Answers a request that another instance of the filter has let through, with the same policy. That one counts
    /// it, so only what is wrong is counted here.
    fn refuse_twice(&mut self, context: Context<'_>) -> Action {
        let Context { host, active } = context;
        context.meters().count_filter_twice(host);
        if active.worker.is_first_twice() {
            host.log(LogLevel::Error, &format!("modgate: {TWICE}"));
        }
        self.not_ready(host, TWICE)
    }

    /// So many bytes of the request's body have come. A backend gets none of them: without a declared length
    /// they come when the headers have gone on.
    pub fn on_request_body(&mut self, host: &dyn Host, size: usize) -> Action {
        if size > 0 && host.replace_body(Message::Request, size, &[]).is_err() {
            return self.fail(host, "the proxy does not take the body off the request");
        }
        self.request_goes_on(host)
    }

    /// The request's trailers have come.
    pub fn on_request_trailers(&mut self, host: &dyn Host) -> Action {
        self.request_goes_on(host)
    }

    /// What becomes of what follows the request's headers: where those are held with Envoy's
    /// `allow_on_headers_stop_iteration`, a body that goes on would let them go.
    fn request_goes_on(&mut self, host: &dyn Host) -> Action {
        let wake = match &self.state {
            StreamState::Forwarded(_) => return Action::Continue,
            StreamState::AwaitingLookup(pending) => pending.call().map(Wake::Call),
            StreamState::Replied(Replied { over, .. }) | StreamState::NotReady(over) => {
                Some(Wake::Never(*over))
            }
            StreamState::AwaitingHeaders(_) => None,
        };
        match wake {
            Some(wake) => Action::Pause(wake),
            None => self.fail(host, "its headers were not seen"),
        }
    }

    /// A callout was answered while the request waits.
    pub(super) fn on_lookup_response(&mut self, host: &dyn Host, response: CalloutResponse) {
        let StreamState::AwaitingLookup(pending) = &mut self.state else {
            return;
        };
        let active = Rc::clone(&pending.active);
        let context = Context {
            host,
            active: &active,
        };
        let end = match pending.on_callout_response(context, response) {
            None | Some(Progress::Pending(_)) => return,
            Some(Progress::Done(end)) => end,
        };
        let state = std::mem::replace(&mut self.state, StreamState::AwaitingHeaders(None));
        let StreamState::AwaitingLookup(pending) = state else {
            return;
        };
        let headers = host.headers(Message::Request);
        let action = self.finish_lookup(context, &headers, *pending, end);
        if action == Action::Continue {
            host.resume_request();
        }
    }

    /// What becomes of a request whose lookup has come to its end: it goes on where it stopped.
    fn finish_lookup<'p>(
        &mut self,
        context: Context<'p>,
        headers: &[Header],
        pending: PendingLookup,
        end: LookupEnd<'p>,
    ) -> Action {
        let PendingLookup {
            suspended,
            lookup,
            scope,
            began,
            bytes,
            cache,
            ..
        } = pending;
        let Some(mut decision) = suspended.resume(context.policy(), lookup) else {
            let reply = LocalReply::unavailable("the policy that decided is gone");
            return self.reply(context.host, scope, began, bytes, &reply);
        };
        match end {
            LookupEnd::Proceed(rule_decisions) => decision.proceed(rule_decisions),
            LookupEnd::Reply(rule_decisions, reply) => {
                self.cache = cache;
                if let Some(verdict) = cache {
                    scope.count_cache_lookup(context.host, verdict);
                }
                decision.conclude(rule_decisions, reply);
            }
        }
        self.finish_request(context, headers, decision, began, bytes)
    }

    /// What becomes of a request on which the decision is complete.
    fn finish_request(
        &mut self,
        context: Context<'_>,
        headers: &[Header],
        mut decision: RequestDecision<'_>,
        began: Timestamp,
        bytes: u64,
    ) -> Action {
        let Context { host, active } = context;
        self.access = AccessMembers::of(&active.policy, headers, &decision);
        let meters = context.meters();
        if !shared::is_repetition((host, &active.worker), headers, &decision, began) {
            meters.count_decisions(host, &decision);
            meters.count_assignment(host, &decision);
            meters.count_route_trial(host, &decision);
        }
        if let Plan::Refuse(artifact) = decision.plan {
            meters.count_check(host, decision.tenant, artifact, "unknown", "none");
        }
        let backend = decision.backend();
        match forward(context, headers, &mut decision, began) {
            Ok(response) => {
                self.state = StreamState::Forwarded(Box::new(response));
                Action::Continue
            }
            Err(reply) => {
                let scope = meters.scope(host, &decision, backend);
                self.reply(host, scope, began, bytes, &reply)
            }
        }
    }

    /// Answers 503 where a request cannot go on. It is counted, if there was a policy to decide it by.
    fn fail(&mut self, host: &dyn Host, reason: &str) -> Action {
        let reply = LocalReply::unavailable(reason);
        let begun = match &self.state {
            StreamState::AwaitingLookup(pending) => {
                Some((Rc::clone(&pending.scope), pending.began, pending.bytes))
            }
            StreamState::Forwarded(response) => {
                Some((Rc::clone(&response.scope), response.began, 0))
            }
            // One answer is enough.
            StreamState::Replied(Replied { over, .. }) | StreamState::NotReady(over) => {
                return Action::Pause(Wake::Never(*over));
            }
            StreamState::AwaitingHeaders(_) => None,
        };
        if let Some((scope, began, bytes)) = begun {
            return self.reply(host, scope, began, bytes, &reply);
        }
        self.not_ready(host, reason)
    }

    /// Answers 503, uncounted.
    fn not_ready(&mut self, host: &dyn Host, reason: &str) -> Action {
        let over = Over::by_local_reply(host, &LocalReply::unavailable(reason));
        self.state = StreamState::NotReady(over);
        Action::Pause(Wake::Never(over))
    }
}

/// Whether the filter itself has let the request through: the route key is known to nobody else.
fn comes_from_this_filter(policy: &Policy, headers: &[Header]) -> bool {
    let Some(key) = &policy.route_key else {
        return false;
    };
    let mut named = headers.iter().filter(|(name, _)| name == CLUSTER_HEADER);
    named.any(|(_, value)| key.is_in(value))
}

/// Lets a request go to its backend.
///
/// # Errors
/// What it is answered instead.
fn forward(
    context: Context<'_>,
    headers: &[Header],
    decision: &mut RequestDecision<'_>,
    began: Timestamp,
) -> Result<UpstreamResponse, LocalReply> {
    let (backend, cluster, path) = match &mut decision.action {
        Decision::LocalReply(reply) => return Err(std::mem::take(reply)),
        Decision::Forward {
            backend,
            cluster,
            path,
        } => (*backend, *cluster, path.take()),
        // What waits for its backend never goes on without its answer.
        Decision::Pending { .. } => {
            return Err(LocalReply::unavailable("its lookup has not ended"));
        }
    };
    let mut body = match std::mem::take(&mut decision.plan) {
        Plan::Unknown(artifact) => BodyCheck::Unknown(artifact),
        Plan::Check(checked) => BodyCheck::Running(Box::new(BodyVerifier::new(checked))),
        Plan::Refuse(_) | Plan::Pass => BodyCheck::None,
    };
    let host = context.host;
    let is_checked = matches!(body, BodyCheck::Running(_));
    let cluster_value = context.policy().route_value(cluster);
    let to = (backend, &*cluster_value, path.as_deref());
    write_head(host, headers, &decision.remove_headers, is_checked, to)
        // What would go upstream is not what was decided.
        .map_err(|Refused| {
            LocalReply::unavailable("the proxy refused a change of the request that was decided")
        })?;
    if let BodyCheck::Running(verifier) = &mut body {
        verifier.request_evidence(context, backend, headers);
    }
    let requested_path = backend.has_redirects().then(|| {
        path.unwrap_or_else(|| {
            let came = headers.iter().find(|(name, _)| name == ":path");
            came.map(|(_, path)| String::from_utf8_lossy(path).into_owned())
                .unwrap_or_default()
        })
    });
    Ok(UpstreamResponse {
        active: Rc::clone(context.active),
        scope: context.meters().scope(host, decision, Some(backend)),
        tenant: decision.tenant.map(|tenant| tenant.id),
        backend: backend.id,
        has_failover: cluster != backend.cluster,
        mutability: decision.mutability,
        cache_scope: decision.cache_scope,
        tenant_prefix: std::mem::take(&mut decision.tenant_prefix),
        requested_path,
        request_id: decision.request_id.take(),
        began,
        received: Received::Nothing,
        body,
        passed: None,
    })
}

/// Makes the request's head what goes upstream.
fn write_head(
    host: &dyn Host,
    headers: &[Header],
    removed: &[String],
    is_checked: bool,
    (backend, cluster_value, path): (&Backend, &str, Option<&str>),
) -> Result<(), Refused> {
    for name in removed {
        host.remove_header(Message::Request, name)?;
    }
    if is_checked {
        prepare_request(host, headers)?;
    }
    if let Some(path) = path {
        host.set_header(Message::Request, ":path", path)?;
    }
    if let Some(authority) = &backend.authority {
        host.set_header(Message::Request, ":authority", authority)?;
    }
    // The last write: in proxy-wasm each one makes Envoy choose the route again.
    host.set_header(Message::Request, CLUSTER_HEADER, cluster_value)
}
