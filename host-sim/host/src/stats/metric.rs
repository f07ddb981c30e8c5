//! One metric's cell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::snapshot::Value;

/// `proxy_metric_type_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// The value of one metric. A gauge is an unsigned number that wraps, as in Envoy.
#[derive(Debug)]
pub(crate) enum Metric {
    Counter(AtomicU64),
    Gauge(AtomicU64),
    Histogram(Histogram),
}

#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: Vec<f64>,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    sum: f64,
    /// One for each bound, and the last for what is above all of them.
    buckets: Vec<u64>,
}

impl Metric {
    pub(crate) fn new(kind: MetricKind, bounds: Vec<f64>) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter(AtomicU64::new(0)),
            MetricKind::Gauge => Self::Gauge(AtomicU64::new(0)),
            MetricKind::Histogram => Self::Histogram(Histogram {
                counts: Mutex::new(Counts {
                    sum: 0.0,
                    buckets: vec![0; bounds.len() + 1],
                }),
                bounds,
            }),
        }
    }

    /// Records a value: a counter grows by it, a gauge takes it, a histogram counts it.
    pub(crate) fn record(&self, value: u64) {
        match self {
            Self::Counter(cell) => _ = cell.fetch_add(value, Ordering::Relaxed),
            Self::Gauge(cell) => cell.store(value, Ordering::Relaxed),
            Self::Histogram(histogram) => histogram.observe(value),
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Counter(cell) => Value::Counter(cell.load(Ordering::Relaxed)),
            Self::Gauge(cell) => Value::Gauge(cell.load(Ordering::Relaxed)),
            Self::Histogram(histogram) => histogram.value(),
        }
    }
}

impl Histogram {
    // A value above 2^53 loses its last digits; Envoy keeps two.
    #[allow(clippy::cast_precision_loss)]
    fn observe(&self, value: u64) {
        let value = value as f64;
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        let mut counts = self.lock();
        counts.sum += value;
        if let Some(count) = counts.buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    fn value(&self) -> Value {
        let counts = self.lock();
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        Value::Histogram {
            sum: counts.sum,
            count: counts.buckets.iter().sum(),
            buckets: bounds.zip(counts.buckets.iter().copied()).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_in_its_bucket() {
        let metric = Metric::new(MetricKind::Histogram, vec![1.0, 10.0]);
        for value in [0, 1, 2, 10, 11] {
            metric.record(value);
        }
        assert_eq!(
            metric.value(),
            Value::Histogram {
                sum: 24.0,
                count: 5,
                buckets: vec![(1.0, 2), (10.0, 2), (f64::INFINITY, 1)],
            }
        );
    }
}
