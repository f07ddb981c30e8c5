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
    DECISIONS_TOTAL, FAILOVERS_TOTAL, INTEGRITY_BYTES_TOTAL, INTEGRITY_CHECKS_TOTAL,
    INTEGRITY_MICROSECONDS_TOTAL, Kind, Metric, ROUTE_TRIALS_TOTAL, SPLIT_ASSIGNMENTS_TOTAL,
    SPLIT_FALLBACKS_TOTAL, SUMDB_LOOKUPS_TOTAL, series,
};
use modgate_go::gomod::Artifact;
use modgate_policy::model::{Backend, BackendId, NO_VARIANT, Ruling, SHADOW, Tenant, TenantId};
use proxy_wasm::types::{LogLevel, MetricType};
use rustc_hash::FxBuildHasher;

use self::labels::Labels;
pub(crate) use self::scope::Scope;
use self::scope::{Names, ScopeKey};
use crate::host;

type Map<K, V> = HashMap<K, V, FxBuildHasher>;

/// The value of a label where there is nothing to name.
const NONE: &str = "none";

/// All series of one policy in one VM.
#[derive(Default)]
pub(crate) struct Meters {
    scopes: RefCell<Map<ScopeKey, Rc<Scope>>>,
    decisions: RefCell<Map<DecisionKey, Option<u32>>>,
    checks: RefCell<Map<CheckKey, Option<u32>>>,
    lookups: RefCell<Map<&'static str, Option<u32>>>,
    assignments: RefCell<Map<AssignmentKey, Option<u32>>>,
    fallbacks: RefCell<Map<FallbackKey, Option<u32>>>,
    route_trials: RefCell<Map<RouteKey, Option<u32>>>,
    failovers: RefCell<Map<FailoverKey, Option<u32>>>,
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
    /// The series for a request that was judged so, and that this backend is asked for.
    pub(crate) fn scope(
        &self,
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
        self.scope_of(key, || {
            let mut labels = self.labels.borrow_mut();
            let tenant = labels.tenant(decision.tenant);
            let (split, variant) = labels.variant(&tenant, of_variant);
            Names {
                backend: backend.map_or(NONE, |backend| &backend.name).to_owned(),
                split: split.to_owned(),
                variant: variant.to_owned(),
                tenant,
            }
        })
    }

    /// The series for a request of another scope, which this backend answered.
    pub(crate) fn scope_at(&self, scope: &Scope, backend: &Backend) -> Rc<Scope> {
        let key = ScopeKey {
            backend: Some(backend.id),
            ..scope.key
        };
        self.scope_of(key, || Names {
            backend: backend.name.clone(),
            ..scope.names.clone()
        })
    }

    fn scope_of(&self, key: ScopeKey, names: impl FnOnce() -> Names) -> Rc<Scope> {
        if let Some(scope) = self.scopes.borrow().get(&key) {
            return Rc::clone(scope);
        }
        let scope = Rc::new(Scope::new(key, names()));
        self.scopes.borrow_mut().insert(key, Rc::clone(&scope));
        scope
    }

    /// Counts the verdict of a decision, where there is one, and that of the tenant's other rules.
    pub(crate) fn decided(&self, decision: &RequestDecision<'_>) {
        let ruling = decision.ruling.as_ref();
        let agreement = ruling.map_or("none", Ruling::agreement);
        if let Some(labels) = decision.decision_labels() {
            self.count_decision(decision.tenant, decision.stage.name, labels, agreement);
        }
        if let Some(other) = ruling.and_then(|ruling| ruling.other.as_ref()) {
            let labels = (other.decision.as_str(), other.rule_label());
            self.count_decision(decision.tenant, SHADOW, labels, agreement);
        }
    }

    fn count_decision(
        &self,
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
            let tenant = labels.tenant(tenant);
            let rule = labels.rule(rule);
            let labels = [&*tenant, stage, decision, rule, agreement];
            let metric = define(&DECISIONS_TOTAL, &labels);
            self.decisions.borrow_mut().insert(key, metric);
            metric
        });
        host::count(metric, 1);
    }
}

impl Meters {
    /// Counts a file that was checked, or should have been.
    pub(crate) fn checked(
        &self,
        tenant: Option<&Tenant>,
        artifact: Artifact,
        result: &'static str,
        evidence: &'static str,
    ) {
        let labels = [artifact.as_str(), result, evidence];
        self.count_check(&INTEGRITY_CHECKS_TOTAL, tenant, labels, 1);
    }

