//! Traffic that passes without the filter, in a real Prometheus.

use modgate_harness::ports::free_port;
use modgate_harness::stack::Prometheus;
use modgate_harness::tools::root;
use modgate_mesh::{Deploy, Mesh, Pod};
use serde_json::{Value, json};

use crate::support::{LIST, Parts, local, policy, status};

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

#[test]
fn a_deleted_filter_raises_the_alert() {
    let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
    let deploy = Deploy::new(&policy(1), parts.at_gateway(port));
    mesh.apply_folder(&deploy.folder());
    let pod = Pod::gateway("gateway", ("istio", "gateway"))
        .patched(&deploy.file("extra/pod-template.yaml"));
    let mut proxy = mesh.run(&pod);
    proxy.wait_until("serving", || {
        (status(local(port), LIST)? == 200).then_some(())
    });

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
            assert!(status(local(port), LIST).is_some());
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

    mesh.delete(&deploy.file("3-filter.yaml"));
    proxy.wait_until("alerted", || {
        traffic();
        prometheus.query(ALERT)
    });
}
