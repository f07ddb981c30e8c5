//! A request that waits for a lookup. Its decision is kept without a borrow of the policy, so that the
//! request goes on where it stopped and is not evaluated again.
//!
//! Parts of the policy are kept by id; [`Suspended::resume`] finds them again in the same policy.

use super::caching::CacheScope;
use super::request_decision::{Decision, RequestDecision};
use super::rollout::RolloutAssignment;
use super::routing::RouteTrial;
use super::split::{Assigned, AssignedBy, OfVariant};
use crate::lookup::VersionLookup;
use modgate_go::goproxy::{Mutability, OperationName};
use modgate_policy::model::{
    BackendId, Plan, Policy, RouteId, RuleDecisions, RuleId, RuleOutcome, Split, SplitId, TenantId,
    TooYoung, Variant, VariantId, Verdict,
};

/// A decision without its lookup and its policy.
#[derive(Clone, Debug)]
pub struct Suspended {
    /// The hash of the policy that made the decision.
    policy: String,
    tenant: Option<TenantId>,
    identity: Option<&'static str>,
    operation: OperationName,
    mutability: Mutability,
    stage: RolloutAssignment,
    rule_decisions: Option<SuspendedDecisions>,
    route: Option<RouteId>,
    bucket: Option<u32>,
    route_trial: Option<SuspendedTrial>,
    module: Option<String>,
    version: Option<String>,
    tenant_prefix: String,
    request_id: Option<String>,
    split: Option<SuspendedAssigned>,
    file_of: Option<VariantOf>,
    plan: Plan,
    remove_headers: Vec<String>,
    cache_scope: CacheScope,
    backend: BackendId,
    path: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct SuspendedDecisions {
    effective: SuspendedVerdict,
    shadow: Option<SuspendedVerdict>,
}

#[derive(Clone, Copy, Debug)]
struct SuspendedVerdict {
    decision: RuleOutcome,
    rule: Option<RuleId>,
    needs_lookup: bool,
    too_young: Option<TooYoung>,
}

#[derive(Clone, Copy, Debug)]
struct SuspendedTrial {
    stage: &'static str,
    alternative: Option<(RouteId, BackendId)>,
}

#[derive(Clone, Copy, Debug)]
struct SuspendedAssigned {
    of: VariantOf,
    by: AssignedBy,
    stage: &'static str,
}

/// A split, and one of its variants or none.
#[derive(Clone, Copy, Debug)]
struct VariantOf {
    split: SplitId,
    variant: Option<VariantId>,
}

impl RequestDecision<'_> {
    /// Separates a pending decision into its lookup and everything else; `None` if it is not pending.
    pub fn suspend(self, policy: &Policy) -> Option<(Suspended, Box<VersionLookup>)> {
        // Every member is named, so that the compiler reports a forgotten one.
        let Self {
            tenant,
            identity,
            operation,
            mutability,
            stage,
            rule_decisions,
            route,
            bucket,
            route_trial,
            module,
            version,
            tenant_prefix,
            request_id,
            split,
            file_of,
            plan,
            queried_backend: _,
            remove_headers,
            cache_scope,
            action,
        } = self;
        let Decision::Pending {
            backend,
            // It follows from route and backend.
            cluster: _,
            path,
            lookup,
        } = action
        else {
            return None;
        };
        let suspended = Suspended {
            policy: policy.hash().to_owned(),
            tenant: tenant.map(|tenant| tenant.id),
            identity,
            operation,
            mutability,
            stage,
            rule_decisions: rule_decisions.map(|rules| SuspendedDecisions::of(&rules)),
            route: route.map(|route| route.key),
            bucket,
            route_trial: route_trial.map(SuspendedTrial::of),
            module,
            version,
            tenant_prefix,
            request_id,
            split: split.map(|assigned| SuspendedAssigned {
                of: VariantOf::new(assigned.split, assigned.variant),
                by: assigned.by,
                stage: assigned.stage,
            }),
            file_of: file_of.map(|of| VariantOf::new(of.split, of.variant)),
            plan,
            remove_headers,
            cache_scope,
            backend: backend.id,
            path,
        };
        Some((suspended, lookup))
    }
}

