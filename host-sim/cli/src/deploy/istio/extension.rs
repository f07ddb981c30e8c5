//! The filter itself, with its policy.

use serde_json::{Value, json};

use super::Istio;
use crate::deploy::module_source::ModuleSource;
use crate::deploy::plan::Plan;

/// At the head of its file.
pub(super) const ABOUT: &str = "The filter and its policy. It holds the route key: keep it as private as the cluster's own objects.";

/// The root context that Envoy looks up in the module.
const PLUGIN_NAME: &str = "modgate";

/// Which of Istio's two objects carries the filter. Never both, or it is in the chain twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deploy) enum Kind {
    /// From Istio 1.30 on.
    TrafficExtension,
    /// Before.
    WasmPlugin,
}

impl Istio {
    /// The object with the filter.
    ///
    /// # Errors
    /// Where the policy is no longer one.
    pub(super) fn extension(&self, plan: &Plan, policy: &Value) -> Result<Value, String> {
        let mut wasm = json!({
            "url": self.module.url(),
            "pluginName": PLUGIN_NAME,
            "failStrategy": "FAIL_CLOSE",
            "type": "HTTP",
            "pluginConfig": policy,
        });
        if let ModuleSource::Http { sha256, .. } = &self.module {
            wasm["sha256"] = json!(sha256);
        }
        let mut spec = json!({
            "selector": {"matchLabels": self.selector},
            // Behind the filter that verifies tokens where the policy reads them; else before everything.
            "phase": if plan.uses_tokens() { "AUTHZ" } else { "AUTHN" },
        });
        if let Some(port) = self.local_port(plan) {
            // What the Go proxy itself fetches passes the sidecar, too, and is not for the filter.
            spec["match"] = json!([{"mode": "SERVER", "ports": [{"number": port}]}]);
        }
        let kind = match self.kind {
            Kind::TrafficExtension => {
                spec["wasm"] = wasm;
                "TrafficExtension"
            }
            Kind::WasmPlugin => {
                if let (Some(spec), Value::Object(wasm)) = (spec.as_object_mut(), wasm) {
                    spec.extend(wasm);
                }
                "WasmPlugin"
            }
        };
        let mut object =
            self.names
                .object_of_policy("extensions.istio.io/v1alpha1", kind, policy)?;
        object["spec"] = spec;
        Ok(object)
    }
}
