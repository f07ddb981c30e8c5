//! Seventh step: where the request goes.

use super::{Asked, Context};
use crate::decision::request_decision::RequestDecision;
use crate::decision::routing::{self, Destination};
use crate::reply::LocalReply;

pub(in crate::decision) fn route<'p>(
    context: &Context<'p, '_>,
    asked: &Asked<'p, '_>,
    record: &mut RequestDecision<'p>,
) -> Result<Destination<'p>, LocalReply> {
    let request = routing::Request {
        path: asked.path,
        operation: &asked.operation,
        tenant: asked.tenant,
        head: context.head,
        facts: asked.facts,
    };
    let (destination, trial) = routing::route(context.policy, &request);
    record.route_trial = trial;
    let destination = destination.ok_or_else(|| LocalReply::no_route(context.footer))?;
    record.route = destination.route;
    record.bucket = destination.bucket;
    Ok(destination)
}
