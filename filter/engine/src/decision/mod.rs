//! The decision on a request: forward it, look versions up first, or reply locally.
//!
//! In reading order: `evaluate` calls the steps, each in a file of `steps`; `request_decision` is the result,
//! and `suspended` is what is kept of it while the request waits for a lookup.

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

// Imports that the tests share.
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
