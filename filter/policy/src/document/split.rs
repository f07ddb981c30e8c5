//! Versions of a module that are tried on a part of those who ask.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ByDoc, SplitRolloutDoc, Text};

/// One of `splits`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitDoc {
    /// The module path.
    pub module: Text,
    /// The versions by the names of the variants.
    pub variants: BTreeMap<String, Text>,
    /// The variant for unidentified clients, and the fallback if the backend lacks another variant's version.
    pub control: Text,
    /// Who gets which variant; the first match decides, and the last one applies to everybody.
    pub assign: Vec<AssignDoc>,
    /// Whether the files of other versions are refused.
    pub strict: Option<bool>,
    /// Whether the client is told its variant, in the header `x-modgate-variant`.
    pub tell: Option<bool>,
    /// Its rollout; without one the split takes effect fully.
    pub rollout: Option<SplitRolloutDoc>,
}

/// One of a split's `assign`. Exactly one of `variant` and `weights`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::one_assignment))]
#[serde(deny_unknown_fields)]
pub struct AssignDoc {
    /// The tenants that it applies to; the default is all.
    pub tenants: Option<Vec<Text>>,
    /// The tiers of tenants that it applies to; the default is all.
    pub tiers: Option<Vec<Text>>,
    /// A request header that must be present exactly once.
    pub header: Option<Text>,
    /// The required value of the header; the default is any.
    pub value: Option<Text>,
    /// The variant.
    pub variant: Option<Text>,
    /// The weights of variants, in percent; they add up to 100.
    pub weights: Option<BTreeMap<String, f64>>,
    /// What is assigned to the same variant every time; the default is `client`.
    pub by: Option<ByDoc>,
}
