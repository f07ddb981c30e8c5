//! What decides on requests: a policy, compiled. Nothing here knows how it was written.

mod backend;
mod database;
mod draw;
pub mod identity;
pub(crate) mod integrity;
pub mod module_rules;
mod percent;
mod policy;
pub(crate) mod private;
pub mod redirect;
mod rollout;
pub mod route;
pub(crate) mod rules;
mod splits;
mod versions;

pub use backend::{AddedHeader, Backend, BackendKind};
pub use database::Database;
pub use draw::BUCKETS;
pub use integrity::{Mode, Plan};
pub use module_rules::ModuleRules;
pub(crate) use percent::{ALL, hundredths};
pub use policy::{Policy, Sumdb, Tenant, TenantId};
pub use rollout::{
    By, CANARY, CanaryMembership, ENFORCE, Rollout, RuleSetSide, SHADOW, Share, Stage,
};
pub use rules::{Age, Decision, Effect, Rule, RuleDecisions, RuleSet, Subject, TooYoung, Verdict};
pub use splits::{Assign, Gets, NO_VARIANT, Split, Splits, Variant, hides};
pub use versions::VersionSet;
