//! Eighth step: how the answer's integrity is checked.

use super::{Context, ParsedRequest, RequestLine};
use crate::decision::request_decision::RequestDecision;
use crate::decision::routing::Destination;
use crate::reply::LocalReply;
use modgate_policy::model::Plan;

pub(in crate::decision) fn integrity<'p>(
    context: &Context<'p, '_>,
    line: &RequestLine<'_>,
    request: &ParsedRequest<'p, '_>,
    destination: &Destination<'p>,
    record: &mut RequestDecision<'p>,
) -> Result<(), LocalReply> {
    let operation = &request.operation;
    let subject = (operation.module(), operation.version());
    let rules = &context.policy.integrity;
    record.plan = match rules.plan(
        request.tenant,
        destination.backend,
        operation.name(),
        subject,
    ) {
        // An answer without a body has nothing to check.
        Plan::Unknown(_) | Plan::Check(_) if line.method == b"HEAD" => Plan::Pass,
        plan => plan,
    };
    match record.plan {
        Plan::Refuse(_) => Err(LocalReply::unknown_hash(operation, context.footer)),
        Plan::Unknown(_) | Plan::Check(_) | Plan::Pass => Ok(()),
    }
}
