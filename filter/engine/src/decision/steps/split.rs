//! Sixth step: the variant of a split that the client is assigned.

use super::{Allowed, Context, ParsedRequest};
use crate::decision::request_decision::RequestDecision;
use crate::decision::split::{self, Assigned, OfVariant};
use crate::lookup::{LookupKind, VariantChoice};
use crate::reply::LocalReply;
use modgate_go::goproxy::Operation;

/// What is looked up before the request is forwarded; nothing if `kind` is `None`.
#[derive(Default)]
pub(in crate::decision) struct LookupSpec {
    pub(in crate::decision) kind: Option<LookupKind>,
    pub(in crate::decision) choice: Option<VariantChoice>,
}

pub(in crate::decision) fn split<'p>(
    context: &Context<'p, '_>,
    request: &ParsedRequest<'p, '_>,
    allowed: Allowed,
    record: &mut RequestDecision<'p>,
) -> Result<LookupSpec, LocalReply> {
    let operation = &request.operation;
    let lookup = LookupSpec {
        kind: allowed.kind,
        choice: None,
    };
    // The rules refuse the whole module, and with it every variant.
    let Some(module) = operation.module().filter(|_| allowed.is_served) else {
        return Ok(lookup);
    };
    let (policy, head) = (context.policy, context.head);
    let assigned = split::assigned(policy, request.tenant, module, head, request.facts);
    let Some((wanted, assigned)) = LookupKind::of(operation).zip(assigned) else {
        return Ok(lookup);
    };
    let version = operation.canonical_version();
    record.file_of = version.and_then(|version| OfVariant::with_version(assigned.split, version));
    if !assigned.holds() {
        // A request for a file is not led to a variant, so there is nothing to count.
        record.split = version.is_none().then_some(assigned);
        return Ok(lookup);
    }
    let Some(version) = version else {
        record.split = Some(assigned);
        return Ok(LookupSpec {
            kind: Some(wanted),
            choice: assigned
                .variant
                .map(|variant| VariantChoice::to(assigned.split, variant)),
        });
    };
    match refused(context, operation, &assigned, version) {
        Some(reply) => {
            record.split = Some(assigned);
            Err(reply)
        }
        None => Ok(lookup),
    }
}

/// The reply of a strict split to a file of another version than the assigned one. A go.mod file passes: the
/// Go command reads those of versions that it never builds.
fn refused(
    context: &Context<'_, '_>,
    operation: &Operation<'_>,
    assigned: &Assigned<'_>,
    version: &str,
) -> Option<LocalReply> {
    let given = assigned.variant?;
    let is_go_mod = matches!(operation, Operation::Mod { .. });
    if !assigned.split.strict || is_go_mod || given.version == version {
        return None;
    }
    let (split, given) = (&assigned.split.name, [&*given.name, &*given.version]);
    Some(LocalReply::other_variant(
        operation,
        split,
        given,
        context.footer,
    ))
}
