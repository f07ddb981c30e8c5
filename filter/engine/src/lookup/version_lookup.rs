//! A request that waits while its backend is asked, from query to query.

use super::LookupEnv;
use super::context::LookupContext;
use super::state::State;
use super::target::LookupTarget;
use super::variant_choice::VariantChoice;
use crate::reply::LocalReply;
use modgate_go::http::Header;
use modgate_policy::model::{BackendId, Policy, RuleDecisions};

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLookup {
    target: LookupTarget,
    state: State,
}

/// What happens next.
#[derive(Debug)]
pub enum Step<'p> {
    /// All of these queries are sent at once, and each answer goes to [`VersionLookup::answered`]. Never
    /// empty.
    Ask(Vec<BackendQuery>),
    /// Answers to earlier queries are still to come.
    Wait,
    /// The request is forwarded to its backend.
    Proceed(RuleDecisions<'p>),
    /// The client gets a local reply.
    Answer {
        /// The verdict on the version that the lookup found, if it found one.
        rule_decisions: Option<RuleDecisions<'p>>,
        /// The reply.
        reply: LocalReply,
    },
}

/// Identifies one of the queries that are sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueryId(pub(crate) usize);

/// One query to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendQuery {
    /// Its id among those sent at once.
    pub id: QueryId,
    /// The path, canonical.
    pub path: String,
    /// The most bytes of the answer that are read.
    pub limit: usize,
}

/// The result of a query.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetched<'a> {
    /// The status; `None` if no answer came.
    pub status: Option<u16>,
    /// The body; `None` if it is too long or incomplete.
    pub body: Option<&'a [u8]>,
    /// Why there is no body, as half a sentence.
    pub why_no_body: Option<&'a str>,
    /// The headers.
    pub headers: &'a [Header],
    /// The header `Last-Modified`.
    pub last_modified: Option<&'a str>,
}

impl VersionLookup {
    pub(crate) const fn new(target: LookupTarget, choice: Option<VariantChoice>) -> Self {
        Self {
            target,
            state: State::new(choice),
        }
    }

    /// The backend that is queried.
    pub const fn backend(&self) -> BackendId {
        self.target.backend
    }

    /// The variant that the lookup leads to, so far.
    pub(crate) const fn choice(&self) -> Option<VariantChoice> {
        self.state.choice()
    }

    /// The first step.
    pub fn begin<'p>(&mut self, policy: &'p Policy, env: &dyn LookupEnv) -> Step<'p> {
        let context = LookupContext::find(&self.target, policy, env);
        let step = context.map(|context| self.state.begin(&context));
        step.unwrap_or_else(other_policy)
    }

    /// The step after the answer to this query.
    pub fn answered<'p>(
        &mut self,
        policy: &'p Policy,
        env: &dyn LookupEnv,
        id: QueryId,
        fetched: Fetched<'_>,
    ) -> Step<'p> {
        let context = LookupContext::find(&self.target, policy, env);
        let step = context.map(|context| self.state.answered(&context, id, fetched));
        step.unwrap_or_else(other_policy)
    }
}

impl Step<'_> {
    /// A reply without a verdict.
    pub(super) const fn reply(reply: LocalReply) -> Self {
        Step::Answer {
            rule_decisions: None,
            reply,
        }
    }
}

/// The lookup was begun by another policy, so its tenant or its backend may be missing.
fn other_policy<'p>() -> Step<'p> {
    let reason = "the policy that the request was looked up by is not in force";
    Step::reply(LocalReply::unavailable(reason))
}
