//! The series of the requests of one tenant, operation, backend and variant.

use std::cell::RefCell;
use std::time::Duration;

use modgate_engine::telemetry::{
    CACHE_LOOKUPS_TOTAL, CacheStatus, CacheVerdict, Outcome, REQUEST_DURATION_MILLISECONDS,
    REQUESTS_TOTAL, RESPONSE_BYTES_TOTAL,
};
use modgate_go::goproxy::OperationName;
use modgate_policy::model::TenantId;

use super::{Map, NONE, count, define, record};
use crate::host::{Host, MetricId};

/// What the series have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ScopeKey {
    pub(super) tenant: Option<TenantId>,
    pub(super) operation: OperationName,
    /// The place of the backend.
    pub(super) backend: Option<usize>,
    /// The addresses of the split's and the variant's names in the policy, which outlives this.
    pub(super) variant: Option<(usize, usize)>,
}

/// The values of the labels that the policy gives.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) tenant: String,
    pub(super) backend: String,
    pub(super) split: String,
    pub(super) variant: String,
}

/// The series of one tenant, operation, backend and variant.
pub(crate) struct Scope {
    pub(super) key: ScopeKey,
    pub(super) names: Names,
    bytes: Option<MetricId>,
    requests: RefCell<Map<Outcome, Option<MetricId>>>,
    durations: RefCell<Map<Option<CacheStatus>, Option<MetricId>>>,
    lookups: RefCell<Map<CacheVerdict, Option<MetricId>>>,
}

impl Scope {
    pub(super) fn new(host: &dyn Host, key: ScopeKey, names: Names) -> Self {
        let labels = [&*names.tenant, key.operation.as_str(), &*names.backend];
        let bytes = key
            .backend
            .map(|_| define(host, &RESPONSE_BYTES_TOTAL, &labels));
        Self {
            key,
            bytes: bytes.flatten(),
            requests: RefCell::default(),
            durations: RefCell::default(),
            lookups: RefCell::default(),
            names,
        }
    }

    /// Counts a request that has ended, after so long, with so many bytes of a backend's answer, and
    /// what the backend's cache did, where it was a lookup.
    pub(crate) fn count_request(
        &self,
        host: &dyn Host,
        outcome: Outcome,
        took: Duration,
        bytes: u64,
        cache: Option<CacheVerdict>,
    ) {
        let Names {
            tenant,
            backend,
            split,
            variant,
        } = &self.names;
        let operation = self.key.operation.as_str();
        let mut requests = self.requests.borrow_mut();
        let metric = *requests.entry(outcome).or_insert_with(|| {
            let outcome = outcome.as_str();
            let labels = [tenant, operation, backend, outcome, split, variant];
            define(host, &REQUESTS_TOTAL, &labels)
        });
        count(host, metric, 1);
        let status = cache.map(|verdict| verdict.status);
        let mut durations = self.durations.borrow_mut();
        let metric = *durations.entry(status).or_insert_with(|| {
            let status = status.map_or(NONE, CacheStatus::as_str);
            let labels = [tenant, operation, backend, status, split, variant];
            define(host, &REQUEST_DURATION_MILLISECONDS, &labels)
        });
        record(
            host,
            metric,
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        );
        count(host, self.bytes, bytes);
    }

    /// Counts what a backend's cache did.
    pub(crate) fn count_cache_lookup(&self, host: &dyn Host, verdict: CacheVerdict) {
        let mut lookups = self.lookups.borrow_mut();
        let metric = *lookups.entry(verdict).or_insert_with(|| {
            let labels = [
                &*self.names.tenant,
                self.key.operation.as_str(),
                &*self.names.backend,
                verdict.status.as_str(),
                verdict.evidence.as_str(),
            ];
            define(host, &CACHE_LOOKUPS_TOTAL, &labels)
        });
        count(host, metric, 1);
    }
}
