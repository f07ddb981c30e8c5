//! A decision: a request's headers in, what to do with it out.
//!
//! In reading order: `evaluate` is the way through, step by step, each in a file of `steps`;
//! `request_decision` is what comes of it, and `suspended` what is kept of it while the request waits.

mod caching;
mod evaluate;
#[cfg(test)]
mod integrity_tests;
#[cfg(test)]
mod lookup_tests;
mod request_decision;
mod request_head;
mod rollout;
mod routing;
mod split;
#[cfg(test)]
mod split_tests;
mod steps;
mod suspended;
#[cfg(test)]
mod suspended_tests;
mod upstream_headers;

pub use caching::{CacheScope, HeaderChange, keep_private};
pub use evaluate::{evaluate, evaluate_as_client, evaluate_as_tenant};
pub use request_decision::{Decision, RequestDecision};
pub use rollout::RolloutAssignment;
pub use routing::RouteTrial;
pub(crate) use routing::route_path;
pub use split::{Assigned, AssignedBy, OfVariant};
pub use suspended::Suspended;
pub(crate) use upstream_headers::goes_to_every_backend;
pub use upstream_headers::{goes_upstream, upstream_headers};

// What the tests have in common.
#[cfg(test)]
use {
    crate::reply::LocalReply,
    modgate_go::http::Header,
    modgate_policy::model::identity::Facts,
    modgate_policy::model::{Plan, Policy},
};

#[cfg(test)]
mod privacy_tests;
#[cfg(test)]
mod rollout_tests;
#[cfg(test)]
mod routing_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream_tests;
