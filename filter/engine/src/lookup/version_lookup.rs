//! A request that waits while its backend is asked, from query to query.

use super::LookupEnv;
use super::context::LookupContext;
use super::state::State;
use super::target::LookupTarget;
use super::variant_choice::VariantChoice;
use crate::reply::LocalReply;
use modgate_go::http::Header;
use modgate_policy::model::{BackendId, Policy, Ruling};

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLookup {
    target: LookupTarget,
    state: State,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step<'p> {
    /// The backend is asked all of this at once, and each answer is [`VersionLookup::answered`]. Never
    /// empty.
    Ask(Vec<BackendQuery>),
    /// The answers to queries that were asked before are awaited.
    Wait,
    /// The request goes on to its backend.
    Proceed(Ruling<'p>),
    /// The client is answered.
    Answer {
        /// What the rules say of the version that it came to, where it came to one.
        ruling: Option<Ruling<'p>>,
        /// The answer.
        reply: LocalReply,
    },
}

/// One of the queries that are asked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueryId(pub(crate) usize);

/// What the backend is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendQuery {
    /// What tells its answer from those to the others.
    pub id: QueryId,
    /// The path, canonical.
    pub path: String,
    /// The most bytes of the answer that are read.
    pub limit: usize,
}

/// What came of a query.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetched<'a> {
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// The body; `None` where it is too long, or did not come whole.
    pub body: Option<&'a [u8]>,
    /// Why there is no body, or none that counts, as half a sentence.
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

    /// The backend that is asked.
    pub const fn backend(&self) -> BackendId {
        self.target.backend
    }

    /// The variant that it was led to, by now.
    pub(crate) const fn choice(&self) -> Option<VariantChoice> {
        self.state.choice()
    }

    /// The first step.
    pub fn begin<'p>(&mut self, policy: &'p Policy, env: &dyn LookupEnv) -> Step<'p> {
        let context = LookupContext::find(&self.target, policy, env);
        let step = context.map(|context| self.state.begin(&context));
        step.unwrap_or_else(other_policy)
    }

    /// The step behind the answer to the query with that id.
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
    /// The client is answered, and the rules had no part in it.
    pub(super) const fn reply(reply: LocalReply) -> Self {
        Step::Answer {
            ruling: None,
            reply,
        }
    }
}

/// A lookup is about parts of the policy that it was begun by.
fn other_policy<'p>() -> Step<'p> {
    let reason = "the policy that the request was looked up by is not in force";
    Step::reply(LocalReply::unavailable(reason))
}
