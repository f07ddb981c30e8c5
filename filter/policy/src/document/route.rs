//! Routes, and those that are tried beside them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ByDoc, StageDoc, Text};

/// One of `routes`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::one_target))]
#[serde(deny_unknown_fields)]
pub struct RouteDoc {
    /// The route's name.
    pub id: Text,
    /// The beginning of the path.
    pub path_prefix: Option<Text>,
    /// The replacement for the prefix in the upstream path; by default the prefix is kept.
    pub rewrite: Option<Text>,
    /// The requested hosts; the default is all.
    pub hosts: Option<Vec<Text>>,
    /// The modules that use this route; the default is all.
    pub modules: Option<Vec<Text>>,
    /// The backend's name.
    pub backend: Option<Text>,
    /// The weights of several backends by name, in percent; they add up to 100.
    pub backends: Option<BTreeMap<String, f64>>,
    /// What is sent to the same backend every time; the default is `module`.
    pub by: Option<ByDoc>,
    /// What happens to a request if the drawn backend fails; the default is `fail`.
    pub on_failure: Option<OnFailureDoc>,
}

/// A route's `on_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnFailureDoc {
    /// The client gets the failure.
    Fail,
    /// The proxy tries the route's next backend.
    Next,
}

/// `routes_rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoutesRolloutDoc {
    /// The candidate routes that would replace `routes`.
    pub candidate: Vec<RouteDoc>,
    /// The stage.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What a canary is drawn by.
    pub by: Option<ByDoc>,
}
