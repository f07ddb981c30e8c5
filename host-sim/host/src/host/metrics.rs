//! The metrics that a VM has defined.

use std::collections::HashMap;
use std::sync::Arc;

use crate::stats::{Metric, MetricKind};

/// The metrics that a VM has defined, by their numbers. A number tells the metric's kind in its two lowest
/// bits, as in Envoy.
#[derive(Debug, Default)]
pub(crate) struct MetricTable {
    by_id: HashMap<u32, Arc<Metric>>,
    last_counter: u32,
    last_gauge: u32,
    last_histogram: u32,
}

impl MetricTable {
    /// The number of one more metric; one of the same name gets another number.
    pub(crate) fn add(&mut self, kind: MetricKind, metric: Arc<Metric>) -> u32 {
        let (last, bits) = match kind {
            MetricKind::Counter => (&mut self.last_counter, 0),
            MetricKind::Gauge => (&mut self.last_gauge, 1),
            MetricKind::Histogram => (&mut self.last_histogram, 2),
        };
        *last = last.wrapping_add(4);
        let id = *last | bits;
        self.by_id.insert(id, metric);
        id
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Arc<Metric>> {
        self.by_id.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_kind_and_tell_it() {
        let mut table = MetricTable::default();
        let mut add = |kind| table.add(kind, Arc::new(Metric::new(kind, Vec::new())));
        let kinds = [
            MetricKind::Counter,
            MetricKind::Gauge,
            MetricKind::Counter,
            MetricKind::Histogram,
        ];
        assert_eq!(kinds.map(&mut add), [4, 5, 8, 6]);
        assert!(table.get(8).is_some() && table.get(9).is_none());
    }
}
