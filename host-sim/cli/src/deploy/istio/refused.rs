//! What cannot hold in Istio, at its place in the policy.

use modgate_policy::document::{PolicyError, member_path};

use super::names::Destination;
use super::{Istio, Place};
use crate::deploy::plan::Plan;

/// How Istio names the payload of a token (`payload_in_metadata`).
const PAYLOAD: &str = "payload";

impl Istio {
    /// Everything of the policy that Istio cannot do, in the order of the document.
    pub(super) fn refused(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = plan.undefined(|cluster| Destination::parse(cluster).is_some());
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
        for (path, source) in plan.identities() {
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
    let mut port = None;
    let mut refused = Vec::new();
    for (name, backend) in &plan.document().backends {
        let cluster: &str = &backend.cluster;
        let address = plan.address(cluster);
        let is_defined = address.is_some() || Destination::parse(cluster).is_some();
        let message = match address.filter(|address| address.is_local()) {
            Some(address) if address.is_tls => {
                "in the sidecar of the Go proxy's pods the Go proxy is reached without TLS: http://127.0.0.1:PORT"
            }
            Some(address) if address.port != *port.get_or_insert(address.port) => {
                "in the sidecar of the Go proxy's pods there is one Go proxy, at one port; use --at gateway for several"
            }
            None if is_defined && routed.contains(cluster) => {
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
        let host = plan
            .address(cluster)
            .map(|address| address.host.to_string());
        host.as_deref() == Some("localhost")
    };
    let local = backends.filter(|(_, backend)| is_local(&backend.cluster));
    local
        .map(|(name, _)| PolicyError {
            path: format!("{}.cluster", member_path("$.backends", name)),
            message: "localhost is the gateway's own pod, which has no Go proxy".to_owned(),
        })
        .collect()
}
