//! The catalogue of metrics, and how a metric with labels passes through Envoy.
//!
//! The proxy-wasm ABI identifies metrics by name only. Modgate writes the labels into the name ([`series`]),
//! and Envoy's `stats_tags`, which are generated from this catalogue, extract them again.

mod budget;
mod cache;
mod catalogue;
mod outcome;
mod policy_gauges;
pub mod series;

pub use budget::{LabelBudget, MAX_LABEL_VALUES, MAX_TENANT_VARIANTS};
pub use cache::{CacheStatus, CacheVerdict, Evidence, cache_verdict};
pub use catalogue::{
    CACHE_LOOKUPS_TOTAL, DECISIONS_TOTAL, FAILOVERS_TOTAL, FILTER_TWICE_TOTAL,
    INTEGRITY_BYTES_TOTAL, INTEGRITY_CHECKS_TOTAL, INTEGRITY_MICROSECONDS_TOTAL,
    LABEL_OVERFLOW_TOTAL, POLICY_INFO, REQUEST_DURATION_MILLISECONDS, RESPONSE_BYTES_TOTAL,
    ROLLOUT_INFO, ROUTE_TRIALS_TOTAL, ROUTE_WEIGHT_BASIS_POINTS, SPLIT_ASSIGNMENTS_TOTAL,
    SPLIT_FALLBACKS_TOTAL, SPLIT_WEIGHT_BASIS_POINTS, SUMDB_LOOKUPS_TOTAL,
};
pub use catalogue::{
    CATALOGUE, DURATION_BUCKETS_MS, Kind, LABELS, Label, Metric, REQUESTS_TOTAL, metric_named,
};
pub use outcome::{Ending, Outcome};
pub use policy_gauges::{PolicyGauge, policy_gauges};
