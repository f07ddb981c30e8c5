//! Counts what came of requests. Series are defined when they are first needed, and found again by
//! number, so that counting costs no more than the hostcall.

mod labels;
mod scope;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use modgate_engine::decision::{AssignedBy, RequestDecision};
use modgate_engine::telemetry::{
    DECISIONS_TOTAL, FAILOVERS_TOTAL, FILTER_TWICE_TOTAL, INTEGRITY_BYTES_TOTAL,
    INTEGRITY_CHECKS_TOTAL, INTEGRITY_MICROSECONDS_TOTAL, Kind, Metric, ROUTE_TRIALS_TOTAL,
    SPLIT_ASSIGNMENTS_TOTAL, SPLIT_FALLBACKS_TOTAL, SUMDB_LOOKUPS_TOTAL, series,
};
use modgate_go::gomod::Artifact;
use modgate_policy::model::{
    Backend, BackendId, NO_VARIANT, RuleDecisions, SHADOW, Tenant, TenantId,
};
use rustc_hash::FxBuildHasher;

use self::labels::Labels;
pub(crate) use self::scope::Scope;
use self::scope::{Names, ScopeKey};
use crate::host::{Host, LogLevel, MetricId, MetricKind};

type Map<K, V> = HashMap<K, V, FxBuildHasher>;

/// The value of a label where there is nothing to name.
const NONE: &str = "none";

/// All series of one policy in one VM.
#[derive(Default)]
pub(crate) struct Meters {
    scopes: RefCell<Map<ScopeKey, Rc<Scope>>>,
    decisions: RefCell<Map<DecisionKey, Option<MetricId>>>,
    checks: RefCell<Map<CheckKey, Option<MetricId>>>,
    lookups: RefCell<Map<&'static str, Option<MetricId>>>,
    assignments: RefCell<Map<AssignmentKey, Option<MetricId>>>,
    fallbacks: RefCell<Map<FallbackKey, Option<MetricId>>>,
    route_trials: RefCell<Map<RouteKey, Option<MetricId>>>,
    failovers: RefCell<Map<FailoverKey, Option<MetricId>>>,
    filter_twice: RefCell<Option<Option<MetricId>>>,
    labels: RefCell<Labels>,
}

/// Metric, tenant, artifact, result and evidence.
type CheckKey = (&'static str, Option<TenantId>, [&'static str; 3]);

