//! The Gateway, and how its proxies are to be.

use serde_json::{Value, json};

use super::{API, EnvoyGateway, GATEWAY_API, GROUP};
use crate::export;

/// At the head of the file of settings for a Gateway that somebody else defines.
pub(super) const ABOUT_ASIDE: &str = "For the Gateway that is there already, in its namespace: its `infrastructure.parametersRef` names the EnvoyProxy.\nWhere it has these objects already, take their members over.";

impl EnvoyGateway {
    /// A Gateway with its settings.
    pub(super) fn own_gateway(&self) -> Result<Vec<Value>, String> {
        let mut gateway = self.names.object(GATEWAY_API, "Gateway", &self.names.name);
        let mut listener = json!({
            "name": "go",
            "port": self.port,
            "protocol": if self.tls_secret.is_some() { "HTTPS" } else { "HTTP" },
            "allowedRoutes": {"namespaces": {"from": "Same"}},
        });
        if let Some(secret) = &self.tls_secret {
            listener["tls"] = json!({"mode": "Terminate", "certificateRefs": [{"name": secret}]});
        }
        gateway["spec"] = json!({
            "gatewayClassName": self.class,
            "infrastructure": {"parametersRef": {"group": GROUP, "kind": "EnvoyProxy", "name": self.names.name}},
            "listeners": [listener],
        });
        let mut objects = vec![gateway];
        objects.extend(self.settings(&self.names.name)?);
        Ok(objects)
    }

    /// What the proxies of a Gateway need: labels for the filter's metrics, and paths that come as they were sent.
    pub(super) fn settings(&self, gateway: &str) -> Result<Vec<Value>, String> {
        let (namespace, gateway) = gateway
            .rsplit_once('/')
            .map_or((None, gateway), |(namespace, name)| (Some(namespace), name));
        let mut proxy = self.names.object(API, "EnvoyProxy", &self.names.name);
        let stats = export::envoy().map_err(|error| error.to_string())?;
        proxy["spec"] = json!({"bootstrap": {"type": "Merge", "value": stats}});
        let mut clients = self
            .names
            .object(API, "ClientTrafficPolicy", &self.names.name);
        clients["spec"] = json!({
            "targetRefs": [self.target("Gateway", gateway)],
            "path": {"escapedSlashesAction": "KeepUnchanged", "disableMergeSlashes": true},
        });
        if let Some(namespace) = namespace {
            for object in [&mut proxy, &mut clients] {
                object["metadata"]["namespace"] = json!(namespace);
            }
        }
        Ok(vec![proxy, clients])
    }
}
