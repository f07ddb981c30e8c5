//! The backends that are no services of the cluster.

use serde_json::{Value, json};

use super::{API, EnvoyGateway, GATEWAY_API, GROUP, Placed};
use crate::deploy::address::{Address, Host};

/// At the head of their file.
pub(super) const ABOUT: &str =
    "The backends outside of Kubernetes, and leave to use services of other namespaces.";

/// The ends of the names of Kubernetes' own services.
const SERVICES: [&str; 2] = [".svc.cluster.local", ".svc"];

/// A service of the cluster, by its name and namespace.
pub(super) fn service(address: &Address) -> Option<(&str, &str)> {
    let Host::Name(name) = &address.host else {
        return None;
    };
    let bare = SERVICES.iter().find_map(|end| name.strip_suffix(end))?;
    let (service, namespace) = bare.split_once('.')?;
    // What a service speaks TLS with is verified by its name, which a reference to it does not have.
    (!namespace.contains('.') && !address.is_tls).then_some((service, namespace))
}

impl EnvoyGateway {
    /// A Backend for each place outside, and a ReferenceGrant for each other namespace.
    pub(super) fn backends(&self, placed: &Placed<'_>) -> Vec<Value> {
        let mut objects = Vec::new();
        for (cluster, address) in placed {
            let name = self.route(cluster);
            let Some((service, namespace)) = service(address) else {
                objects.push(self.backend(&name, address));
                continue;
            };
            if namespace != self.names.namespace {
                let mut grant =
                    self.names
                        .object("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", &name);
                grant["metadata"]["namespace"] = json!(namespace);
                grant["spec"] = json!({
                    "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": self.names.namespace}],
                    "to": [{"group": "", "kind": "Service", "name": service}],
                });
                objects.push(grant);
            }
        }
        objects
    }

    fn backend(&self, name: &str, address: &Address) -> Value {
        let endpoint = match &address.host {
            Host::Name(name) => json!({"fqdn": {"hostname": name, "port": address.port}}),
            Host::Ip(ip) => json!({"ip": {"address": ip, "port": address.port}}),
        };
        let mut backend = self.names.object(API, "Backend", name);
        backend["spec"] = json!({"endpoints": [endpoint]});
        if address.is_tls {
            backend["spec"]["tls"] =
                json!({"wellKnownCACertificates": "System", "sni": address.host.to_string()});
        }
        backend
    }

    /// What a route leads to.
    pub(super) fn reference(&self, cluster: &str, address: &Address) -> Value {
        match service(address) {
            Some((service, namespace)) => {
                json!({"name": service, "namespace": namespace, "port": address.port})
            }
            None => json!({"group": GROUP, "kind": "Backend", "name": self.route(cluster)}),
        }
    }

    /// What a policy of Envoy Gateway's is for.
    pub(super) fn target(&self, kind: &str, name: &str) -> Value {
        let group = GATEWAY_API.split('/').next();
        json!({"group": group, "kind": kind, "name": name})
    }
}