impl Suspended {
    /// Restores the decision with its lookup; `None` if another policy made it.
    pub fn resume(
        self,
        policy: &Policy,
        lookup: Box<VersionLookup>,
    ) -> Option<RequestDecision<'_>> {
        if self.policy != policy.hash() {
            return None;
        }
        let backend = policy.backend(self.backend)?;
        let route = find(self.route, |id| policy.route(id))?;
        Some(RequestDecision {
            tenant: find(self.tenant, |id| policy.tenant_by_id(id))?,
            identity: self.identity,
            operation: self.operation,
            mutability: self.mutability,
            stage: self.stage,
            rule_decisions: find(self.rule_decisions, |rules| rules.resume(policy))?,
            route,
            bucket: self.bucket,
            route_trial: find(self.route_trial, |trial| trial.resume(policy))?,
            module: self.module,
            version: self.version,
            tenant_prefix: self.tenant_prefix,
            request_id: self.request_id,
            split: find(self.split, |assigned| assigned.resume(policy))?,
            file_of: find(self.file_of, |of| of.resume(policy))?,
            plan: self.plan,
            queried_backend: None,
            remove_headers: self.remove_headers,
            cache_scope: self.cache_scope,
            action: Decision::Pending {
                backend,
                cluster: route.map_or(&backend.cluster, |route| route.cluster_of(backend)),
                path: self.path,
                lookup,
            },
        })
    }
}

impl SuspendedDecisions {
    fn of(rule_decisions: &RuleDecisions<'_>) -> Self {
        Self {
            effective: SuspendedVerdict::of(&rule_decisions.effective),
            shadow: rule_decisions.shadow.as_ref().map(SuspendedVerdict::of),
        }
    }

    fn resume(self, policy: &Policy) -> Option<RuleDecisions<'_>> {
        Some(RuleDecisions {
            effective: self.effective.resume(policy)?,
            shadow: find(self.shadow, |other| other.resume(policy))?,
        })
    }
}

impl SuspendedVerdict {
    fn of(verdict: &Verdict<'_>) -> Self {
        Self {
            decision: verdict.decision,
            rule: verdict.rule.map(|matched| matched.id),
            needs_lookup: verdict.needs_lookup,
            too_young: verdict.too_young,
        }
    }

    fn resume(self, policy: &Policy) -> Option<Verdict<'_>> {
        Some(Verdict {
            decision: self.decision,
            rule: find(self.rule, |id| policy.rule(id))?,
            needs_lookup: self.needs_lookup,
            too_young: self.too_young,
        })
    }
}

impl SuspendedTrial {
    fn of(trial: RouteTrial<'_>) -> Self {
        let alternative = trial.alternative;
        Self {
            stage: trial.stage,
            alternative: alternative.map(|(route, backend)| (route.key, backend.id)),
        }
    }

    fn resume(self, policy: &Policy) -> Option<RouteTrial<'_>> {
        let there = |(route, backend)| Some((policy.route(route)?, policy.backend(backend)?));
        Some(RouteTrial {
            stage: self.stage,
            alternative: find(self.alternative, there)?,
        })
    }
}

impl SuspendedAssigned {
    fn resume(self, policy: &Policy) -> Option<Assigned<'_>> {
        let OfVariant { split, variant } = self.of.resume(policy)?;
        Some(Assigned {
            split,
            variant,
            by: self.by,
            stage: self.stage,
        })
    }
}

impl VariantOf {
    fn new(split: &Split, variant: Option<&Variant>) -> Self {
        Self {
            split: split.id,
            variant: variant.map(|variant| variant.id),
        }
    }

    fn resume(self, policy: &Policy) -> Option<OfVariant<'_>> {
        let split = policy.split(self.split)?;
        Some(OfVariant {
            split,
            variant: find(self.variant, |id| split.variant(id))?,
        })
    }
}

/// Finds what an optional id refers to; the outer `None` means that the policy has no such part.
fn find<I, T>(id: Option<I>, by: impl FnOnce(I) -> Option<T>) -> Option<Option<T>> {
    match id {
        None => Some(None),
        Some(id) => by(id).map(Some),
    }
}
