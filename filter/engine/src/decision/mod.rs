//! A decision: a request's headers in, what to do with it out.
//!
//! In reading order: `evaluate` is the way through, step by step, each in a file of `steps`;
//! `request_decision` is what comes of it.

mod caching;
mod evaluate;
mod head;
#[cfg(test)]
mod integrity_tests;
#[cfg(test)]
mod lookup_tests;
mod request_decision;
mod routing;
mod split;
#[cfg(test)]
mod split_tests;
mod stage;
mod steps;
mod upstream_headers;

pub use caching::{CacheScope, HeaderChange, keep_private};
pub use evaluate::{judge, judge_client, judge_tenant};
pub use request_decision::{Answer, Judgement};
pub use routing::RouteTrial;
pub(crate) use routing::route_path;
pub use split::{Assigned, AssignedBy, OfVariant};
pub use stage::RolloutAssignment;
pub(crate) use upstream_headers::goes_to_every_backend;
pub use upstream_headers::{goes_upstream, upstream_headers};

// What the tests have in common.
#[cfg(test)]
use {
    crate::lookup::Consultation,
    crate::reply::Reply,
    modgate_go::http::Header,
    modgate_policy::model::identity::Facts,
    modgate_policy::model::{Plan, Policy},
};

#[cfg(test)]
mod privacy_tests;
#[cfg(test)]
mod routing_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream_tests;
