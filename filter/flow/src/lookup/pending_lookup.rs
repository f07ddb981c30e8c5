//! A request that waits while its backend is queried.

use std::rc::Rc;

use modgate_engine::decision::{RequestDecision, Suspended};
use modgate_engine::lookup::{Step, VersionLookup};
use modgate_engine::reply::LocalReply;
use modgate_engine::telemetry::{CacheVerdict, cache_verdict};
use modgate_go::goproxy::Mutability;
use modgate_policy::model::{Policy, RuleDecisions};

use super::backend_query::{QueryProgress, Requester, RunningQuery};
use crate::active_policy::{ActivePolicy, Context};
use crate::callout::ReceivedResponse;
use crate::host::{CalloutResponse, Host};
use crate::metrics::Scope;
use crate::shared::SharedCache;
use crate::timestamp::Timestamp;
use crate::wake::{Calls, PendingCall, Progress};

/// A request that waits.
pub(crate) struct PendingLookup {
    pub(crate) active: Rc<ActivePolicy>,
    /// The request's decision, which goes on when its lookup ends.
    pub(crate) suspended: Suspended,
    pub(crate) lookup: Box<VersionLookup>,
    queries: Calls<RunningQuery>,
    requester: Rc<Requester>,
    mutability: Mutability,
    pub(crate) scope: Rc<Scope>,
    pub(crate) began: Timestamp,
    /// The bytes that the backend sent.
    pub(crate) bytes: u64,
    /// Whether another place has answered a query than the one that was requested first.
    was_redirected: bool,
    /// What the backend's cache did with the first query.
    pub(crate) cache: Option<CacheVerdict>,
}

/// What a lookup came to.
#[derive(Debug)]
pub(crate) enum LookupEnd<'p> {
    /// The request goes to its backend.
    Proceed(RuleDecisions<'p>),
    /// The client is answered.
    Reply(Option<RuleDecisions<'p>>, LocalReply),
}

impl PendingLookup {
    /// A request that waits for the lookup of its decision; `None` where that has none.
    pub(crate) fn new(
        active: &Rc<ActivePolicy>,
        decision: RequestDecision<'_>,
        requester: Rc<Requester>,
        scope: Rc<Scope>,
        began: Timestamp,
    ) -> Option<Self> {
        let mutability = decision.mutability;
        let (suspended, lookup) = decision.suspend(&active.policy)?;
        Some(Self {
            active: Rc::clone(active),
            suspended,
            lookup,
            queries: Calls::default(),
            requester,
            mutability,
            scope,
            began,
            bytes: 0,
            was_redirected: false,
            cache: None,
        })
    }

    /// One of the calls that it waits for; `None` where it waits for none.
    pub(crate) fn call(&self) -> Option<PendingCall> {
        self.queries.first()
    }

    /// Sends the first query, where there is one.
    pub(crate) fn begin<'p>(&mut self, context: Context<'p>) -> Progress<LookupEnd<'p>> {
        let requester = Rc::clone(&self.requester);
        let cache = shared_cache(context, &requester, self.began, true);
        let step = self.lookup.begin(context.policy(), &cache);
        self.follow(context.host, step)
    }

    /// Goes on with the response that the proxy has just announced; `None` where it is for something else.
    pub(crate) fn on_callout_response<'p>(
        &mut self,
        context: Context<'p>,
        response: CalloutResponse,
    ) -> Option<Progress<LookupEnd<'p>>> {
        let query = self.queries.take(response.id)?;
        let id = query.id;
        self.bytes = self.bytes.saturating_add(response.body_size as u64);
        let (host, policy) = (context.host, context.policy());
        let received = match query.on_callout_response((host, policy), response) {
            QueryProgress::Redirected(call, query) => {
                self.queries.add(call, query);
                return Some(Progress::Pending(call));
            }
            QueryProgress::Done(received) => received,
        };
        self.note_cache_status(host, policy, &received);
        self.was_redirected |= received.was_redirected;
        let requester = Rc::clone(&self.requester);
        let cache = shared_cache(context, &requester, self.began, !self.was_redirected);
        let fetched = received.fetched();
        let step = self.lookup.answered(policy, &cache, id, fetched);
        Some(self.follow(host, step))
    }

    /// Does what the engine says is next.
    fn follow<'p>(&mut self, host: &dyn Host, step: Step<'p>) -> Progress<LookupEnd<'p>> {
        let queries = match step {
            Step::Wait => Vec::new(),
            Step::Ask(queries) => queries,
            Step::Proceed(rule_decisions) => {
                return Progress::Done(LookupEnd::Proceed(rule_decisions));
            }
            Step::Answer {
                rule_decisions,
                reply,
            } => {
                return Progress::Done(LookupEnd::Reply(rule_decisions, reply));
            }
        };
        for query in queries {
            match RunningQuery::start(host, &self.requester, query) {
                Ok((call, query)) => self.queries.add(call, query),
                Err(_) => return failed("the proxy does not have its cluster"),
            }
        }
        match self.queries.first() {
            Some(call) => Progress::Pending(call),
            None => failed("no query is left to send"),
        }
    }

    /// Keeps what the first response tells of the backend's cache.
    fn note_cache_status(&mut self, host: &dyn Host, policy: &Policy, received: &ReceivedResponse) {
        let requested = policy.backend(self.lookup.backend());
        // A callout does not tell which host answered it, and another place has its own cache.
        let is_known = !self.requester.has_failover && !received.was_redirected;
        let backend = requested.filter(|_| is_known);
        let (None, Some(status)) = (self.cache, received.status) else {
            return;
        };
        let took = || self.began.elapsed(host);
        self.cache = cache_verdict(backend, self.mutability, status, &received.headers, took);
    }
}

fn failed<'p>(why: &'static str) -> Progress<LookupEnd<'p>> {
    Progress::Done(LookupEnd::Reply(None, LocalReply::unavailable(why)))
}

fn shared_cache<'a>(
    context: Context<'a>,
    requester: &'a Requester,
    began: Timestamp,
    may_keep: bool,
) -> SharedCache<'a> {
    SharedCache {
        host: context.host,
        worker: &context.active.worker,
        authority: &requester.authority,
        user: &requester.user,
        began,
        may_keep,
    }
}
