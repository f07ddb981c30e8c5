//! Third step: the client and its tenant.

use super::Context;
use crate::decision::evaluate::Sender;
use crate::decision::request_decision::RequestDecision;
use crate::reply::LocalReply;
use modgate_go::goproxy::Target;
use modgate_policy::model::identity::{Claim, Claimed, Facts, identify};
use modgate_policy::model::{Age, Tenant};

/// An identified client.
pub(in crate::decision) struct Client<'p, 'r> {
    pub(in crate::decision) tenant: &'p Tenant,
    /// The path without the tenant's prefix.
    pub(in crate::decision) rest: &'r str,
    pub(in crate::decision) facts: &'r dyn Facts,
    /// The age of the requested version, if the caller gives it.
    pub(in crate::decision) age: Age,
}

pub(in crate::decision) fn tenant<'p, 'r>(
    context: &Context<'p, 'r>,
    target: &'r Target<'_>,
    record: &mut RequestDecision<'p>,
) -> Result<Client<'p, 'r>, LocalReply> {
    let facts = match *context.sender {
        Sender::Known(facts) => facts,
        Sender::Tenant(tenant, age, facts) => {
            record.tenant = Some(tenant);
            let rest = target.as_str();
            return Ok(Client {
                tenant,
                rest,
                facts,
                age,
            });
        }
    };
    let header = |name: &str| context.head.identity(name);
    let is_tenant = |name: &str| context.policy.has_tenant(name);
    let sources = &context.policy.identity;
    let identified = identify(sources, is_tenant, target.as_str(), header, facts);
    let identified = identified.map_err(|refusal| context.bad(refusal))?;
    identified.prefix.clone_into(&mut record.tenant_prefix);
    record.identity = identified.claim.source;
    let tenant = claimed(context, &identified.claim)?;
    record.tenant = Some(tenant);
    Ok(Client {
        tenant,
        rest: identified.rest,
        facts,
        age: Age::Unasked,
    })
}

fn claimed<'p>(context: &Context<'p, '_>, claim: &Claim<'_>) -> Result<&'p Tenant, LocalReply> {
    let (policy, footer) = (context.policy, context.footer);
    let name = match claim.claimed() {
        Claimed::Nobody => None,
        Claimed::Tenant(name) => Some(name),
        Claimed::Conflict => return Err(LocalReply::identity_conflict(footer)),
        Claimed::Ambiguous => return Err(LocalReply::identity_ambiguous(footer)),
    };
    let tenant = policy
        .tenant(name)
        .ok_or_else(|| LocalReply::unknown_tenant(name, footer))?;
    let required = policy.require.and(tenant.require);
    match required.missing_in(claim.kinds).next() {
        Some(missing) => Err(LocalReply::identity_required(missing, footer)),
        None => Ok(tenant),
    }
}
