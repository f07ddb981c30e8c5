//! Which of a tenant's rules are in effect for a request: the active ones, or the candidate of a rollout.

use super::request_head::RequestHead;
use modgate_go::http::HeaderValue;
use modgate_policy::model::identity::{Fact, Facts, Place};
use modgate_policy::model::{By, CANARY, CanaryMembership, ENFORCE, Policy, RolloutSide, Tenant};

/// Which rules are in effect for a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutAssignment {
    /// The rules.
    pub side: RolloutSide,
    /// The value of the label `stage`.
    pub name: &'static str,
    /// How the client was identified, in a canary by client.
    pub client: Option<&'static str>,
}

impl Default for RolloutAssignment {
    fn default() -> Self {
        Self::of(RolloutSide::Active)
    }
}

impl RolloutAssignment {
    const fn of(side: RolloutSide) -> Self {
        Self {
            side,
            name: ENFORCE,
            client: None,
        }
    }
}

/// Chooses the rules for a tenant's request for a module.
pub(super) fn assignment(
    policy: &Policy,
    tenant: &Tenant,
    module: &str,
    head: &RequestHead<'_>,
    facts: &dyn Facts,
) -> RolloutAssignment {
    let Some(rollout) = &tenant.rollout else {
        return RolloutAssignment::default();
    };
    let mut client = None;
    let membership = rollout.stage.membership(&tenant.name, |by| {
        let (key, kind) = key(policy, tenant, module, head, facts, by);
        client = kind;
        key
    });
    let assignment = match membership {
        CanaryMembership::Not => RolloutAssignment::default(),
        CanaryMembership::All => RolloutAssignment::of(RolloutSide::Candidate),
        CanaryMembership::Member => RolloutAssignment {
            name: CANARY,
            ..RolloutAssignment::of(RolloutSide::Candidate)
        },
    };
    RolloutAssignment {
        client,
        ..assignment
    }
}

/// The key of a draw, and how the client was identified, if the draw is by client. Clients without a known
/// identity have no key.
pub(super) fn key(
    policy: &Policy,
    tenant: &Tenant,
    module: &str,
    head: &RequestHead<'_>,
    facts: &dyn Facts,
    by: By,
) -> (Option<String>, Option<&'static str>) {
    match by {
        By::Tenant => (Some(tenant.name.clone()), None),
        By::Module => (Some(module.to_owned()), None),
        By::Client => {
            client(policy, head, facts).map_or((None, None), |(kind, who)| (Some(who), Some(kind)))
        }
    }
}

/// The most exact identity of the client: its certificate, its token, its user, the header of a trusted hop,
/// or its address.
fn client(
    policy: &Policy,
    head: &RequestHead<'_>,
    facts: &dyn Facts,
) -> Option<(&'static str, String)> {
    let property = |path: &[&str]| {
        let value = facts.property(path).filter(|value| !value.is_empty())?;
        String::from_utf8(value).ok()
    };
    let header = |name: &str| match head.identity(name) {
        HeaderValue::Single(value) => std::str::from_utf8(value).ok().map(ToOwned::to_owned),
        HeaderValue::Absent | HeaderValue::Duplicate => None,
    };
    let places = || policy.identity.iter().map(|source| &source.place);
    let subject = |place: &Place| match place {
        Place::Fact(Fact::Claim { path } | Fact::ClaimList { path }) => {
            // The path ends with the claim's own name, behind that of the payload.
            let payload = path.iter().take(4).map(String::as_str);
            property(&payload.chain(["sub"]).collect::<Vec<_>>())
        }
        _ => None,
    };
    let user = |place: &Place| match place {
        Place::BasicUser { name } => header(name),
        _ => None,
    };
    let named = |place: &Place| match place {
        Place::Header {
            name,
            trusted: true,
        } => header(name),
        _ => None,
    };
    let address = || {
        let address = property(&["source", "address"])?;
        // Without the port, which differs between connections.
        Some(
            address
                .rsplit_once(':')
                .map_or(&*address, |(ip, _)| ip)
                .to_owned(),
        )
    };
    let certificate = property(&["connection", "uri_san_peer_certificate"]);
    let certificate = certificate.map(|who| ("mtls_uri_san", who));
    certificate
        .or_else(|| Some(("jwt_sub", places().find_map(subject)?)))
        .or_else(|| Some(("basic_user", places().find_map(user)?)))
        .or_else(|| Some(("header", places().find_map(named)?)))
        .or_else(|| Some(("address", address()?)))
}
