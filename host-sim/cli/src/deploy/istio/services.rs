//! The backends that Istio does not know of by itself.

use std::collections::BTreeMap;

use modgate_policy::document::{PolicyError, member_path};
use serde_json::{Value, json};

use super::{Destinations, Istio};
use crate::deploy::plan::Plan;

/// At the head of their file.
pub(super) const ABOUT: &str = "The backends outside of Kubernetes.";

/// How many requests may be under way a second time: with Envoy's three, a backend that is started anew fails all the
/// others.
const RETRIES: u32 = 1024;

impl Istio {
    /// A ServiceEntry for each host, and a DestinationRule.
    pub(super) fn services(&self, destinations: &Destinations<'_>) -> Vec<Value> {
        let mut hosts = BTreeMap::new();
        for (destination, external) in destinations.values() {
            if let Some(external) = external {
                hosts
                    .entry(&destination.host)
                    .or_insert_with(Vec::new)
                    .push((destination.port, external));
            }
        }
        let mut objects = Vec::new();
        for (host, mut ports) in hosts {
            ports.sort();
            ports.dedup();
            let mut entry = self
                .names
                .object("networking.istio.io/v1", "ServiceEntry", host);
            let numbered = |(number, external): &(u16, &super::External)| {
                let mut port =
                    json!({"name": format!("http-{number}"), "number": number, "protocol": "HTTP"});
                if external.port != *number {
                    port["targetPort"] = json!(external.port);
                }
                port
            };
            entry["spec"] = json!({
                "hosts": [host],
                // Only what is in the namespace of the filter sees it.
                "exportTo": ["."],
                "location": "MESH_EXTERNAL",
                "resolution": "DNS",
                "ports": ports.iter().map(numbered).collect::<Vec<_>>(),
            });
            if let Some(ip) = ports.iter().find_map(|(_, external)| external.ip) {
                entry["spec"]["resolution"] = json!("STATIC");
                entry["spec"]["endpoints"] = json!([{"address": ip}]);
            }
            let mut rule = self
                .names
                .object("networking.istio.io/v1", "DestinationRule", host);
            let mut policy = json!({"connectionPool": {"http": {"maxRetries": RETRIES}}});
            policy["tls"] = match ports.iter().any(|(_, external)| external.is_tls) {
                // The authorities of the proxy's own system, which Istio otherwise leaves to a default.
                true => {
                    json!({"mode": "SIMPLE", "sni": host, "subjectAltNames": [host], "caCertificates": "system"})
                }
                false => json!({"mode": "DISABLE"}),
            };
            rule["spec"] = json!({"host": host, "exportTo": ["."], "trafficPolicy": policy});
            objects.extend([entry, rule]);
        }
        objects
    }
}

/// Two clusters at one host and port of the mesh that are two places.
pub(super) fn contradictions(plan: &Plan, destinations: &Destinations<'_>) -> Vec<PolicyError> {
    let mut seen: BTreeMap<_, _> = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, backend) in &plan.document().backends {
        let Some((destination, Some(external))) = destinations.get(&*backend.cluster) else {
            continue;
        };
        let before = seen.entry(&destination.host).or_insert(external);
        let is_same = before.is_tls == external.is_tls
            && before.ip == external.ip
            && (!external.is_tls || before.port == external.port);
        if !is_same {
            errors.push(PolicyError {
                path: format!("{}.cluster", member_path("$.backends", name)),
                message: format!("Istio has one way to {}: another cluster reaches that host at another port with TLS, or without", destination.host),
            });
        }
    }
    errors
}
