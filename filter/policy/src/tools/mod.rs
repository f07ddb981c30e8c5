//! For whoever writes a policy and wants to know why: no request needs this.

mod desk;
mod lint;
mod lint_private;
mod unfollowed;

pub use desk::{Desk, Match, RuleMatch, Tried};
