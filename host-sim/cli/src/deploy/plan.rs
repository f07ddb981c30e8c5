//! What is deployed, whatever the target: a policy, where its clusters are, and what it asks of the proxy.

use std::collections::BTreeSet;

use modgate_policy::document::{
    Document, IdentityDoc, PolicyError, RouteDoc, did_you_mean, member_path,
};
use modgate_policy::model::Policy;
use modgate_policy::tools::PolicySource;
use serde_json::Value;

use super::address::{Address, Addresses};
use crate::policy_file::Loaded;
use crate::policy_file::load::Finding;

/// A policy that may be deployed, with its document as it was written.
#[derive(Debug)]
pub(super) struct Plan {
    source: PolicySource,
    /// Its file, for the places of what is wrong.
    loaded: Loaded,
    addresses: Addresses,
}

/// The member that says of the proxy that it holds headers back.
const HOLDS_HEADERS: &str = "allow_on_headers_stop_iteration";

impl Plan {
    /// The plan for one policy.
    ///
    /// # Errors
    /// Everything that is wrong with the policy.
    pub(super) fn of(mut loaded: Loaded, addresses: Addresses) -> Result<Self, String> {
        let source = std::mem::replace(&mut loaded.policy_source, Err(Vec::new()));
        let source = source.map_err(|errors| lines(&errors))?;
        Ok(Self {
            source,
            loaded,
            addresses,
        })
    }

    /// Refuses an address that no backend uses: it is a mistake, and nothing in the policy shows it.
    ///
    /// # Errors
    /// The address's name.
    pub(super) fn uses_every_address(&self) -> Result<(), String> {
        let clusters = self.clusters();
        match self
            .addresses
            .keys()
            .find(|name| !clusters.contains(name.as_str()))
        {
            None => Ok(()),
            Some(unused) => {
                let hint = did_you_mean(unused, clusters.into_iter());
                Err(format!(
                    "--cluster {unused}: no backend of the policy has that cluster{hint}"
                ))
            }
        }
    }

    /// What cannot be deployed, each with its place in the policy's file.
    pub(super) fn places(&self, refused: Vec<PolicyError>) -> String {
        let findings: Vec<_> = refused
            .into_iter()
            .map(|error| self.loaded.place(error))
            .collect();
        lines(&findings)
    }

    /// The document.
    pub(super) const fn document(&self) -> &Document {
        &self.source.document
    }

    /// What decides.
    pub(super) const fn compiled(&self) -> &Policy {
        &self.source.policy
    }

    /// Whether a failed request of this cluster goes on to another.
    pub(super) fn fails_over_from(&self, cluster: &str) -> bool {
        let mut members = self
            .compiled()
            .failovers()
            .flat_map(|failover| &failover.order);
        members.any(|id| {
            self.compiled()
                .backend(*id)
                .is_some_and(|backend| backend.cluster == cluster)
        })
    }

    /// Where the cluster of a backend is.
    pub(super) fn address(&self, cluster: &str) -> Option<&Address> {
        self.addresses.get(cluster)
    }

    /// The clusters to which requests of clients go. The filter's own questions may go to others.
    pub(super) fn routed(&self) -> BTreeSet<&str> {
        let document = self.document();
        let candidates = document
            .routes_rollout
            .iter()
            .flat_map(|trial| &trial.candidate);
        let of_routes = document
            .routes
            .iter()
            .chain(candidates)
            .flat_map(backends_of);
        let databases = document.sumdb.iter().flat_map(|all| all.values());
        let of_databases = databases.filter_map(|database| database.backend.as_deref());
        let names = of_routes.chain(of_databases);
        let found = names.filter_map(|name| document.backends.get(name));
        found.map(|backend| &*backend.cluster).collect()
    }

    /// Every cluster that a backend names.
    pub(super) fn clusters(&self) -> BTreeSet<&str> {
        let backends = self.document().backends.values();
        backends.map(|backend| &*backend.cluster).collect()
    }

    /// Whether tenants are found by the claims of a token, which Envoy's `jwt_authn` must have verified before.
    pub(super) fn uses_tokens(&self) -> bool {
        let mut sources = self.document().identity.iter();
        sources.any(|source| source.jwt_claim.is_some() || source.jwt_claim_list.is_some())
    }

    /// The sources of identity with their places.
    pub(super) fn identities(&self) -> impl Iterator<Item = (String, &IdentityDoc)> {
        let sources = self.document().identity.iter().enumerate();
        sources.map(|(at, source)| (format!("$.identity[{at}]"), source))
    }

    /// The policy as it goes to the proxy: its clusters named as they are there, with the key that the routes know.
    /// `holds_headers` says whether the proxy can do what `allow_on_headers_stop_iteration` says of it.
    pub(super) fn policy(
        &self,
        name_of: impl Fn(&str) -> String,
        key: Option<&str>,
        holds_headers: bool,
    ) -> Value {
        let mut policy = self.loaded.value.clone();
        let backends = policy.get_mut("backends").and_then(Value::as_object_mut);
        for backend in backends.into_iter().flat_map(|all| all.values_mut()) {
            let Some(cluster) = backend.get_mut("cluster") else {
                continue;
            };
            if let Some(name) = cluster.as_str().map(&name_of) {
                *cluster = name.into();
            }
        }
        if let Some(integrity) = policy.get_mut("integrity").and_then(Value::as_object_mut) {
            integrity.insert(HOLDS_HEADERS.to_owned(), holds_headers.into());
        }
        if let Some(document) = policy.as_object_mut() {
            document.remove("route_key");
            document.extend(key.map(|key| ("route_key".to_owned(), key.into())));
        }
        policy
    }

    /// The clusters that nobody defines, which no target has.
    pub(super) fn undefined(&self, is_defined: impl Fn(&str) -> bool) -> Vec<PolicyError> {
        let undefined =
            |cluster: &str| !self.addresses.contains_key(cluster) && !is_defined(cluster);
        let backends = self.document().backends.iter();
        let missing = backends.filter(|(_, backend)| undefined(&backend.cluster));
        missing
            .map(|(name, backend)| PolicyError {
                path: format!("{}.cluster", member_path("$.backends", name)),
                message: format!(
                    "nothing says where the cluster {0:?} is; add `--cluster {0}=http://HOST:PORT`",
                    &*backend.cluster
                ),
            })
            .collect()
    }
}

/// The backends of a route, by their names in the policy.
fn backends_of(route: &RouteDoc) -> impl Iterator<Item = &str> {
    let shared = route
        .backends
        .iter()
        .flat_map(|shares| shares.keys().map(String::as_str));
    route.backend.as_deref().into_iter().chain(shared)
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
