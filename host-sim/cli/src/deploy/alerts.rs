//! The rules for Prometheus, for the listener that has the filter.

/// At the head of their files.
pub(super) const ABOUT: &str = "For Prometheus, not for kubectl.";

const RECORDING: &str = include_str!("../../../../grafana/rules/recording.yaml");
const ALERTS: &str = include_str!("../../../../grafana/rules/alerts.yaml");

/// How the shipped rules select the listener.
const SHIPPED: &str = r#"envoy_http_conn_manager_prefix="goproxy""#;

/// The files of rules, by their names, for the listeners whose prefix of metrics, in this label, matches an expression.
pub(super) fn rules(label: &str, listeners: &str) -> [(&'static str, String); 2] {
    let selects = format!("{label}=~{listeners:?}");
    [("recording.yaml", RECORDING), ("alerts.yaml", ALERTS)]
        .map(|(name, text)| (name, text.replace(SHIPPED, &selects)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_select_the_listener() {
        let [recording, alerts] = rules("http_conn_manager_prefix", "inbound_.*_3000");
        assert!(!recording.1.contains(SHIPPED) && !alerts.1.contains(SHIPPED));
        assert!(
            alerts
                .1
                .contains(r#"{http_conn_manager_prefix=~"inbound_.*_3000"}"#)
        );
    }
}
