//! The filter's metrics as Envoy shows them, in the simulator's form.

use std::collections::BTreeSet;

use envoy_wasm_host::stats::{Series, Value};
use prometheus_parse::{Sample, Scrape, Value as Parsed};

/// The series of filters, which are those that are not Envoy's own.
///
/// # Panics
/// Where it is no Prometheus text.
pub fn series(text: &str) -> Vec<Series> {
    // The parser takes no empty list of labels.
    let lines = text.lines().map(|line| Ok(line.replacen("{}", "", 1)));
    let scrape = Scrape::parse(lines).unwrap_or_else(|e| panic!("no Prometheus text: {e}"));
    let mut histograms = BTreeSet::new();
    for sample in &scrape.samples {
        if matches!(sample.value, Parsed::Histogram(_)) {
            histograms.insert(sample.metric.clone());
        }
    }
    let samples = scrape.samples.iter();
    let filters = samples.filter(|sample| !sample.metric.starts_with("envoy_"));
    filters
        .filter_map(|sample| read(sample, &histograms))
        .collect()
}

fn read(sample: &Sample, histograms: &BTreeSet<String>) -> Option<Series> {
    // Envoy's sums are no more than near the truth.
    let histogram = |count| Value::Histogram {
        sum: 0.0,
        count,
        buckets: Vec::new(),
    };
    let base = |end| {
        let name = sample.metric.strip_suffix(end);
        name.filter(|name| histograms.contains(*name))
    };
    if base("_sum").is_some() {
        return None;
    }
    let (name, value) = match (&sample.value, base("_count")) {
        (Parsed::Counter(count) | Parsed::Untyped(count), Some(name)) => {
            (name, histogram(*count as u64))
        }
        (Parsed::Counter(value), None) => (sample.metric.as_str(), Value::Counter(*value as u64)),
        (Parsed::Gauge(value), _) => (sample.metric.as_str(), Value::Gauge(*value as u64)),
        _ => return None,
    };
    let labels = sample.labels.iter();
    let mut labels: Vec<_> = labels.map(|(k, v)| (k.clone(), v.clone())).collect();
    labels.sort();
    Some(Series {
        name: name.to_owned(),
        labels,
        value,
    })
}
