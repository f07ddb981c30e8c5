//! Envoy's `stats_config`: how names are cut into labels, and the buckets of histograms.

use modgate_engine::telemetry::{CATALOGUE, Kind, LABELS, series};
use regex::Regex;

/// Envoy's default buckets (`SupportedBuckets` of `source/common/stats/histogram_impl.cc`).
const DEFAULT_BUCKETS: &[f64] = &[
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1000.0,
    2500.0,
    5000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

/// The part of Envoy's `stats_config` that concerns a filter's metrics.
#[derive(Clone, Debug, Default)]
pub struct StatsConfig {
    tags: Vec<(String, Regex)>,
    buckets: Vec<(String, Vec<f64>)>,
}

impl StatsConfig {
    /// What Modgate's own catalogue of metrics needs: the same patterns and buckets that
    /// `modgate metrics --format envoy` prints.
    pub fn modgate() -> Self {
        let mut config = Self::default();
        for label in LABELS {
            // The pattern is made from a constant name; the tests build every one of them.
            if let Ok(pattern) = Regex::new(&series::tag_regex(label.name)) {
                config.tags.push((label.name.to_owned(), pattern));
            }
        }
        for metric in CATALOGUE {
            if let Kind::Histogram { buckets } = metric.kind {
                config = config.buckets(metric.name, buckets);
            }
        }
        config
    }

    /// Adds a `stats_tags` entry: the pattern's first group is cut from the name, its second group
    /// is the label's value.
    ///
    /// # Errors
    /// One sentence about a pattern that is none, or that has no first group.
    pub fn tag(mut self, label: &str, pattern: &str) -> Result<Self, String> {
        let pattern = Regex::new(pattern).map_err(|error| {
            format!("the pattern of label {label} is no regular expression: {error}")
        })?;
        if pattern.captures_len() < 2 {
            return Err(format!("the pattern of label {label} has no group to cut"));
        }
        self.tags.push((label.to_owned(), pattern));
        Ok(self)
    }

    /// Adds a `histogram_bucket_settings` entry for names that start so, without the
    /// `wasmcustom.` that Envoy's own setting has.
    pub fn buckets(mut self, prefix: &str, bounds: &[f64]) -> Self {
        self.buckets.push((prefix.to_owned(), bounds.to_owned()));
        self
    }

    /// The upper bounds for a histogram of that name.
    pub(crate) fn bounds_of(&self, name: &str) -> Vec<f64> {
        self.buckets
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or_else(|| DEFAULT_BUCKETS.to_vec(), |(_, bounds)| bounds.clone())
    }

    /// The name that is left, as Prometheus takes it, and the labels that were cut out of it.
    pub(crate) fn cut(&self, stat: &str) -> (String, Vec<(String, String)>) {
        let mut labels = Vec::new();
        let mut removed = Vec::new();
        for (label, pattern) in &self.tags {
            let Some(found) = pattern.captures(stat) else {
                continue;
            };
            let Some(cut) = found.get(1) else {
                continue;
            };
            let value = found.get(2).unwrap_or(cut).as_str().to_owned();
            removed.push(cut.range());
            labels.push((label.clone(), value));
        }
        let name = stat
            .char_indices()
            .filter(|(at, _)| !removed.iter().any(|range| range.contains(at)))
            .map(|(_, c)| c)
            .collect::<String>();
        labels.sort();
        (prometheus_name(&name), labels)
    }
}

/// Envoy's `sanitizeName`: what Prometheus does not take becomes an underscore.
fn prometheus_name(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == ':' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if clean.starts_with(|c: char| c.is_ascii_digit()) {
        clean.insert(0, '_');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use modgate_engine::telemetry::{REQUEST_DURATION_MILLISECONDS, REQUESTS_TOTAL};

    #[test]
    fn every_label_of_the_catalogue_has_a_pattern() {
        assert_eq!(StatsConfig::modgate().tags.len(), LABELS.len());
    }

    #[test]
    fn labels_are_cut_out_of_the_name() {
        let stat = series::stat_name(&REQUESTS_TOTAL, &["acme", "zip", "public", "ok"]);
        let (name, labels) = StatsConfig::modgate().cut(&stat);
        assert_eq!(name, "modgate_requests_total");
        let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            labels,
            [
                "backend=public",
                "operation=zip",
                "outcome=ok",
                "tenant=acme"
            ]
        );
    }

    #[test]
    fn other_names_become_what_prometheus_takes() {
        let config = StatsConfig::default();
        assert_eq!(config.cut("a.b-c{x}").0, "a_b_c_x_");
        assert_eq!(config.cut("9lives").0, "_9lives");
        let tagged = config.tag("route", r"(\.route\.(\w+))").unwrap();
        assert_eq!(
            tagged.cut("hits.route.a.sum"),
            ("hits_sum".into(), vec![("route".into(), "a".into())])
        );
    }

    #[test]
    fn buckets_go_by_the_start_of_the_name() {
        let config = StatsConfig::modgate();
        let stat = series::stat_name(&REQUEST_DURATION_MILLISECONDS, &["a", "zip", "b"]);
        assert_eq!(config.bounds_of(&stat).len(), 15);
        assert_eq!(config.bounds_of("other").len(), DEFAULT_BUCKETS.len());
    }

    #[test]
    fn a_bad_pattern_is_refused() {
        assert!(StatsConfig::default().tag("x", "(").is_err());
        assert!(StatsConfig::default().tag("x", "abc").is_err());
    }
}
