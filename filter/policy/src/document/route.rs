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
    /// What the path begins with.
    pub path_prefix: Option<Text>,
    /// What goes upstream in the prefix's place; without it the prefix stays.
    pub rewrite: Option<Text>,
    /// The hosts that are asked for; without it all.
    pub hosts: Option<Vec<Text>>,
    /// The modules that take this route; without it all.
    pub modules: Option<Vec<Text>>,
    /// The backend's name.
    pub backend: Option<Text>,
    /// The shares of several backends by name, in percent, 100 together.
    pub backends: Option<BTreeMap<String, f64>>,
    /// What stays with one of them; `module` without it.
    pub by: Option<ByDoc>,
    /// What comes of a request when the one that was drawn fails; `fail` without it.
    pub on_failure: Option<OnFailureDoc>,
}

/// A route's `on_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnFailureDoc {
    /// The client gets the failure.
    Fail,
    /// The proxy asks the next of the route's backends.
    Next,
}

/// `routes_rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoutesRolloutDoc {
    /// The routes that are tried in the place of `routes`.
    pub candidate: Vec<RouteDoc>,
    /// How far they have come.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What stays on one side of a canary.
    pub by: Option<ByDoc>,
}