/// The addresses of split and variant in the policy, which outlives this, and the stage.
type AssignmentKey = (usize, usize, &'static str);

/// Those of a split, and of the variant that it led to.
type FallbackKey = (usize, usize);

/// Where the request goes and where it would go, and the stage.
type RouteKey = (Option<BackendId>, Option<BackendId>, &'static str);

/// The backend that was asked first, and the address of the other one's name.
type FailoverKey = (BackendId, usize);

/// Tenant, the other labels, and the rule, which is told by its address in the policy, which outlives
/// this.
type DecisionKey = (Option<TenantId>, [&'static str; 3], usize);

impl Meters {
    /// The series for a request on which this was decided, and that goes to this backend.
    pub(crate) fn scope(
        &self,
        host: &dyn Host,
        decision: &RequestDecision<'_>,
        backend: Option<&Backend>,
    ) -> Rc<Scope> {
        let of_variant = decision.of_variant().map(|of| of.labels());
        let address = |name: &str| name.as_ptr().addr();
        let key = ScopeKey {
            tenant: decision.tenant.map(|tenant| tenant.id),
            operation: decision.operation,
            backend: backend.map(|backend| backend.id),
            variant: of_variant.map(|(split, variant)| (address(split), address(variant))),
        };
        self.scope_of(host, key, || {
            let mut labels = self.labels.borrow_mut();
            let tenant = labels.tenant(host, decision.tenant);
            let (split, variant) = labels.variant(host, &tenant, of_variant);
            Names {
                backend: backend.map_or(NONE, |backend| &backend.name).to_owned(),
                split: split.to_owned(),
                variant: variant.to_owned(),
                tenant,
            }
        })
    }

    /// The series for a request of another scope, which this backend answered.
    pub(crate) fn scope_at(&self, host: &dyn Host, scope: &Scope, backend: &Backend) -> Rc<Scope> {
        let key = ScopeKey {
            backend: Some(backend.id),
            ..scope.key
        };
        self.scope_of(host, key, || Names {
            backend: backend.name.clone(),
            ..scope.names.clone()
        })
    }

    fn scope_of(&self, host: &dyn Host, key: ScopeKey, names: impl FnOnce() -> Names) -> Rc<Scope> {
        if let Some(scope) = self.scopes.borrow().get(&key) {
            return Rc::clone(scope);
        }
        let scope = Rc::new(Scope::new(host, key, names()));
        self.scopes.borrow_mut().insert(key, Rc::clone(&scope));
        scope
    }

    /// Counts the verdict of a decision, where there is one, and that of the tenant's other rules.
    pub(crate) fn count_decisions(&self, host: &dyn Host, decision: &RequestDecision<'_>) {
        let rule_decisions = decision.rule_decisions.as_ref();
        let agreement = rule_decisions.map_or("none", RuleDecisions::agreement);
        if let Some(labels) = decision.decision_labels() {
            self.count_decision(
                host,
                decision.tenant,
                decision.stage.name,
                labels,
                agreement,
            );
        }
        if let Some(other) = rule_decisions.and_then(|rules| rules.shadow.as_ref()) {
            let labels = (other.decision.as_str(), other.rule_label());
            self.count_decision(host, decision.tenant, SHADOW, labels, agreement);
        }
    }

    fn count_decision(
        &self,
        host: &dyn Host,
        tenant: Option<&Tenant>,
        stage: &'static str,
        (decision, rule): (&'static str, &str),
        agreement: &'static str,
    ) {
        let id = tenant.map(|tenant| tenant.id);
        let key = (id, [stage, decision, agreement], rule.as_ptr().addr());
        let known = self.decisions.borrow().get(&key).copied();
        let metric = known.unwrap_or_else(|| {
            let mut labels = self.labels.borrow_mut();
            let tenant = labels.tenant(host, tenant);
            let rule = labels.rule(host, rule);
            let labels = [&*tenant, stage, decision, rule, agreement];
            let metric = define(host, &DECISIONS_TOTAL, &labels);
            self.decisions.borrow_mut().insert(key, metric);
            metric
        });
        count(host, metric, 1);
    }
}

impl Meters {
    /// Counts a file that was checked, or should have been.
    pub(crate) fn count_check(
        &self,
        host: &dyn Host,
        tenant: Option<&Tenant>,
        artifact: Artifact,
        result: &'static str,
        evidence: &'static str,
    ) {
        let labels = [artifact.as_str(), result, evidence];
        self.add_to_check(host, &INTEGRITY_CHECKS_TOTAL, tenant, labels, 1);
    }

    /// Counts what a check cost.
    pub(crate) fn count_hashing(
        &self,
        host: &dyn Host,
        tenant: Option<&Tenant>,
        artifact: Artifact,
        bytes: u64,
        took: Duration,
    ) {
        let labels = [artifact.as_str(), "", ""];
        self.add_to_check(host, &INTEGRITY_BYTES_TOTAL, tenant, labels, bytes);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.add_to_check(host, &INTEGRITY_MICROSECONDS_TOTAL, tenant, labels, micros);
    }

    /// Counts a lookup in the checksum database.
    pub(crate) fn count_sumdb_lookup(&self, host: &dyn Host, result: &'static str) {
        let mut lookups = self.lookups.borrow_mut();
        let define = || define(host, &SUMDB_LOOKUPS_TOTAL, &[result]);
        count(host, *lookups.entry(result).or_insert_with(define), 1);
    }

    /// Counts the variant of a decision, where it has one, and says once of each that another was meant.
    pub(crate) fn count_assignment(&self, host: &dyn Host, decision: &RequestDecision<'_>) {
        let Some(assigned) = decision.split else {
            return;
        };
        let split = assigned.split.name.as_str();
        let variant = assigned.variant.map_or(NO_VARIANT, |variant| &variant.name);
        let (split_key, variant_key) = (split.as_ptr().addr(), variant.as_ptr().addr());
        let stage = assigned.stage;
        let mut known = self.assignments.borrow_mut();
        let metric = known.entry((split_key, variant_key, stage));
        let define_it = || define(host, &SPLIT_ASSIGNMENTS_TOTAL, &[split, variant, stage]);
        count(host, *metric.or_insert_with(define_it), 1);
        if assigned.by != AssignedBy::Fallback {
            return;
        }
        let mut known = self.fallbacks.borrow_mut();
        let metric = *known.entry((split_key, variant_key)).or_insert_with(|| {
            let line = format!(
                "modgate: the split {split} led a request to {variant}: \
                 the backend does not have the version that it should get, or the rules refuse it"
            );
            host.log(LogLevel::Warn, &line);
            define(host, &SPLIT_FALLBACKS_TOTAL, &[split])
        });
        count(host, metric, 1);
    }

    /// Counts where two sets of routes lead a request, where there are two.
    pub(crate) fn count_route_trial(&self, host: &dyn Host, decision: &RequestDecision<'_>) {
        let Some(trial) = decision.route_trial else {
            return;
        };
        let name = |backend: Option<&Backend>| match backend {
            Some(backend) => backend.name.clone(),
            None => NONE.to_owned(),
        };
        let (backend, alternative) = (
            decision.backend(),
            trial.alternative.map(|(_, backend)| backend),
        );
        let id = |backend: Option<&Backend>| backend.map(|backend| backend.id);
        let mut known = self.route_trials.borrow_mut();
        let metric = known.entry((id(backend), id(alternative), trial.stage));
        let metric = metric.or_insert_with(|| {
            let labels = [trial.stage, &name(backend), &name(alternative)];
            define(host, &ROUTE_TRIALS_TOTAL, &labels)
        });
        count(host, *metric, 1);
    }

    /// Counts an answer that came from another backend than the one that was asked first.
    pub(crate) fn count_failover(&self, host: &dyn Host, first: &Backend, fallback: &str) {
        let mut known = self.failovers.borrow_mut();
        let metric = known.entry((first.id, fallback.as_ptr().addr()));
        let define_it = || define(host, &FAILOVERS_TOTAL, &[&first.name, fallback]);
        count(host, *metric.or_insert_with(define_it), 1);
    }

    /// Counts a request that another instance of the filter had let through.
    pub(crate) fn count_filter_twice(&self, host: &dyn Host) {
        let mut twice = self.filter_twice.borrow_mut();
        let metric = twice.get_or_insert_with(|| define(host, &FILTER_TWICE_TOTAL, &[]));
        count(host, *metric, 1);
    }

    /// `labels` are those behind the tenant; what a metric does not have is empty.
    fn add_to_check(
        &self,
        host: &dyn Host,
        metric: &Metric,
        tenant: Option<&Tenant>,
        labels: [&'static str; 3],
        by: u64,
    ) {
        let key = (metric.name, tenant.map(|t| t.id), labels);
        let known = self.checks.borrow().get(&key).copied();
        let id = known.unwrap_or_else(|| {
            let tenant = self.labels.borrow_mut().tenant(host, tenant);
            let all = std::iter::once(tenant.as_str()).chain(labels);
            let all: Vec<&str> = all.take(metric.labels.len()).collect();
            let id = define(host, metric, &all);
            self.checks.borrow_mut().insert(key, id);
            id
        });
        count(host, id, by);
    }
}

fn define(host: &dyn Host, metric: &Metric, labels: &[&str]) -> Option<MetricId> {
    let kind = match metric.kind {
        Kind::Counter => MetricKind::Counter,
        Kind::Gauge => MetricKind::Gauge,
        Kind::Histogram { .. } => MetricKind::Histogram,
    };
    host.define_metric(kind, &series::stat_name(metric, labels))
}

/// Adds to a counter. Zero is not worth a call.
fn count(host: &dyn Host, metric: Option<MetricId>, by: u64) {
    if let (Some(metric), 1..) = (metric, by) {
        host.increment(metric, by);
    }
}

/// Sets a gauge, or adds an observation to a histogram.
pub(crate) fn record(host: &dyn Host, metric: Option<MetricId>, value: u64) {
    if let Some(metric) = metric {
        host.record(metric, value);
    }
}
