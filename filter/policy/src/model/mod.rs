//! What decides on requests: a policy, compiled. Nothing here knows how it was written.

mod backend;
mod database;
mod draw;
pub mod identity;
mod ids;
pub(crate) mod integrity;
pub mod module_rules;
mod percent;
mod policy;
pub(crate) mod private;
pub mod redirect;
mod rollout;
pub mod route;
mod route_key;
pub(crate) mod rules;
mod splits;
mod versions;

pub use backend::{AddedHeader, Backend, BackendKind};
pub use database::Database;
pub use draw::BUCKETS;
pub use ids::{BackendId, RouteId, RuleId, RuleSetId, SplitId, TenantId, VariantId};
pub use integrity::{Mode, Plan};
pub use module_rules::ModuleRules;
pub(crate) use percent::{ALL, hundredths};
pub use policy::{Policy, Sumdb, Tenant};
pub use rollout::{
    By, CANARY, CanaryMembership, ENFORCE, Rollout, RolloutSide, SHADOW, Share, Stage,
};
pub use route_key::RouteKey;
pub(crate) use route_key::{LONGEST as LONGEST_ROUTE_KEY, SHORTEST as SHORTEST_ROUTE_KEY};
pub use rules::{
    Age, Effect, MatchedRule, Rule, RuleDecisions, RuleOutcome, RuleSet, Subject, TooYoung, Verdict,
};
pub use splits::{Assign, Gets, NO_VARIANT, Split, Splits, Variant, hides};
pub use versions::VersionSet;
