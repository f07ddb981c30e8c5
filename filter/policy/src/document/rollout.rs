//! What is tried before it holds.

use serde::Deserialize;

use super::Text;

/// A tenant's `rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RolloutDoc {
    /// The candidate rule sets, in order, that would replace the tenant's own.
    pub candidate: Vec<Text>,
    /// The stage.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What a canary is drawn by.
    pub by: Option<ByDoc>,
}

/// A split's `rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitRolloutDoc {
    /// The stage of the split.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What a canary is drawn by.
    pub by: Option<ByDoc>,
}

/// A rollout's `stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StageDoc {
    /// The candidate is not evaluated.
    Off,
    /// The candidate is evaluated and counted, without effect.
    Shadow,
    /// The candidate decides a share of the requests.
    Canary,
    /// The candidate decides.
    Enforce,
}

/// A canary's `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ByDoc {
    /// The client, by its most exact identity.
    Client,
    /// The tenant as a whole.
    Tenant,
    /// The requested module.
    Module,
}
