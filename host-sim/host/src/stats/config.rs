//! Envoy's `stats_config`: how names are cut into labels, and the buckets of histograms.

use std::collections::HashMap;

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
    help: HashMap<String, String>,
}

impl StatsConfig {
    /// Adds a `stats_tags` entry: the pattern's first group is cut from the name, its second group
    /// is the label's value.
    ///
    /// # Errors
    /// One sentence about a pattern that is none, or that has no first group.
    pub fn tag(mut self, label: &str, pattern: &str) -> Result<Self, String> {
        let pattern = Regex::new(pattern).map_err(|error| {
            format!("the pattern of label {label} is not a valid regular expression: {error}")
        })?;
        if pattern.captures_len() < 2 {
            return Err(format!("the pattern of label {label} has no capture group"));
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

    /// Says what the metric of this name, as Prometheus sees it, means. Envoy has no such setting: it is
    /// for the `# HELP` lines of [`render`](super::render).
    pub fn help(mut self, name: &str, text: &str) -> Self {
        self.help.insert(name.to_owned(), text.to_owned());
        self
    }

    /// What the metric of this name means.
    pub(crate) fn help_of(&self, name: &str) -> &str {
        let text = self.help.get(name);
        text.map_or("Defined by the filter.", String::as_str)
    }

    /// The upper bounds for a histogram of that name.
    pub fn bounds_of(&self, name: &str) -> Vec<f64> {
        self.buckets
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or_else(|| DEFAULT_BUCKETS.to_vec(), |(_, bounds)| bounds.clone())
    }

    /// The name that is left, as Prometheus takes it, and the labels that were cut out of it.
    pub fn cut(&self, stat: &str) -> (String, Vec<(String, String)>) {
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

    fn tagged() -> StatsConfig {
        let config = StatsConfig::default().tag("team", r"(team=\.=(.*?);\.;)");
        config.unwrap().tag("kind", r"(kind=\.=(.*?);\.;)").unwrap()
    }

    #[test]
    fn labels_are_cut_out_of_the_name() {
        let (name, labels) = tagged().cut("orders_totalteam=.=acme;.;kind=.=new;.;");
        assert_eq!(name, "orders_total");
        let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(labels, ["kind=new", "team=acme"]);
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
        let config = tagged().buckets("order_ms", &[1.0, 10.0]);
        assert_eq!(config.bounds_of("order_msteam=.=a;.;"), [1.0, 10.0]);
        assert_eq!(config.bounds_of("other").len(), DEFAULT_BUCKETS.len());
    }

    #[test]
    fn a_bad_pattern_is_refused() {
        assert!(StatsConfig::default().tag("x", "(").is_err());
        assert!(StatsConfig::default().tag("x", "abc").is_err());
    }
}
