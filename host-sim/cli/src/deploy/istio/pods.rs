//! What the pods that have the filter need beside it.

/// At the head of its file.
pub(super) const ABOUT: &str = "Not an object: a patch for the template of the pods that have the filter, which Istio reads when a pod starts:\n  kubectl patch deployment NAME --patch-file pod-template.yaml";
