//! Envoy's `stats_config`.

use modgate_engine::telemetry::{LABELS, series};
use serde_json::{Value, json};

use super::{histograms, number};

/// The bootstrap's `stats_config` as YAML: a `stats_tags` entry for each label, a
/// `histogram_bucket_settings` entry for each histogram.
///
/// # Errors
/// None that is known: what is written is made of plain texts and numbers.
pub fn envoy() -> Result<String, serde_norway::Error> {
    let tags: Vec<Value> = LABELS
        .iter()
        .map(|label| json!({"tag_name": label.name, "regex": series::tag_regex(label.name)}))
        .collect();
    let buckets: Vec<Value> = histograms()
        .map(|(prefix, bounds)| {
            let bounds: Vec<Value> = bounds.iter().copied().map(number).collect();
            json!({"match": {"prefix": prefix}, "buckets": bounds})
        })
        .collect();
    let config = json!({
        "stats_config": {"stats_tags": tags, "histogram_bucket_settings": buckets}
    });
    let yaml = serde_norway::to_string(&config)?;
    Ok(format!(
        "# For Envoy's bootstrap: cuts the labels out of the metrics' names, and gives the histograms\n\
         # their buckets. Made by `modgate metrics --format envoy`.\n{yaml}"
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_label_and_every_histogram_is_there() {
        let yaml = super::envoy().unwrap();
        let parsed: serde_json::Value = serde_norway::from_str(&yaml).unwrap();
        let config = &parsed["stats_config"];
        assert_eq!(config["stats_tags"][0]["tag_name"], "tenant");
        assert_eq!(config["stats_tags"][0]["regex"], r"(tenant=\.=(.*?);\.;)");
        let buckets = &config["histogram_bucket_settings"][0];
        assert_eq!(
            buckets["match"]["prefix"],
            "wasmcustom.modgate_request_duration_milliseconds"
        );
        assert_eq!(buckets["buckets"][0], 1);
    }
}
