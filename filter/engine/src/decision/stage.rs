//! Which of a tenant's rules hold for a request: those in force, or a rollout's.

use super::head::Head;
use modgate_go::http::HeaderValue;
use modgate_policy::model::identity::{Fact, Facts, Place};
use modgate_policy::model::{By, CANARY, CanaryMembership, ENFORCE, Policy, RuleSetSide, Tenant};

/// Which rules hold for a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutAssignment {
    /// The rules.
    pub side: RuleSetSide,
    /// The value of the label `stage`.
    pub name: &'static str,
    /// What the client was told apart by, in a canary by client.
    pub client: Option<&'static str>,
}

impl Default for RolloutAssignment {
    fn default() -> Self {
        Self::of(RuleSetSide::Active)
    }
}

impl RolloutAssignment {
    const fn of(side: RuleSetSide) -> Self {
        Self {
            side,
            name: ENFORCE,
            client: None,
        }
    }
}

/// Chooses the rules for a tenant's request for a module.
pub(super) fn taken(
    policy: &Policy,
    tenant: &Tenant,
    module: &str,
    head: &Head<'_>,
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
    let taken = match membership {
        CanaryMembership::Not => RolloutAssignment::default(),
        CanaryMembership::All => RolloutAssignment::of(RuleSetSide::Candidate),
        CanaryMembership::Member => RolloutAssignment {
            name: CANARY,
            ..RolloutAssignment::of(RuleSetSide::Candidate)
        },
    };
    RolloutAssignment { client, ..taken }
}

/// What a draw is for, and what the client was told apart by, where that counts; `None` of a client of
/// whom nothing is known.
pub(super) fn key(
    policy: &Policy,
    tenant: &Tenant,
    module: &str,
    head: &Head<'_>,
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

/// The client, as exactly as it is known: by its certificate, its token, its user, the header of a
/// trusted hop, else by its address.
fn client(policy: &Policy, head: &Head<'_>, facts: &dyn Facts) -> Option<(&'static str, String)> {
    let property = |path: &[&str]| {
        let value = facts.property(path).filter(|value| !value.is_empty())?;
        String::from_utf8(value).ok()
    };
    let header = |name: &str| match head.identity(name) {
        HeaderValue::Once(value) => std::str::from_utf8(value).ok().map(ToOwned::to_owned),
        HeaderValue::Absent | HeaderValue::Repeated => None,
    };
    let places = || policy.identity.iter().map(|source| &source.place);
    let subject = |place: &Place| match place {
        Place::Fact(Fact::Claim { path } | Fact::ClaimList { path }) => {
            // The claim's own name stands behind that of the payload.
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
        // Without the port, which is the connection's.
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
