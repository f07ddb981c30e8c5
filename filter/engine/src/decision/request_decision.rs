//! The decision on a request, and everything that led to it.

use super::caching::CacheScope;
use super::rollout::RolloutAssignment;
use super::routing::RouteTrial;
use super::split::{Assigned, AssignedBy, OfVariant};
use crate::lookup::VersionLookup;
use crate::reply::LocalReply;
use crate::telemetry::Outcome;
use modgate_go::goproxy::{Mutability, OperationName};
use modgate_policy::model::route::Route;
use modgate_policy::model::{Backend, Plan, RuleDecisions, RuleOutcome, Tenant};

/// The decision on a request, and everything that led to it.
#[derive(Debug)]
pub struct RequestDecision<'p> {
    /// The tenant; `None` where the request has none.
    pub tenant: Option<&'p Tenant>,
    /// Which identity source named the tenant.
    pub identity: Option<&'static str>,
    /// The operation that is requested.
    pub operation: OperationName,
    /// Whether the answer can change from one request to the next.
    pub mutability: Mutability,
    /// Which of the tenant's rules are in effect for the request, and why.
    pub stage: RolloutAssignment,
    /// The verdict of the rules, if they were evaluated, and that of the tenant's other rules.
    pub rule_decisions: Option<RuleDecisions<'p>>,
    /// The route that was taken.
    pub route: Option<&'p Route>,
    /// The bucket in which the backend was drawn, below [`modgate_policy::model::BUCKETS`], where the route leads
    /// to several.
    pub bucket: Option<u32>,
    /// Where the routes that are not in effect would lead, if there is a trial of routes.
    pub route_trial: Option<RouteTrial<'p>>,
    /// The module path that is requested, unescaped.
    pub module: Option<String>,
    /// The version or query that is requested, unescaped.
    pub version: Option<String>,
    /// The path prefix that names the tenant, such as `t/acme/`, or empty.
    pub tenant_prefix: String,
    /// The request id; replies repeat it only if its characters are harmless.
    pub request_id: Option<String>,
    /// The variant of a split that the client was assigned.
    pub split: Option<Assigned<'p>>,
    /// The variant whose file is requested.
    pub file_of: Option<OfVariant<'p>>,
    /// How the answer's integrity is checked.
    pub plan: Plan,
    /// The backend that a lookup queried before the request got a local reply.
    pub queried_backend: Option<&'p Backend>,
    /// Headers of the request that its backend must not receive; see [`super::goes_upstream`].
    pub remove_headers: Vec<String>,
    /// Which caches may keep a backend's answer.
    pub cache_scope: CacheScope,
    /// What to do.
    pub action: Decision<'p>,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Decision<'p> {
    /// It goes to a backend.
    Forward {
        /// Which.
        backend: &'p Backend,
        /// The backend's cluster, or one in which other backends stand in for it.
        cluster: &'p str,
        /// The path that goes upstream; `None` if it is the received one, byte for byte.
        path: Option<String>,
    },
    /// It waits while a lookup queries its backend, and is then forwarded or gets a local reply.
    Pending {
        /// The backend that is queried, and that the request goes to afterwards.
        backend: &'p Backend,
        /// As in [`Decision::Forward`].
        cluster: &'p str,
        /// As in [`Decision::Forward`].
        path: Option<String>,
        /// The lookup.
        lookup: Box<VersionLookup>,
    },
    /// The filter answers it.
    LocalReply(LocalReply),
}

impl<'p> RequestDecision<'p> {
    /// Nothing is known yet but the request id.
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
            queried_backend: None,
            remove_headers: Vec::new(),
            cache_scope: CacheScope::Private,
            action: Decision::LocalReply(LocalReply::default()),
        }
    }

    /// The outcome, if it is known before a backend has answered.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.action {
            Decision::Forward { .. } | Decision::Pending { .. } => None,
            Decision::LocalReply(reply) => Some(reply.outcome),
        }
    }

    /// The backend that the request goes to, or that a lookup queried for it.
    pub fn backend(&self) -> Option<&'p Backend> {
        match &self.action {
            Decision::Forward { backend, .. } | Decision::Pending { backend, .. } => Some(backend),
            Decision::LocalReply(_) => self.queried_backend,
        }
    }

    /// Ends the lookup: the request is forwarded.
    pub fn proceed(&mut self, rule_decisions: RuleDecisions<'p>) {
        self.record_variant();
        self.rule_decisions = Some(rule_decisions);
        let action = std::mem::replace(
            &mut self.action,
            Decision::LocalReply(LocalReply::default()),
        );
        self.action = match action {
            Decision::Pending {
                backend,
                cluster,
                path,
                ..
            } => Decision::Forward {
                backend,
                cluster,
                path,
            },
            action => action,
        };
    }

    /// Ends the lookup: the client gets this reply.
    pub fn conclude(&mut self, rule_decisions: Option<RuleDecisions<'p>>, mut reply: LocalReply) {
        self.record_variant();
        self.queried_backend = self.backend();
        self.rule_decisions = rule_decisions.or(self.rule_decisions);
        let reported = self
            .split
            .filter(|assigned| assigned.holds() && assigned.split.tells && reply.status == 200);
        reply.variant = reported.and_then(|assigned| Some(assigned.variant?.name.clone()));
        self.action = Decision::LocalReply(reply);
    }

    /// Records the variant that the lookup settled on. It is a fallback if the backend does not have the
    /// assigned variant, or the rules refuse it.
    fn record_variant(&mut self) {
        let Decision::Pending { lookup, .. } = &self.action else {
            return;
        };
        let (Some(assigned), Some(choice)) = (&mut self.split, lookup.choice()) else {
            return;
        };
        let led_to = choice.variant().and_then(|id| assigned.split.variant(id));
        if led_to != assigned.variant {
            assigned.by = AssignedBy::Fallback;
            assigned.variant = led_to;
        }
    }

    /// The variant that the request counts for: the one it was led to, or the one whose file it requests.
    pub fn of_variant(&self) -> Option<OfVariant<'p>> {
        let led = self.split.filter(Assigned::holds);
        let led = led.map(|assigned| OfVariant {
            split: assigned.split,
            variant: assigned.variant,
        });
        led.or(self.file_of)
    }

    /// The values of the labels `decision` and `rule`: those of the verdict, or of the step that refused the
    /// request. `None` if nothing was decided.
    pub fn decision_labels(&self) -> Option<(&'static str, &str)> {
        if let Decision::LocalReply(LocalReply {
            decided_by: Some(by),
            ..
        }) = &self.action
        {
            return Some((RuleOutcome::Deny.as_str(), by));
        }
        let verdict = &self.rule_decisions.as_ref()?.effective;
        Some((verdict.decision.as_str(), verdict.rule_label()))
    }
}
