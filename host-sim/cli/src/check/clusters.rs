//! The clusters that Envoy's configuration has, for policies that name them.

use std::collections::BTreeSet;

use modgate_policy::document::{PolicyError, did_you_mean, member_path};
use modgate_policy::tools::PolicySource;

/// The names of clusters.
#[derive(Debug)]
pub(super) struct Known(BTreeSet<String>);

impl Known {
    /// These names.
    pub(super) const fn new(names: BTreeSet<String>) -> Self {
        Self(names)
    }

    /// What a policy wants and they do not have.
    pub(super) fn missing(&self, policy_source: &PolicySource) -> Vec<PolicyError> {
        let mut errors = Vec::new();
        for backend in policy_source.policy.backends() {
            if !self.0.contains(&backend.cluster) {
                let hint = did_you_mean(&backend.cluster, self.0.iter().map(String::as_str));
                let path = member_path("$.backends", &backend.name);
                errors.push(PolicyError {
                    path: format!("{path}.cluster"),
                    message: format!("Envoy has no cluster {:?}{hint}", backend.cluster),
                });
            }
        }
        let candidates = policy_source.document.routes_rollout.as_ref();
        let candidates = candidates.map_or(&[][..], |trial| &trial.candidate);
        let lists = [
            ("$.routes", &policy_source.document.routes[..]),
            ("$.routes_rollout.candidate", candidates),
        ];
        for route in policy_source.policy.all_routes() {
            let missing = route
                .failovers()
                .iter()
                .find(|known| !self.0.contains(&known.cluster));
            let Some(missing) = missing else {
                continue;
            };
            let is_tried = missing
                .cluster
                .starts_with(modgate_go::http::headers::CANDIDATE_FAILOVER_PREFIX);
            let (at, routes) = lists[usize::from(is_tried)];
            let place = routes.iter().position(|doc| *doc.id == *route.id);
            errors.push(PolicyError {
                path: format!("{at}[{}].on_failure", place.unwrap_or_default()),
                message: format!(
                    "Envoy has no cluster {:?}; `modgate envoy-routes` prints it",
                    missing.cluster
                ),
            });
        }
        errors
    }
}
