//! Between the rules and the routes: requests for a checksum database that the filter answers itself.

use super::{Context, ParsedRequest};
use crate::reply::LocalReply;
use modgate_go::goproxy::{Operation, SumdbCall};

pub(in crate::decision) fn database(
    context: &Context<'_, '_>,
    request: &ParsedRequest<'_, '_>,
) -> Result<(), LocalReply> {
    let operation = &request.operation;
    let Operation::Sumdb { database, call } = operation else {
        return Ok(());
    };
    match call {
        SumdbCall::Supported => Err(LocalReply::supported()),
        SumdbCall::Lookup { module, .. } => {
            let private = &context.policy.integrity.private;
            match private.kept_from(database, module) {
                Some(pattern) => Err(LocalReply::private_name(
                    operation,
                    &pattern,
                    context.footer,
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
