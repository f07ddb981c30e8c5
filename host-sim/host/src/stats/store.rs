//! Every metric of a proxy, shared by its workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::StatsConfig;
use super::metric::{Metric, MetricKind};
use super::snapshot::Series;

/// Every metric of a proxy. A name means the same metric in every VM.
#[derive(Debug)]
pub struct Stats {
    config: StatsConfig,
    metrics: Mutex<BTreeMap<(MetricKind, String), Entry>>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    labels: Vec<(String, String)>,
    metric: Arc<Metric>,
}

impl Stats {
    pub(crate) fn new(config: StatsConfig) -> Self {
        Self {
            config,
            metrics: Mutex::default(),
        }
    }

    pub(crate) const fn config(&self) -> &StatsConfig {
        &self.config
    }

    /// The metric of that name, made where there is none.
    pub(crate) fn define(&self, kind: MetricKind, stat: &str) -> Arc<Metric> {
        let mut metrics = self.lock();
        let entry = metrics.entry((kind, stat.to_owned())).or_insert_with(|| {
            let (name, labels) = self.config.cut(stat);
            Entry {
                name,
                labels,
                metric: Arc::new(Metric::new(kind, self.config.bounds_of(stat))),
            }
        });
        Arc::clone(&entry.metric)
    }

    /// What every metric shows now, sorted by name and labels.
    pub fn series(&self) -> Vec<Series> {
        let metrics = self.lock();
        let mut series: Vec<_> = metrics
            .values()
            .map(|entry| Series {
                name: entry.name.clone(),
                labels: entry.labels.clone(),
                value: entry.metric.value(),
            })
            .collect();
        drop(metrics);
        series.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        series
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(MetricKind, String), Entry>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
