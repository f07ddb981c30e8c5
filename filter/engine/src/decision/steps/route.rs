//! Seventh step: where the request goes.

use super::{Context, ParsedRequest};
use crate::decision::request_decision::RequestDecision;
use crate::decision::routing::{self, Destination};
use crate::reply::LocalReply;

pub(in crate::decision) fn route<'p>(
    context: &Context<'p, '_>,
    request: &ParsedRequest<'p, '_>,
    record: &mut RequestDecision<'p>,
) -> Result<Destination<'p>, LocalReply> {
    let inputs = routing::RouteInputs {
        path: request.path,
        operation: &request.operation,
        tenant: request.tenant,
        head: context.head,
        facts: request.facts,
    };
    let (destination, trial) = routing::route(context.policy, &inputs);
    record.route_trial = trial;
    let destination = destination.ok_or_else(|| LocalReply::no_route(context.footer))?;
    record.route = destination.route;
    record.bucket = destination.bucket;
    Ok(destination)
}
