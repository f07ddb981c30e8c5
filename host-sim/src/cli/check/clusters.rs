//! The clusters that Envoy's configuration has, for policies that name them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use modgate_engine::policy::{Desk, PolicyError, did_you_mean, member_path};
use serde_json::Value;

/// The names of clusters.
#[derive(Debug)]
pub(super) struct Known(BTreeSet<String>);

impl Known {
    /// Reads Envoy's configuration: a bootstrap, a file of clusters (`cds`), or what its admin interface
    /// says (`/config_dump`). `None` where there are no files.
    ///
    /// # Errors
    /// Where a file cannot be read, or has no clusters.
    pub(super) fn read(files: &[PathBuf]) -> Result<Option<Self>, String> {
        if files.is_empty() {
            return Ok(None);
        }
        let mut names = BTreeSet::new();
        for file in files {
            let failed = |why: String| format!("{}: {why}", file.display());
            let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
            let value: Value =
                serde_norway::from_str(&text).map_err(|error| failed(error.to_string()))?;
            let found = clusters(&value);
            if found.is_empty() {
                return Err(failed("there are no clusters in it".to_owned()));
            }
            names.extend(found);
        }
        Ok(Some(Self(names)))
    }

    /// What a policy wants and they do not have.
    pub(super) fn missing(&self, desk: &Desk) -> Vec<PolicyError> {
        let mut errors = Vec::new();
        for backend in desk.policy.backends() {
            if !self.0.contains(&backend.cluster) {
                let hint = did_you_mean(&backend.cluster, self.0.iter().map(String::as_str));
                let path = member_path("$.backends", &backend.name);
                errors.push(PolicyError {
                    path: format!("{path}.cluster"),
                    message: format!("Envoy has no cluster {:?}{hint}", backend.cluster),
                });
            }
        }
        let candidates = desk.document.routes_rollout.as_ref();
        let candidates = candidates.map_or(&[][..], |trial| &trial.candidate);
        let lists = [
            ("$.routes", &desk.document.routes[..]),
            ("$.routes_rollout.candidate", candidates),
        ];
        for route in desk.policy.all_routes() {
            let missing = route
                .failovers()
                .iter()
                .find(|known| !self.0.contains(&known.cluster));
            let Some(missing) = missing else {
                continue;
            };
            let is_tried = missing
                .cluster
                .starts_with(modgate_engine::wire::CANDIDATE_FAILOVER_PREFIX);
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

/// The names of the clusters in any of the forms.
fn clusters(value: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of_dump = list(&value["configs"]).into_iter().flat_map(|config| {
        let kinds = ["static_clusters", "dynamic_active_clusters"];
        let of_kind = kinds.into_iter().flat_map(move |kind| list(&config[kind]));
        of_kind.map(|entry| entry["cluster"].clone())
    });
    let resources = list(&value["resources"]).into_iter().filter(|resource| {
        let kind = resource["@type"].as_str().unwrap_or_default();
        kind.ends_with("cluster.v3.Cluster")
    });
    list(&value["static_resources"]["clusters"])
        .into_iter()
        .chain(list(&value["clusters"]))
        .chain(resources)
        .chain(of_dump)
        .filter_map(|cluster| cluster["name"].as_str().map(ToOwned::to_owned))
        .collect()
}
