//! Fourth step: the operation that is requested, on a module or on a checksum database.

use super::{Client, Context};
use crate::decision::request_decision::RequestDecision;
use crate::reply::LocalReply;
use modgate_go::goproxy::{Operation, SumdbCall};
use modgate_policy::model::Age;
use modgate_policy::model::Tenant;
use modgate_policy::model::identity::Facts;

/// A request with its tenant and its operation.
pub(in crate::decision) struct ParsedRequest<'p, 'r> {
    pub(in crate::decision) tenant: &'p Tenant,
    pub(in crate::decision) facts: &'r dyn Facts,
    pub(in crate::decision) age: Age,
    /// The path without the tenant's prefix; routes may match prefixes of it.
    pub(in crate::decision) path: &'r str,
    pub(in crate::decision) operation: Operation<'r>,
}

pub(in crate::decision) fn operation<'p, 'r>(
    context: &Context<'p, '_>,
    client: &Client<'p, 'r>,
    record: &mut RequestDecision<'p>,
) -> Result<ParsedRequest<'p, 'r>, LocalReply> {
    let (_, rest) = context.policy.routes.enter(client.rest);
    let operation = parse(context, rest)?;
    record.operation = operation.name();
    record.mutability = operation.mutability();
    record.module = operation.module().map(ToOwned::to_owned);
    record.version = operation.version().map(ToOwned::to_owned);
    Ok(ParsedRequest {
        tenant: client.tenant,
        facts: client.facts,
        age: client.age,
        path: client.rest,
        operation,
    })
}

fn parse<'r>(context: &Context<'_, '_>, rest: &'r str) -> Result<Operation<'r>, LocalReply> {
    let Some(path) = rest.strip_prefix("sumdb/") else {
        return Operation::parse(rest).map_err(|refusal| context.bad(refusal));
    };
    let (database, call) = context
        .policy
        .sumdb(path)
        .ok_or_else(|| LocalReply::unknown_database(context.footer))?;
    let call = SumdbCall::parse(call).map_err(|refusal| context.bad(refusal))?;
    Ok(Operation::Sumdb {
        database: database.name.clone().into(),
        call,
    })
}
