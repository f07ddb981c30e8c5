//! What is tried before it holds.

use serde::Deserialize;

use super::Text;

/// A tenant's `rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RolloutDoc {
    /// The rule sets that are tried, in order, in the place of the tenant's own.
    pub candidate: Vec<Text>,
    /// How far they have come.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What stays on one side of a canary.
    pub by: Option<ByDoc>,
}

/// A split's `rollout`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitRolloutDoc {
    /// How far the split has come.
    pub stage: StageDoc,
    /// The share of a canary, from 0 to 100 with at most two decimals.
    pub percent: Option<f64>,
    /// What stays on one side of a canary.
    pub by: Option<ByDoc>,
}

/// A rollout's `stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StageDoc {
    /// The candidate is not asked.
    Off,
    /// The candidate is asked and counted, and decides nothing.
    Shadow,
    /// The candidate decides on a share.
    Canary,
    /// The candidate decides.
    Enforce,
}

/// A canary's `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ByDoc {
    /// Who asks, as exactly as it is known.
    Client,
    /// The tenant as a whole.
    Tenant,
    /// The module that is asked for.
    Module,
}
