//! What all objects of Kubernetes have.

use modgate_policy::model::Policy;
use serde_json::{Value, json};

/// The largest object that is written, as JSON: an API server takes requests of 1.5 MiB, and keeps a list of every
/// member with it where it is applied by the server (`kubectl apply --server-side`).
const LARGEST: usize = 700_000;

/// From here on `kubectl apply` needs `--server-side`: without it the object is in an annotation once more, and all
/// annotations together have 262,144 bytes.
const LARGEST_ANNOTATION: usize = 250_000;

/// The name of a deployment, and the namespace that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) name: String,
    pub(super) namespace: String,
}

impl Names {
    /// What every object begins with.
    pub(super) fn object(&self, api: &str, kind: &str, name: &str) -> Value {
        json!({
            "apiVersion": api,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/managed-by": "modgate", "app.kubernetes.io/part-of": self.name},
            },
        })
    }

    /// What the object with the policy begins with: it shows the policy's version, and the hash that the proxies will
    /// show.
    ///
    /// # Errors
    /// Where it is no policy.
    pub(super) fn object_of_policy(
        &self,
        api: &str,
        kind: &str,
        policy: &Value,
    ) -> Result<Value, String> {
        let compiled = Policy::from_json(policy.to_string().as_bytes()).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        let mut object = self.object(api, kind, &self.name);
        object["metadata"]["annotations"] = json!({"modgate/policy-version": compiled.version(), "modgate/policy-hash": compiled.hash()});
        Ok(object)
    }
}

/// Whether an object with a policy can be applied; what is to be said of it where that takes an option.
///
/// # Errors
/// Where it is too large.
pub(super) fn fits(file: &str, object: &Value) -> Result<Option<String>, String> {
    match object.to_string().len() {
        size if size > LARGEST => Err(format!(
            "with this policy the object has {size} bytes, and an API server does not store more than {LARGEST} safely"
        )),
        size if size > LARGEST_ANNOTATION => Ok(Some(format!(
            "{file} is larger than `kubectl apply` takes by itself; add --server-side"
        ))),
        _ => Ok(None),
    }
}
