//! One stream: a request and its response.
//!
//! In reading order: `request` decides, lets a request wait, go on or be answered; `response` lets what comes back
//! through; `upstream_response` is how far that has come, `attributes` what the proxy says of it.

mod attributes;
mod request;
mod response;
mod upstream_response;

use std::rc::Rc;

use modgate_engine::access_log::AccessMembers;
use modgate_engine::reply::Reply;
use modgate_engine::telemetry::{CacheVerdict, Outcome};
use modgate_go::http::headers::ACCESS_PROPERTY;

use self::attributes::ending_of_broken;
use self::upstream_response::UpstreamResponse;
use crate::active_policy::ActivePolicy;
use crate::host::{CalloutResponse, Host};
use crate::lookup::PendingLookup;
use crate::metrics::Scope;
use crate::timestamp::Timestamp;
use crate::wake::{Action, Over, PendingCall, Wake};

/// One stream. The proxy calls one method for each of its callbacks, in the order of the messages' parts.
pub struct Exchange {
    state: StreamState,
    /// What the access log will say; `None` where it wants nothing, or has it.
    access: Option<AccessMembers>,
    cache: Option<CacheVerdict>,
    /// Who answered in the place of the backend that was requested first.
    fallback_backend: Option<String>,
}

/// How far a request has come.
enum StreamState {
    /// Its headers have not come. Without an active policy it will be answered 503.
    AwaitingHeaders(Option<Rc<ActivePolicy>>),
    /// There is no policy to decide by: it is answered 503.
    NotReady(Over),
    /// It is held while its backend is queried.
    AwaitingLookup(Box<PendingLookup>),
    /// The filter has answered it: what comes back is no backend's response.
    Replied(Replied),
    /// It went to a backend.
    Forwarded(Box<UpstreamResponse>),
}

/// A request that the filter has answered.
struct Replied {
    scope: Rc<Scope>,
    outcome: Outcome,
    began: Timestamp,
    /// The bytes that a backend sent for it.
    bytes: u64,
    over: Over,
}

impl Exchange {
    /// A stream that begins, under the policy that is active then; without one it is answered 503.
    pub fn new(active: Option<Rc<ActivePolicy>>) -> Self {
        Self {
            state: StreamState::AwaitingHeaders(active),
            access: None,
            cache: None,
            fallback_backend: None,
        }
    }

    /// A callout was answered, or its time is over.
    pub fn on_callout_response(&mut self, host: &dyn Host, response: CalloutResponse) {
        match self.state {
            StreamState::AwaitingLookup(_) => self.on_lookup_response(host, response),
            StreamState::Forwarded(_) => self.on_sumdb_response(host, response),
            StreamState::AwaitingHeaders(_)
            | StreamState::NotReady(_)
            | StreamState::Replied(_) => {}
        }
    }

    /// One of the callouts that the stream is held for; `None` where it is held for none.
    pub fn awaited_call(&self) -> Option<PendingCall> {
        match &self.state {
            StreamState::AwaitingLookup(pending) => pending.call(),
            StreamState::Forwarded(response) => response.awaited_call(),
            StreamState::AwaitingHeaders(_)
            | StreamState::NotReady(_)
            | StreamState::Replied(_) => None,
        }
    }

    /// The stream is over, and is counted.
    pub fn on_done(&mut self, host: &dyn Host) {
        let (scope, began, outcome, bytes) = match &self.state {
            StreamState::AwaitingHeaders(_) | StreamState::NotReady(_) => return,
            StreamState::Replied(Replied {
                scope,
                outcome,
                began,
                bytes,
                ..
            }) => (scope, began, *outcome, *bytes),
            StreamState::AwaitingLookup(pending) => {
                let outcome = Outcome::of_answer(None, ending_of_broken(host));
                (&pending.scope, &pending.began, outcome, pending.bytes)
            }
            StreamState::Forwarded(response) => {
                let (outcome, bytes) = response.end(host);
                (&response.scope, &response.began, outcome, bytes)
            }
        };
        scope.count_request(host, outcome, began.elapsed(host), bytes, self.cache);
        if let Some(access) = self.access.take() {
            let fallback = self.fallback_backend.as_deref();
            let members = access.ended(fallback, self.cache, outcome);
            host.set_filter_state(ACCESS_PROPERTY, &members);
        }
    }

    /// Answers in the backend's place.
    fn reply(
        &mut self,
        host: &dyn Host,
        scope: Rc<Scope>,
        began: Timestamp,
        bytes: u64,
        reply: &Reply,
    ) -> Action {
        let over = Over::by_local_reply(host, reply);
        self.state = StreamState::Replied(Replied {
            scope,
            outcome: reply.outcome,
            began,
            bytes,
            over,
        });
        Action::Pause(Wake::Never(over))
    }
}
