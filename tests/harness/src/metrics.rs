//! Figures as Prometheus reads them: series by name and parsed labels.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use prometheus_parse::{Scrape, Value};

/// A series: its name, and its labels sorted by name.
pub type Series = (String, BTreeMap<String, String>);

/// The figures of one scrape, of Modgate's own metrics only. Of histograms the counts, as `NAME_count`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub BTreeMap<Series, f64>);

impl Figures {
    /// Reads what a proxy shows to Prometheus.
    ///
    /// # Panics
    /// Where it is no such text.
    pub fn parse(text: &str) -> Self {
        // Envoy's series without labels have empty braces, which Prometheus reads and this parser does not.
        let lines = text.lines().map(|line| Ok(line.replacen("{} ", " ", 1)));
        let scrape = Scrape::parse(lines).unwrap_or_else(|e| panic!("no Prometheus text: {e}"));
        let mut figures = BTreeMap::new();
        for sample in scrape.samples {
            if !sample.metric.starts_with("modgate_") {
                continue;
            }
            let labels = sample
                .labels
                .iter()
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let value = match sample.value {
                Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
                // The buckets say more than these tests compare.
                Value::Histogram(_) | Value::Summary(_) => continue,
            };
            figures.insert((sample.metric, labels), value);
        }
        Self(figures)
    }

    /// Scrapes until a sum is at least so large. Envoy adds a histogram's observations to what it shows
    /// every five seconds.
    ///
    /// # Panics
    /// Where that does not come within half a minute.
    pub fn once_at_least(
        scrape: impl Fn() -> String,
        name: &str,
        labels: &[(&str, &str)],
        least: f64,
    ) -> Self {
        let start = Instant::now();
        loop {
            let figures = Self::parse(&scrape());
            let seen = figures.sum(name, labels);
            if seen >= least {
                return figures;
            }
            let waited = start.elapsed();
            assert!(
                waited.as_secs() < 30,
                "{name} {labels:?}: {seen} of {least}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The sum over all series of that name that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let matching = self.0.iter().filter(|((known, all), _)| {
            known == name
                && labels
                    .iter()
                    .all(|(k, v)| all.get(*k).is_some_and(|have| have == v))
        });
        // Not `sum`, which makes -0 of nothing.
        matching.fold(0.0, |sum, (_, value)| sum + value)
    }
}
