//! What cannot hold in Istio, at its place in the policy.

use modgate_policy::document::{PolicyError, member_path};

use super::{Istio, Place, names};
use crate::deploy::plan::Plan;

/// How Istio names the payload of a token (`payload_in_metadata`).
const PAYLOAD: &str = "payload";

impl Istio {
    /// Everything of the policy that Istio cannot do, in the order of the document.
    pub(super) fn refused(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = plan.undefined(|cluster| names::Destination::parse(cluster).is_some());
        refused.extend(plan.headers("Istio"));
        refused.extend(plan.failovers("Istio"));
        refused.extend(self.identity(plan));
        refused.extend(match self.place {
            Place::Sidecar => beyond_the_pod(plan),
            Place::Gateway => within_a_pod(plan),
        });
        refused
    }

    fn identity(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = Vec::new();
        let mut refuse = |path: String, message: &str| {
            refused.push(PolicyError {
                path,
                message: message.to_owned(),
            });
        };
        for (path, source) in plan.identified_by(|_| true) {
            if source.basic_user.is_some() {
                refuse(
                    format!("{path}.basic_user"),
                    "Istio has no basic_auth, so nothing verifies the password",
                );
            }
            let is_ours = |payload: &str| payload == PAYLOAD;
            if source
                .payload
                .as_deref()
                .is_some_and(|payload| !is_ours(payload))
            {
                refuse(
                    format!("{path}.payload"),
                    "Istio names the payload of a token \"payload\"",
                );
            }
            if self.place == Place::Sidecar {
                continue;
            }
            if let Some(member) =
                Plan::certificate(source).filter(|_| !self.listens.asks_for_certificates())
            {
                refuse(
                    format!("{path}.{member}"),
                    "the gateway asks no client for a certificate; give --tls-secret and --mutual-tls",
                );
            }
            if source.sni.is_some() && !self.listens.is_tls() {
                refuse(
                    format!("{path}.sni"),
                    "there is no server name without TLS; give --tls-secret",
                );
            }
        }
        refused
    }
}

/// A sidecar's inbound listener leads to its own pod, whatever a header says.
fn beyond_the_pod(plan: &Plan) -> Vec<PolicyError> {
    let routed = plan.routed();
    let mut ports = std::collections::BTreeSet::new();
    let mut refused = Vec::new();
    for (name, backend) in &plan.document().backends {
        let Some(address) = plan.address(&backend.cluster) else {
            continue;
        };
        let is_routed = routed.contains(&*backend.cluster);
        let message = match (is_routed, address.is_local()) {
            (true, true) if address.is_tls => {
                "in the sidecar of the Go proxy's pods the Go proxy is reached without TLS: http://127.0.0.1:PORT"
            }
            (true, true)
                if {
                    ports.insert(address.port);
                    ports.len() > 1
                } =>
            {
                "in the sidecar of the Go proxy's pods there is one Go proxy, at one port; use --at gateway for several"
            }
            (true, false) => {
                "the sidecar of the Go proxy's pods leads to the Go proxy in the same pod, at http://127.0.0.1:PORT; use --at gateway for others"
            }
            _ => continue,
        };
        refused.push(PolicyError {
            path: format!("{}.cluster", member_path("$.backends", name)),
            message: message.to_owned(),
        });
    }
    refused
}

/// A gateway's own pod has no Go proxy.
fn within_a_pod(plan: &Plan) -> Vec<PolicyError> {
    let backends = plan.document().backends.iter();
    let is_local = |cluster: &str| {
        plan.address(cluster).is_some_and(|address| matches!(&address.host, crate::deploy::address::Host::Name(name) if name == "localhost"))
    };
    let local = backends.filter(|(_, backend)| is_local(&backend.cluster));
    local
        .map(|(name, _)| PolicyError {
            path: format!("{}.cluster", member_path("$.backends", name)),
            message: "localhost is the gateway's own pod, which has no Go proxy".to_owned(),
        })
        .collect()
}
