//! What policies need of the proxy that carries them.

use std::collections::BTreeSet;

use modgate_policy::document::{Document, IdentityDoc, ModeDoc};
use modgate_policy::model::RouteKey;
use modgate_policy::tools::PolicySource;

/// What the policies at hand need, all together.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Whether there is a policy at all; without one nothing of the rest is known.
    pub(super) known: bool,
    /// The clusters of their backends.
    pub(super) clusters: BTreeSet<String>,
    /// The keys by which their routes know the filter.
    pub(super) route_keys: Vec<RouteKey>,
    /// Whether a policy has no such key.
    pub(super) lacks_route_key: bool,
    pub(super) certificate: bool,
    pub(super) token: bool,
    pub(super) password: bool,
    pub(super) header: bool,
    /// Whether files are checked, and so held for a while.
    pub(super) checks_files: bool,
    /// Whether the filter queries backends itself.
    pub(super) asks: bool,
    /// Whether they depend on `allow_on_headers_stop_iteration`.
    pub(super) holds_headers: bool,
}

impl Needs {
    pub(super) fn of<'d>(policy_sources: impl Iterator<Item = &'d PolicySource>) -> Self {
        let mut needs = Self::default();
        for policy_source in policy_sources {
            needs.known = true;
            let backends = policy_source.policy.backends().iter();
            needs
                .clusters
                .extend(backends.map(|backend| backend.cluster.clone()));
            let route_key = policy_source.policy.route_key.clone();
            needs.lacks_route_key |= route_key.is_none();
            needs.route_keys.extend(route_key);
            needs.asks |= policy_source.asks_backends();
            needs.add(&policy_source.document);
        }
        needs
    }

    fn add(&mut self, document: &Document) {
        let any = |is: fn(&IdentityDoc) -> bool| document.identity.iter().any(is);
        self.certificate |= any(|source| {
            let names = [
                &source.mtls_uri_san,
                &source.mtls_dns_san,
                &source.mtls_subject,
            ];
            names.iter().any(|name| name.is_some())
        });
        self.token |= any(|s| s.jwt_claim.is_some() || s.jwt_claim_list.is_some());
        self.password |= any(|source| source.basic_user.is_some());
        self.header |= any(|source| source.header.is_some());
        let checks = |mode: ModeDoc| mode != ModeDoc::Off;
        if let Some(integrity) = &document.integrity {
            let of_tenants = document.tenants.values().filter_map(|t| t.integrity);
            self.checks_files |= checks(integrity.mode) || of_tenants.into_iter().any(checks);
            self.holds_headers |= integrity.allow_on_headers_stop_iteration == Some(true);
        }
    }

    /// Whether something may be needed: it is, or nobody knows.
    pub(super) const fn perhaps(&self, needed: bool) -> bool {
        needed || !self.known
    }
}
