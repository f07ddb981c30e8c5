//! What the rules and the dashboards ask of Prometheus, as far as tests must read it.

use modgate_engine::telemetry::{Kind, Metric, metric_named};

/// The catalogue's metric behind the name of a series.
pub fn metric_of(series: &str) -> Option<&'static Metric> {
    let histogram = ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| metric_named(series.strip_suffix(end)?))
        .filter(|metric| matches!(metric.kind, Kind::Histogram { .. }));
    histogram.or_else(|| metric_named(series))
}

/// The filter's series in an expression, each with the labels of its matchers.
pub fn used(expression: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("modgate_") {
        let from = &rest[at..];
        let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        // Inside a longer name, such as one of Envoy's own, it is not the filter's.
        let is_own = !rest[..at].ends_with(is_name);
        let matchers = behind
            .strip_prefix('{')
            .and_then(|text| text.split_once('}'));
        let labels = matchers.map_or("", |(text, _)| text).split(',');
        let labels = labels.filter_map(|matcher| matcher.split(['=', '!']).next());
        let labels = labels.map(str::trim).filter(|label| !label.is_empty());
        if is_own {
            found.push((name.to_owned(), labels.map(ToOwned::to_owned).collect()));
        }
        rest = behind;
    }
    found
}

/// Says what an expression asks of the filter that the catalogue does not have.
///
/// # Errors
/// A sentence, where there is something.
pub fn check(expression: &str) -> Result<Vec<&'static Metric>, String> {
    let mut metrics = Vec::new();
    for (series, labels) in used(expression) {
        let metric =
            metric_of(&series).ok_or_else(|| format!("no metric {series}: {expression}"))?;
        for label in labels {
            if label != "le" && !metric.labels.contains(&&*label) {
                return Err(format!("{series} has no label {label}: {expression}"));
            }
        }
        metrics.push(metric);
    }
    Ok(metrics)
}
