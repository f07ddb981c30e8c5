//! The filter in the sidecar of the Go proxy's pods.

use modgate_go::http::headers::CLUSTER_HEADER;
use serde_json::{Value, json};

use super::Istio;

/// At the head of its file.
pub(super) const ABOUT: &str = "The Go proxy answers only what has passed the filter: everything else is refused with 403. It holds the route keys: keep\nit as private as the cluster's own objects.";

impl Istio {
    /// Denies every request that does not carry one of these values in the header that the filter sets. A sidecar's
    /// inbound listener has a route to the pod whatever the header says, so it takes this to shut it.
    pub(super) fn access(&self, ports: &[u16], values: &[String]) -> Value {
        let mut ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        ports.sort();
        ports.dedup();
        let mut values = values.to_vec();
        values.sort();
        values.dedup();
        let mut policy = self.names.object(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            &self.names.name,
        );
        policy["spec"] = json!({
            "selector": {"matchLabels": self.selector},
            "action": "DENY",
            "rules": [{
                "to": [{"operation": {"ports": ports}}],
                "when": [{"key": format!("request.headers[{CLUSTER_HEADER}]"), "notValues": values}],
            }],
        });
        policy
    }
}

/// The listeners of these ports, by the prefix of their metrics.
pub(super) fn listeners<'p>(ports: impl Iterator<Item = &'p u16>) -> String {
    let mut ports: Vec<String> = ports.map(ToString::to_string).collect();
    ports.sort();
    ports.dedup();
    format!("inbound_.*_({})", ports.join("|"))
}
