//! The text that Prometheus scrapes.
//!
//! The series are those of Envoy's `/stats/prometheus`. The spelling is that of OpenMetrics and of
//! `prometheus-client`: bounds are written `1.0` where Envoy writes `1`, there are `# HELP` lines,
//! and `# EOF` ends the text.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::config::StatsConfig;
use super::snapshot::{Series, Value};
use super::store::Stats;

/// The content type of [`render`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What every metric shows now, as text.
pub fn render(stats: &Stats) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collected {
        series: stats.series(),
        config: stats.config().clone(),
    }));
    let mut text = String::new();
    // Writing into a String cannot fail.
    _ = encode(&mut text, &registry);
    text
}

/// Series sorted by name.
#[derive(Debug)]
struct Collected {
    series: Vec<Series>,
    config: StatsConfig,
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let same = |a: &Series, b: &Series| {
            a.name == b.name && std::mem::discriminant(&a.value) == std::mem::discriminant(&b.value)
        };
        for family in self.series.chunk_by(same) {
            let Some(first) = family.first() else {
                continue;
            };
            let help = self.config.help_of(&first.name);
            let (name, kind) = descriptor(first);
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for series in family {
                if series.labels.is_empty() {
                    // A family without labels would be written with empty braces.
                    encode_series(&mut metric, &series.value, kind)?;
                } else {
                    let mut labelled = metric.encode_family(&series.labels)?;
                    encode_series(&mut labelled, &series.value, kind)?;
                }
            }
        }
        Ok(())
    }
}

/// The name without what the encoder appends itself, and the type. A counter that does not end in
/// `_total`, as Envoy's may, has no type in OpenMetrics that leaves its name alone but `unknown`.
fn descriptor(series: &Series) -> (&str, MetricType) {
    match series.value {
        Value::Counter(_) => match series.name.strip_suffix("_total") {
            Some(stem) => (stem, MetricType::Counter),
            None => (&series.name, MetricType::Unknown),
        },
        Value::Gauge(_) => (&series.name, MetricType::Gauge),
        Value::Histogram { .. } => (&series.name, MetricType::Histogram),
    }
}

fn encode_series(encoder: &mut MetricEncoder<'_>, value: &Value, kind: MetricType) -> fmt::Result {
    match value {
        Value::Counter(count) if matches!(kind, MetricType::Counter) => {
            encoder.encode_counter::<NoLabelSet, u64, f64>(count, None)
        }
        Value::Counter(count) | Value::Gauge(count) => encoder.encode_gauge(count),
        Value::Histogram {
            sum,
            count,
            buckets,
        } => encoder.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::MetricKind;

    #[test]
    fn counters_gauges_and_histograms_as_envoy_names_them() {
        let config = StatsConfig::default()
            .tag("tenant", r"(tenant=\.=(.*?);\.;)")
            .and_then(|config| config.tag("operation", r"(operation=\.=(.*?);\.;)"))
            .and_then(|config| config.tag("version", r"(version=\.=(.*?);\.;)"));
        let config = config.unwrap().buckets("request_ms", &[2.0, 5.0]);
        let stats = Stats::new(config.help("requests_total", "Requests."));
        let requests = "requests_totaltenant=.=a;.;operation=.=zip;.;";
        stats.define(MetricKind::Counter, requests).record(2);
        stats.define(MetricKind::Counter, requests).record(1);
        stats.define(MetricKind::Counter, "plain.hits").record(4);
        stats
            .define(MetricKind::Gauge, "policy_infoversion=.=v1;.;")
            .record(1);
        stats
            .define(MetricKind::Histogram, "request_mstenant=.=a;.;")
            .record(3);
        let text = render(&stats);
        for line in [
            r#"requests_total{operation="zip",tenant="a"} 3"#,
            "plain_hits 4",
            r#"policy_info{version="v1"} 1"#,
            r#"request_ms_bucket{le="2.0",tenant="a"} 0"#,
            r#"request_ms_bucket{le="5.0",tenant="a"} 1"#,
            r#"request_ms_bucket{le="+Inf",tenant="a"} 1"#,
            r#"request_ms_count{tenant="a"} 1"#,
            "# HELP requests Requests.",
            "# HELP plain_hits Defined by the filter.",
            "# TYPE requests counter",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "no line {line} in\n{text}");
        }
    }
}
