//! For whoever writes a policy and wants to know why: no request needs this.

mod lint;
mod lint_private;
mod policy_source;
mod unfollowed;

pub use policy_source::{Match, PolicySource, RuleMatch, Tried};
