//! What cannot hold in Envoy Gateway, at its place in the policy.

use modgate_policy::document::{PolicyError, member_path};

use super::EnvoyGateway;
use crate::deploy::address::{Host, is_dns_label};
use crate::deploy::plan::Plan;

/// How many routes the filter can be on: the object names each, and the first is the one to which requests come.
const MOST_CLUSTERS: usize = 15;

impl EnvoyGateway {
    /// Everything of the policy that Envoy Gateway cannot do.
    pub(super) fn refused(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = plan.undefined(|_| false);
        refused.extend(plan.headers("Envoy Gateway"));
        refused.extend(plan.failovers("Envoy Gateway"));
        if plan.clusters().len() > MOST_CLUSTERS {
            refused.push(PolicyError {
                path: "$.backends".to_owned(),
                message: format!("Envoy Gateway puts a filter on 16 routes at most, so there may be {MOST_CLUSTERS} clusters"),
            });
        }
        for (name, backend) in &plan.document().backends {
            let cluster: &str = &backend.cluster;
            let Some(address) = plan.address(cluster) else {
                continue;
            };
            let message = match &address.host {
                _ if !is_dns_label(cluster) || !is_dns_label(&self.route(cluster)) => format!(
                    "its route would be named {:?}, which is not of at most 63 of `a-z 0-9 -`; rename the cluster",
                    self.route(cluster)
                ),
                _ if address.is_local() => {
                    "Envoy Gateway takes no address of its own pod".to_owned()
                }
                Host::Name(name) if !name.contains('.') => {
                    format!(
                        "{name:?} is a name within one namespace; write the service as {name}.NAMESPACE.svc"
                    )
                }
                Host::Ip(_) if address.is_tls => {
                    "a certificate is verified by a host name, and this is an address".to_owned()
                }
                _ => continue,
            };
            refused.push(PolicyError {
                path: format!("{}.cluster", member_path("$.backends", name)),
                message,
            });
        }
        refused.extend(self.identity(plan));
        refused
    }

    fn identity(&self, plan: &Plan) -> Vec<PolicyError> {
        let mut refused = Vec::new();
        for (path, source) in plan.identities() {
            if source.basic_user.is_some() {
                refused.push(PolicyError {
                    path: format!("{path}.basic_user"),
                    message: "nothing that is written verifies passwords, so a client could send that header itself".to_owned(),
                });
            }
            // Of a Gateway that somebody else defines nothing is known.
            if self.gateway.is_some() {
                continue;
            }
            if let Some(member) = Plan::certificate(source) {
                refused.push(PolicyError {
                    path: format!("{path}.{member}"),
                    message: "the Gateway that is written asks no client for a certificate; write one that does, and give --gateway".to_owned(),
                });
            }
            if source.sni.is_some() && self.tls_secret.is_none() {
                refused.push(PolicyError {
                    path: format!("{path}.sni"),
                    message: "there is no server name without TLS; give --tls-secret".to_owned(),
                });
            }
        }
        refused
    }
}
