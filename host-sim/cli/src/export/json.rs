//! The catalogue as data, for programs that make something of it, such as the dashboards.

use modgate_engine::telemetry::{CATALOGUE, Kind, LABELS};
use serde_json::{Value, json};

use super::number;

/// All metrics and labels as one JSON object: `metrics` with `name`, `kind`, `help`, `labels` and, of
/// histograms, the upper bounds of their `buckets` without `+Inf`; `labels` with `name`, `help` and
/// `values`, which are empty where they come from the policy.
pub fn json() -> String {
    let metrics: Vec<Value> = CATALOGUE
        .iter()
        .map(|metric| {
            let mut entry = json!({
                "name": metric.name,
                "kind": metric.kind.name(),
                "help": metric.help,
                "labels": metric.labels,
            });
            if let Kind::Histogram { buckets } = metric.kind {
                entry["buckets"] = buckets.iter().copied().map(number).collect();
            }
            entry
        })
        .collect();
    let labels: Vec<Value> = LABELS
        .iter()
        .map(|label| json!({"name": label.name, "help": label.help, "values": label.values}))
        .collect();
    format!("{:#}\n", json!({"metrics": metrics, "labels": labels}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_and_every_label_is_there() {
        let parsed: Value = serde_json::from_str(&super::json()).unwrap();
        let names = |key: &str| -> Vec<String> {
            let entries = parsed[key].as_array().unwrap().iter();
            let names = entries.map(|entry| entry["name"].as_str().unwrap().to_owned());
            names.collect()
        };
        let metrics: Vec<&str> = CATALOGUE.iter().map(|metric| metric.name).collect();
        let labels: Vec<&str> = LABELS.iter().map(|label| label.name).collect();
        assert_eq!(names("metrics"), metrics);
        assert_eq!(names("labels"), labels);
        let requests = &parsed["metrics"][0];
        assert_eq!(requests["kind"], "counter");
        assert_eq!(requests["labels"][3], "outcome");
        assert!(requests.get("buckets").is_none());
        assert_eq!(parsed["metrics"][2]["buckets"][0], 1);
        assert_eq!(parsed["labels"][3]["values"][0], "ok");
    }
}
