//! What is to be done with a request, and everything that led to it.

use super::caching::CacheScope;
use super::routing::RouteTrial;
use super::split::{Assigned, AssignedBy, OfVariant};
use super::stage::RolloutAssignment;
use crate::lookup::Consultation;
use crate::reply::Reply;
use crate::telemetry::Outcome;
use modgate_go::goproxy::{Mutability, OperationName};
use modgate_policy::model::route::Route;
use modgate_policy::model::{Backend, Decision, Plan, Policy, RuleDecisions, Tenant};

/// What is to be done with a request, and everything that led to it.
#[derive(Debug)]
pub struct Judgement<'p> {
    /// The tenant; `None` where the request has none.
    pub tenant: Option<&'p Tenant>,
    /// Which identity source named the tenant.
    pub identity: Option<&'static str>,
    /// What is asked.
    pub operation: OperationName,
    /// Whether the answer can change from one request to the next.
    pub mutability: Mutability,
    /// Which of the tenant's rules hold for the request, and why.
    pub stage: RolloutAssignment,
    /// The verdict of the rules, where they were asked, and that of the tenant's other ones.
    pub rule_decisions: Option<RuleDecisions<'p>>,
    /// The route that was taken.
    pub route: Option<&'p Route>,
    /// The bucket in which the backend was drawn, below [`modgate_policy::model::BUCKETS`], where the route leads
    /// to several.
    pub bucket: Option<u32>,
    /// What the routes say that are not followed, where some are tried.
    pub route_trial: Option<RouteTrial<'p>>,
    /// The module path that is asked for, unescaped.
    pub module: Option<String>,
    /// The version or query that is asked for, unescaped.
    pub version: Option<String>,
    /// What the client wrote before everything else to name its tenant: empty, or such as `t/acme/`.
    pub tenant_prefix: String,
    /// What the client calls the request; a text repeats it only where it is harmless.
    pub request_id: Option<String>,
    /// The variant of a split that it was given.
    pub split: Option<Assigned<'p>>,
    /// The variant whose version's file is asked for.
    pub file_of: Option<OfVariant<'p>>,
    /// What is to be checked of the answer.
    pub plan: Plan,
    /// The backend that was asked before the request was answered here.
    pub consulted: Option<&'p Backend>,
    /// Headers of the request that its backend must not get; see [`super::goes_upstream`].
    pub remove_headers: Vec<String>,
    /// Which caches may keep a backend's answer.
    pub cache_scope: CacheScope,
    /// What to do.
    pub answer: Answer<'p>,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Answer<'p> {
    /// It goes to a backend.
    Forward {
        /// Which.
        backend: &'p Backend,
        /// The cluster that is asked: the backend's, or one in which others stand in for it.
        cluster: &'p str,
        /// The path that goes upstream; `None` where it is, byte for byte, the one that came.
        path: Option<String>,
    },
    /// It waits while its backend is asked, and then is answered or goes on.
    Consult {
        /// Which backend is asked, and where it goes on to.
        backend: &'p Backend,
        /// As in [`Answer::Forward`].
        cluster: &'p str,
        /// As in [`Answer::Forward`].
        path: Option<String>,
        /// What goes from question to question.
        consultation: Box<Consultation>,
    },
    /// It is answered here.
    Reply(Reply),
}

impl<'p> Judgement<'p> {
    /// Nothing is known yet but what the client calls the request.
    pub(super) fn unknown(request_id: Option<&str>) -> Self {
        Self {
            tenant: None,
            identity: None,
            operation: OperationName::Other,
            mutability: Mutability::Other,
            stage: RolloutAssignment::default(),
            rule_decisions: None,
            route: None,
            bucket: None,
            route_trial: None,
            module: None,
            version: None,
            tenant_prefix: String::new(),
            request_id: request_id.map(ToOwned::to_owned),
            split: None,
            file_of: None,
            plan: Plan::Pass,
            consulted: None,
            remove_headers: Vec::new(),
            cache_scope: CacheScope::Private,
            answer: Answer::Reply(Reply::default()),
        }
    }

    /// What came of it, as far as that is known before a backend has answered.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.answer {
            Answer::Forward { .. } | Answer::Consult { .. } => None,
            Answer::Reply(reply) => Some(reply.outcome),
        }
    }

    /// The backend that the request goes to, or that was asked for it.
    pub fn backend(&self) -> Option<&'p Backend> {
        match &self.answer {
            Answer::Forward { backend, .. } | Answer::Consult { backend, .. } => Some(backend),
            Answer::Reply(_) => self.consulted,
        }
    }

    /// Notes what a consultation came to: the request goes on.
    pub fn proceed(&mut self, rule_decisions: RuleDecisions<'p>) {
        self.rule_decisions = Some(rule_decisions);
        let answer = std::mem::replace(&mut self.answer, Answer::Reply(Reply::default()));
        self.answer = match answer {
            Answer::Consult {
                backend,
                cluster,
                path,
                ..
            } => Answer::Forward {
                backend,
                cluster,
                path,
            },
            answer => answer,
        };
    }

    /// Notes what a consultation came to: the client is answered. [`Judgement::led_to`] comes first.
    pub fn conclude(&mut self, rule_decisions: Option<RuleDecisions<'p>>, mut reply: Reply) {
        self.consulted = self.backend();
        self.rule_decisions = rule_decisions.or(self.rule_decisions);
        let told = self
            .split
            .filter(|assigned| assigned.holds() && assigned.split.tells && reply.status == 200);
        reply.variant = told.and_then(|assigned| Some(assigned.variant?.name.clone()));
        self.answer = Answer::Reply(reply);
    }

    /// Notes which variant a consultation led to: another than the one that was given where the backend
    /// does not have that, or the rules refuse it.
    pub fn led_to(&mut self, policy: &'p Policy, consultation: &Consultation) {
        let (Some(assigned), Some(steer)) = (&mut self.split, consultation.steer()) else {
            return;
        };
        let variants = policy
            .splits()
            .get(steer.split)
            .map(|split| &split.variants);
        let led_to = variants
            .zip(steer.variant())
            .and_then(|(variants, place)| variants.get(place));
        if led_to != assigned.variant {
            assigned.by = AssignedBy::Fallback;
            assigned.variant = led_to;
        }
    }

    /// The variant that the request counts for: the one that it was led to, or whose file it asks for.
    pub fn of_variant(&self) -> Option<OfVariant<'p>> {
        let led = self.split.filter(Assigned::holds);
        let led = led.map(|assigned| OfVariant {
            split: assigned.split,
            variant: assigned.variant,
        });
        led.or(self.file_of)
    }

    /// The values of the labels `decision` and `rule`: the verdict's, or what refused the request
    /// before or after the rules were asked. `None` where nothing was decided.
    pub fn decision_labels(&self) -> Option<(&'static str, &str)> {
        if let Answer::Reply(Reply {
            decided_by: Some(by),
            ..
        }) = &self.answer
        {
            return Some((Decision::Deny.as_str(), by));
        }
        let verdict = &self.rule_decisions.as_ref()?.effective;
        Some((verdict.decision.as_str(), verdict.rule_label()))
    }
}
