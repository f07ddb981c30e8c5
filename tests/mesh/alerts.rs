//! Traffic that passes without the filter, in a real Prometheus.

use modgate_harness::stack::Prometheus;
use modgate_harness::tools::root;
use serde_json::{Value, json};

use crate::support::{Gateway, LIST, status};

const ALERT: &str = "ALERTS{alertname=\"ModgateEnforcementGap\",alertstate=\"firing\"}";

/// The shipped rules with seconds in the place of minutes: nobody waits for ten of these.
fn hurried(rules: &str) -> String {
    rules
        .replace("offset 5m", "offset 5s")
        .replace("for: 5m", "for: 2s")
}

/// What the shipped configuration for a mesh does with the figures.
fn relabelled() -> Value {
    let text = std::fs::read_to_string(root().join("grafana/scrape/istio-sidecar.yml")).unwrap();
    let config: Value = plain_yaml::from_str(&text).unwrap();
    config["scrape_configs"][0]["metric_relabel_configs"].clone()
}

/// What the dashboard "Sidecar health" asks of Envoy's metrics that have the filter's name in theirs.
fn of_the_filters_name() -> Vec<String> {
    let text =
        std::fs::read_to_string(root().join("grafana/dashboards/modgate-health.json")).unwrap();
    let board: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    let mut left = vec![&board];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(list) => left.extend(list),
            Value::Object(members) => {
                let expression = members.get("expr").and_then(Value::as_str);
                let asks = |expression: &&str| expression.contains("__name__=~\"envoy_");
                found.extend(
                    expression
                        .filter(asks)
                        .map(|text| text.replace("$__rate_interval", "5s")),
                );
                left.extend(members.values());
            }
            _ => {}
        }
    }
    assert_eq!(found.len(), 6, "{found:#?}");
    found
}

#[test]
fn a_deleted_filter_raises_the_alert() {
    let Gateway {
        address,
        deploy,
        mut proxy,
        mesh,
        parts: _parts,
    } = Gateway::serving("*");
    let port = address.port();
    let rules = deploy.file("hurried.yml");
    std::fs::write(&rules, hurried(&deploy.text("extra/alerts.yaml"))).unwrap();
    let config: Value = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "scrape_configs": [{
            "job_name": "gateway", "metrics_path": "/stats/prometheus",
            "static_configs": [{"targets": [proxy.admin().to_string()]}],
            "metric_relabel_configs": relabelled(),
        }],
    });
    let prometheus = Prometheus::start_with("prometheus", &config, &[]);
    let traffic = || {
        for _ in 0..20 {
            assert!(status(address, LIST).is_some());
        }
    };
    for _ in 0..12 {
        traffic();
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(
            prometheus.query(ALERT),
            None,
            "it fires while the filter counts everything"
        );
    }
    let answered = prometheus.query("modgate:answered:total");
    let shown = proxy.prometheus();
    let shown: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("downstream_rq_completed"))
        .collect();
    assert!(
        answered.is_some_and(|total| total >= 100.0),
        "{answered:?} of {shown:#?}"
    );

    // By the label that the dashboards read.
    let shown = format!(
        "sum(envoy_http_downstream_rq_completed{{envoy_http_conn_manager_prefix=\"outbound_0.0.0.0_{port}\"}})"
    );
    assert!(
        prometheus.query(&shown).is_some_and(|total| total >= 100.0),
        "{shown}"
    );

    // Istio gives the filter a longer name, which is in the names of Envoy's metrics of it.
    for expression in of_the_filters_name() {
        assert!(
            prometheus.query(&expression).is_some(),
            "nothing for {expression}"
        );
    }

    mesh.delete(&deploy.file("3-filter.yaml"));
    proxy.wait_until("alerted", || {
        traffic();
        prometheus.query(ALERT)
    });
}
