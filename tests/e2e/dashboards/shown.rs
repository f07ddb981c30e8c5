//! All that a proxy shows of the filter, buckets and kinds included, to be held against what arrives
//! somewhere else.

use std::collections::BTreeMap;

use modgate_harness::metrics::Series;
use prometheus_parse::{Scrape, Value};

/// Envoy's own counter beside the filter's: the alert on the enforcement gap needs it.
const ANSWERED: &str = "envoy_http_downstream_rq_completed";

/// A value, and what kind of metric it is of.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// It only grows.
    Counter(f64),
    /// It holds now.
    Gauge(f64),
    /// A histogram's bounds, and how many are not above each.
    Buckets(Vec<(f64, f64)>),
    /// A histogram's `_count` or `_sum`.
    Part(f64),
}

impl Shown {
    /// Whether the two are of one kind and say the same, but for the last digit, which readers of JSON round.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Counter(one), Self::Counter(two))
            | (Self::Gauge(one), Self::Gauge(two))
            | (Self::Part(one), Self::Part(two)) => near(*one, *two),
            (Self::Buckets(_), Self::Buckets(_)) => self == other,
            _ => false,
        }
    }
}

/// The same number but for its last digit.
pub fn near(one: f64, two: f64) -> bool {
    (one - two).abs() <= one.abs() * 1e-12
}

/// By series.
pub type All = BTreeMap<Series, Shown>;

/// Whether a series is the filter's, or the one of Envoy's that the alerts need.
pub fn is_wanted((name, labels): &Series) -> bool {
    let is_answered = || {
        let prefix = labels.get("envoy_http_conn_manager_prefix");
        name == ANSWERED && prefix.is_some_and(|prefix| prefix == "goproxy")
    };
    name.starts_with("modgate_") || is_answered()
}

/// What a proxy shows to Prometheus.
pub fn read(text: &str) -> All {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).unwrap();
    let one = |sample: prometheus_parse::Sample| {
        let labels = sample.labels.iter();
        let labels = labels.map(|(name, value)| (name.clone(), value.clone()));
        let shown = match sample.value {
            Value::Counter(value) => Shown::Counter(value),
            Value::Gauge(value) => Shown::Gauge(value),
            // `modgate serve` names a counter's type as OpenMetrics does, without this end.
            Value::Untyped(value) if sample.metric.ends_with("_total") => Shown::Counter(value),
            Value::Untyped(value) => Shown::Part(value),
            Value::Histogram(buckets) => {
                let buckets = buckets.iter();
                Shown::Buckets(buckets.map(|one| (one.less_than, one.count)).collect())
            }
            Value::Summary(_) => panic!("{} is a summary", sample.metric),
        };
        ((sample.metric, labels.collect()), shown)
    };
    let all = scrape.samples.into_iter().map(one);
    all.filter(|(series, _)| is_wanted(series)).collect()
}