    /// Counts what a check cost.
    pub(crate) fn hashed(
        &self,
        tenant: Option<&Tenant>,
        artifact: Artifact,
        bytes: u64,
        took: Duration,
    ) {
        let labels = [artifact.as_str(), "", ""];
        self.count_check(&INTEGRITY_BYTES_TOTAL, tenant, labels, bytes);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count_check(&INTEGRITY_MICROSECONDS_TOTAL, tenant, labels, micros);
    }

    /// Counts a lookup in the checksum database.
    pub(crate) fn asked(&self, result: &'static str) {
        let mut lookups = self.lookups.borrow_mut();
        let define = || define(&SUMDB_LOOKUPS_TOTAL, &[result]);
        host::count(*lookups.entry(result).or_insert_with(define), 1);
    }

    /// Counts the variant of a decision, where it has one, and says once of each that another was meant.
    pub(crate) fn assigned(&self, decision: &RequestDecision<'_>) {
        let Some(assigned) = decision.split else {
            return;
        };
        let split = assigned.split.name.as_str();
        let variant = assigned.variant.map_or(NO_VARIANT, |variant| &variant.name);
        let (split_key, variant_key) = (split.as_ptr().addr(), variant.as_ptr().addr());
        let stage = assigned.stage;
        let mut known = self.assignments.borrow_mut();
        let metric = known.entry((split_key, variant_key, stage));
        let define_it = || define(&SPLIT_ASSIGNMENTS_TOTAL, &[split, variant, stage]);
        host::count(*metric.or_insert_with(define_it), 1);
        if assigned.by != AssignedBy::Fallback {
            return;
        }
        let mut known = self.fallbacks.borrow_mut();
        let metric = *known.entry((split_key, variant_key)).or_insert_with(|| {
            let line = format!(
                "modgate: the split {split} led a request to {variant}: \
                 the backend does not have the version that it should get, or the rules refuse it"
            );
            host::log(LogLevel::Warn, &line);
            define(&SPLIT_FALLBACKS_TOTAL, &[split])
        });
        host::count(metric, 1);
    }

    /// Counts where two sets of routes lead a request, where there are two.
    pub(crate) fn routed(&self, decision: &RequestDecision<'_>) {
        let Some(trial) = decision.route_trial else {
            return;
        };
        let name = |backend: Option<&Backend>| match backend {
            Some(backend) => backend.name.clone(),
            None => NONE.to_owned(),
        };
        let (backend, would_be) = (
            decision.backend(),
            trial.would_be.map(|(_, backend)| backend),
        );
        let id = |backend: Option<&Backend>| backend.map(|backend| backend.id);
        let mut known = self.route_trials.borrow_mut();
        let metric = known.entry((id(backend), id(would_be), trial.stage));
        let metric = metric.or_insert_with(|| {
            let labels = [trial.stage, &name(backend), &name(would_be)];
            define(&ROUTE_TRIALS_TOTAL, &labels)
        });
        host::count(*metric, 1);
    }

    /// Counts an answer that came from another backend than the one that was asked first.
    pub(crate) fn stood_in(&self, asked: &Backend, stand_in: &str) {
        let mut known = self.failovers.borrow_mut();
        let metric = known.entry((asked.id, stand_in.as_ptr().addr()));
        let define_it = || define(&FAILOVERS_TOTAL, &[&asked.name, stand_in]);
        host::count(*metric.or_insert_with(define_it), 1);
    }

    /// `labels` are those behind the tenant; what a metric does not have is empty.
    fn count_check(
        &self,
        metric: &Metric,
        tenant: Option<&Tenant>,
        labels: [&'static str; 3],
        by: u64,
    ) {
        let key = (metric.name, tenant.map(|t| t.id), labels);
        let known = self.checks.borrow().get(&key).copied();
        let id = known.unwrap_or_else(|| {
            let tenant = self.labels.borrow_mut().tenant(tenant);
            let all = std::iter::once(tenant.as_str()).chain(labels);
            let all: Vec<&str> = all.take(metric.labels.len()).collect();
            let id = define(metric, &all);
            self.checks.borrow_mut().insert(key, id);
            id
        });
        host::count(id, by);
    }
}

fn define(metric: &Metric, labels: &[&str]) -> Option<u32> {
    let kind = match metric.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram { .. } => MetricType::Histogram,
    };
    host::define_metric(kind, &series::stat_name(metric, labels))
}
