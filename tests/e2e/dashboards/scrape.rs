//! The configurations for Prometheus that are shipped: promtool takes them. The `pods` module has those for a mesh,
//! which Debian's promtool does not know.

use std::process::Command;

use modgate_harness::tools::{root, tool};
use serde_json::Value;

fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(root().join("grafana").join(file)).unwrap();
    plain_yaml::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn promtool_takes_the_scrape_configurations() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["scrape/serve.yml", "prometheus.yml", "otel-collector.yaml"] {
        let mut config = read(file);
        // The collector carries a configuration of Prometheus.
        if let Some(receiver) = config.pointer("/receivers/prometheus") {
            assert_eq!(receiver["trim_metric_suffixes"], false, "{file}");
            config = receiver["config"].clone();
        }
        // Relative to the shipped file; tests/e2e/rules.rs checks them.
        config.as_object_mut().unwrap().remove("rule_files");
        let copy = dir.path().join("prometheus.json");
        std::fs::write(&copy, config.to_string()).unwrap();
        let output = Command::new(tool("promtool"))
            .args(["check", "config"])
            .arg(&copy)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: {said}");
    }
}
