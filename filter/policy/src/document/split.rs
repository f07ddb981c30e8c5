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
    /// The variant of whom nothing is known, and of all where the backend lacks another one's version.
    pub control: Text,
    /// Who gets which variant; the first that holds decides, and the last holds for everybody.
    pub assign: Vec<AssignDoc>,
    /// Whether the files of other versions are refused.
    pub strict: Option<bool>,
    /// Whether the client is told its variant, in the header `x-modgate-variant`.
    pub tell: Option<bool>,
    /// How far it has come; it holds without that.
    pub rollout: Option<SplitRolloutDoc>,
}

/// One of a split's `assign`. Exactly one of `variant` and `weights`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::one_assignment))]
#[serde(deny_unknown_fields)]
pub struct AssignDoc {
    /// The tenants for whom it holds; without it all.
    pub tenants: Option<Vec<Text>>,
    /// The tiers of tenants for whom it holds; without it all.
    pub tiers: Option<Vec<Text>>,
    /// A request header that must be there, once; without it none need.
    pub header: Option<Text>,
    /// The value that the header must have; without it any.
    pub value: Option<Text>,
    /// The variant.
    pub variant: Option<Text>,
    /// The shares of variants, in percent, 100 together.
    pub weights: Option<BTreeMap<String, f64>>,
    /// What stays with one variant; `client` without it.
    pub by: Option<ByDoc>,
}
