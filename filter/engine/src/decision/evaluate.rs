//! The entry point of the engine: a request's headers in, a decision out.

use super::request_decision::{Decision, RequestDecision};
use super::request_head::RequestHead;
use super::steps::{self, Context};
use crate::reply::{Footer, LocalReply};
use modgate_go::http::Header;
use modgate_policy::model::identity::Facts;
use modgate_policy::model::{Age, Policy, Tenant};

/// Whom a request comes from.
pub(super) enum Sender<'p, 'f> {
    /// The client that the headers and the host's verified facts identify.
    Known(&'f dyn Facts),
    /// This tenant, for a version of this age.
    Tenant(&'p Tenant, Age, &'f dyn Facts),
}

/// Evaluates a request by its headers, pseudo-headers included, and by the facts that the host has verified
/// of the client. Nothing else of a request counts.
pub fn evaluate<'p>(
    policy: &'p Policy,
    headers: &[Header],
    facts: &dyn Facts,
) -> RequestDecision<'p> {
    evaluate_sender(policy, headers, &Sender::Known(facts))
}

/// Evaluates a request as this tenant, whose path has no prefix that names it, and as if the version had this
/// age. For tools that inspect a policy; a proxy identifies the tenant itself.
pub fn evaluate_as_tenant<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &'p Tenant,
    age: Age,
) -> RequestDecision<'p> {
    evaluate_sender(policy, headers, &Sender::Tenant(tenant, age, &()))
}

/// As [`evaluate_as_tenant`], for a client with these facts.
pub fn evaluate_as_client<'p>(
    policy: &'p Policy,
    headers: &[Header],
    tenant: &'p Tenant,
    facts: &dyn Facts,
) -> RequestDecision<'p> {
    evaluate_sender(
        policy,
        headers,
        &Sender::Tenant(tenant, Age::Unasked, facts),
    )
}

fn evaluate_sender<'p>(
    policy: &'p Policy,
    headers: &[Header],
    sender: &Sender<'p, '_>,
) -> RequestDecision<'p> {
    let head = RequestHead::read(policy, headers);
    let mut record = RequestDecision::unknown(head.request_id);
    let footer = Footer {
        contact: policy.contact(),
        request_id: head.request_id,
    };
    let context = Context {
        policy,
        head: &head,
        sender,
        footer,
    };
    let action = take_steps(&context, &mut record);
    record.action = action.unwrap_or_else(Decision::LocalReply);
    record
}

/// The steps of a decision, each in a file of its own. A step records what it finds out, and then passes the
/// request on or ends it with a local reply.
fn take_steps<'p>(
    context: &Context<'p, '_>,
    record: &mut RequestDecision<'p>,
) -> Result<Decision<'p>, LocalReply> {
    let line = steps::head(context)?;
    let target = steps::path(context, &line)?;
    let client = steps::tenant(context, &target, record)?;
    let request = steps::operation(context, &client, record)?;
    let allowed = steps::rules(context, &request, record)?;
    let lookup = steps::split(context, &request, allowed, record)?;
    steps::database(context, &request)?;
    let destination = steps::route(context, &request, record)?;
    steps::integrity(context, &line, &request, &destination, record)?;
    Ok(steps::upstream(
        context,
        &line,
        &request,
        &destination,
        lookup,
        record,
    ))
}
