//! The filter itself, with its policy.

use modgate_policy::model::Policy;
use serde_json::{Value, json};

use super::{Istio, Place};
use crate::deploy::module_source::ModuleSource;
use crate::deploy::plan::Plan;

/// At the head of its file.
pub(super) const ABOUT: &str = "The filter and its policy. It holds the route key: keep it as private as the cluster's own objects.";

/// The largest object that is written, as JSON: an API server takes requests of 1.5 MiB, and keeps a list of every
/// member with it where it is applied by the server (`kubectl apply --server-side`).
const LARGEST: usize = 700_000;

/// From here on `kubectl apply` needs `--server-side`: without it the object is in an annotation once more, and all
/// annotations together have 262,144 bytes.
const LARGEST_ANNOTATION: usize = 250_000;

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
    /// Where the policy is too large for one, or no longer a policy.
    pub(super) fn extension(&self, plan: &Plan, policy: Value) -> Result<Value, String> {
        let (version, hash) = identity_of(&policy)?;
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
        if self.place == Place::Sidecar {
            let ports = self.local_ports(plan);
            let ports: std::collections::BTreeSet<u16> = ports.into_values().collect();
            let ports: Vec<Value> = ports
                .into_iter()
                .map(|number| json!({"number": number}))
                .collect();
            // What the Go proxy itself fetches passes the sidecar, too, and is not for the filter.
            spec["match"] = json!([{"mode": "SERVER", "ports": ports}]);
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
        let mut object = self.object("extensions.istio.io/v1alpha1", kind, &self.name);
        object["metadata"]["annotations"] =
            json!({"modgate/policy-version": version, "modgate/policy-hash": hash});
        object["spec"] = spec;
        fits(&object)?;
        Ok(object)
    }
}

/// The policy's version, and the hash that the proxies will show of it.
fn identity_of(policy: &Value) -> Result<(String, String), String> {
    let compiled = Policy::from_json(policy.to_string().as_bytes()).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    Ok((compiled.version().to_owned(), compiled.hash().to_owned()))
}

fn fits(object: &Value) -> Result<(), String> {
    match object.to_string().len() {
        size if size > LARGEST => Err(format!(
            "with this policy the object has {size} bytes, and an API server does not store more than {LARGEST} safely"
        )),
        _ => Ok(()),
    }
}

/// Whether an object needs `kubectl apply --server-side`.
pub(super) fn is_for_the_server(object: &Value) -> bool {
    object.to_string().len() > LARGEST_ANNOTATION
}
