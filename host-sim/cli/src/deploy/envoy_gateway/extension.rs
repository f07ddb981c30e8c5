//! The filter itself, with its policy.

use serde_json::{Value, json};

use super::{API, EnvoyGateway, Placed};
use crate::deploy::module_source::ModuleSource;

/// At the head of its file.
pub(super) const ABOUT: &str = "The filter and its policy. It holds the route key: keep it as private as the cluster's own objects.";

/// The name of the filter, and the root context that Envoy looks up in the module.
const PLUGIN: &str = "modgate";

impl EnvoyGateway {
    /// The EnvoyExtensionPolicy.
    ///
    /// # Errors
    /// Where the policy is no longer one.
    pub(super) fn extension(&self, placed: &Placed<'_>, policy: &Value) -> Result<Value, String> {
        let code = match &self.module {
            ModuleSource::Http { url, sha256 } => {
                json!({"type": "HTTP", "http": {"url": url, "sha256": sha256}})
            }
            ModuleSource::Oci(_) => {
                let reference = self.module.url().trim_start_matches("oci://");
                let digest = reference.rsplit_once("@sha256:").map(|(_, digest)| digest);
                json!({"type": "Image", "image": {"url": reference, "sha256": digest}})
            }
        };
        let mut object = self
            .names
            .object_of_policy(API, "EnvoyExtensionPolicy", policy)?;
        object["spec"] = json!({
            "targetRefs": self.targets(placed),
            "wasm": [{"name": PLUGIN, "rootID": PLUGIN, "code": code, "failOpen": false, "config": policy}],
        });
        Ok(object)
    }
}
