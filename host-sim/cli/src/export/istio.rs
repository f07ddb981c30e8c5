//! Istio's annotations.

use modgate_engine::telemetry::LABELS;
use serde_json::{Map, Value, json};

use super::{histograms, number};

/// The annotations for a workload's pod template, as YAML: `proxy.istio.io/config` with the tags'
/// names, of which Istio makes the patterns, and `sidecar.istio.io/statsHistogramBuckets`. Both are
/// read when a pod starts.
///
/// # Errors
/// None that is known: what is written is made of plain texts and numbers.
pub fn istio() -> Result<String, serde_norway::Error> {
    let names: Vec<&str> = LABELS.iter().map(|label| label.name).collect();
    let tags = serde_norway::to_string(&json!({ "extraStatTags": names }))?;
    let buckets: Map<String, Value> = histograms()
        .map(|(prefix, bounds)| (prefix, bounds.iter().copied().map(number).collect()))
        .collect();
    let annotations = json!({
        "spec": {"template": {"metadata": {"annotations": {
            "proxy.istio.io/config": tags,
            "sidecar.istio.io/statsHistogramBuckets": Value::Object(buckets).to_string(),
        }}}}
    });
    let yaml = serde_norway::to_string(&annotations)?;
    Ok(format!(
        "# For the workload in front of which Modgate stands: patch its pod template with it. An\n\
         # annotation of the pod replaces the mesh's list, so add what that has. Made by\n\
         # `modgate metrics --format istio`.\n{yaml}"
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_annotations_are_texts_that_parse() {
        let yaml = super::istio().unwrap();
        let parsed: serde_json::Value = serde_norway::from_str(&yaml).unwrap();
        let annotations = &parsed["spec"]["template"]["metadata"]["annotations"];
        let config = annotations["proxy.istio.io/config"].as_str().unwrap();
        let config: serde_json::Value = serde_norway::from_str(config).unwrap();
        assert_eq!(config["extraStatTags"][0], "tenant");
        let buckets = annotations["sidecar.istio.io/statsHistogramBuckets"]
            .as_str()
            .unwrap();
        let buckets: serde_json::Value = serde_json::from_str(buckets).unwrap();
        let duration = &buckets["wasmcustom.modgate_request_duration_milliseconds"];
        assert_eq!(duration[0], 1);
    }
}
