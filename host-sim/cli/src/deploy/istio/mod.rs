//! Istio: the filter in a gateway, or in the sidecar of the Go proxy's pods.

mod extension;
mod gateway;
mod names;
mod pods;
mod refused;
mod services;
mod sidecar;

use std::collections::BTreeMap;
use std::error::Error;

use modgate_policy::document::{PolicyError, member_path};
use serde_json::Value;

use self::names::{Destination, External};
use super::alerts;
use super::files::Files;
use super::kubernetes::{Names, fits};
use super::module_source::ModuleSource;
use super::plan::Plan;
use super::route_keys::RouteKeys;
use crate::export;

/// In which proxy the filter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Place {
    /// A gateway: any number of backends, each by a route that only the filter opens.
    Gateway,
    /// The sidecar of the Go proxy's pods: that one backend.
    Sidecar,
}

/// What of Istio does not depend on the policy.
#[derive(Debug)]
pub(super) struct Istio {
    pub(super) place: Place,
    pub(super) kind: extension::Kind,
    pub(super) names: Names,
    /// The labels of the pods that have the filter.
    pub(super) selector: BTreeMap<String, String>,
    pub(super) module: ModuleSource,
    pub(super) listens: Listens,
}

pub(super) use self::extension::Kind;
pub(super) use self::gateway::Listens;

/// The clusters as Istio names them, and what it must be told of.
type Destinations<'p> = BTreeMap<&'p str, (Destination, Option<External>)>;

impl Istio {
    /// Everything that Istio needs for a policy.
    ///
    /// # Errors
    /// What cannot hold in Istio, at its places in the policy.
    pub(super) fn files(&self, plan: &Plan, keys: &RouteKeys) -> Result<Files, Vec<PolicyError>> {
        let mut refused = self.refused(plan);
        let destinations = match self.destinations(plan) {
            Ok(destinations) => destinations,
            Err(errors) => {
                refused.extend(errors);
                Destinations::new()
            }
        };
        if !refused.is_empty() {
            return Err(refused);
        }
        self.written(plan, keys, &destinations).map_err(|error| {
            vec![PolicyError {
                path: "$".to_owned(),
                message: error.to_string(),
            }]
        })
    }

    fn written(
        &self,
        plan: &Plan,
        keys: &RouteKeys,
        destinations: &Destinations<'_>,
    ) -> Result<Files, Box<dyn Error>> {
        let local = self.local_ports(plan);
        let name_of = |cluster: &str| match (local.get(cluster), destinations.get(cluster)) {
            (Some(port), _) => names::inbound(*port),
            (None, Some((destination, _))) => destination.cluster(),
            (None, None) => cluster.to_owned(),
        };
        // Istio has no such setting for a filter.
        let policy = plan.policy(name_of, Some(keys.in_use()), false);
        let extension = self.extension(plan, &policy)?;
        let mut files = Files::default();
        let services: Vec<Value> = self.services(destinations);
        files.objects("1-backends.yaml", services::ABOUT, &services)?;
        match self.place {
            Place::Gateway => {
                let objects = self.gateway(plan, keys, destinations);
                files.objects("2-routes.yaml", gateway::ABOUT, &objects)?;
            }
            Place::Sidecar => {
                let values: Vec<String> = local
                    .values()
                    .flat_map(|port| keys.values(&names::inbound(*port)))
                    .collect();
                let ports: Vec<u16> = local.values().copied().collect();
                files.objects(
                    "2-access.yaml",
                    sidecar::ABOUT,
                    &[self.access(&ports, &values)],
                )?;
            }
        }
        if let Some(note) = fits("3-filter.yaml", &extension)? {
            files.note(note);
        }
        files.objects("3-filter.yaml", extension::ABOUT, &[extension])?;
        if plan.uses_tokens() {
            files.note("the policy reads claims of tokens: these pods need a RequestAuthentication that names the issuer");
        }
        files.file("extra/pod-template.yaml", pods::ABOUT, &export::istio()?);
        let prefix = match self.place {
            Place::Gateway => "outbound_.*".to_owned(),
            Place::Sidecar => sidecar::listeners(local.values()),
        };
        for (file, text) in alerts::in_istio(&prefix) {
            files.file(&format!("extra/{file}"), alerts::ABOUT, &text);
        }
        Ok(files)
    }

    /// The ports of the pod's own Go proxy, by the clusters that requests go to.
    fn local_ports<'p>(&self, plan: &'p Plan) -> BTreeMap<&'p str, u16> {
        if self.place == Place::Gateway {
            return BTreeMap::new();
        }
        let local = plan.clusters().into_iter().filter_map(|cluster| {
            let address = plan.address(cluster).filter(|address| address.is_local())?;
            Some((cluster, address.port))
        });
        local.collect()
    }

    fn destinations<'p>(&self, plan: &'p Plan) -> Result<Destinations<'p>, Vec<PolicyError>> {
        let mut all = Destinations::new();
        let mut errors = Vec::new();
        for (name, backend) in &plan.document().backends {
            let cluster: &str = &backend.cluster;
            let found = match plan.address(cluster) {
                Some(address) if self.place == Place::Sidecar && address.is_local() => continue,
                Some(address) => Destination::of(cluster, address),
                None => Destination::parse(cluster)
                    .map(|found| (found, None))
                    .ok_or_else(String::new),
            };
            match found {
                Ok(found) => _ = all.insert(cluster, found),
                // Nothing says where it is: that is said already.
                Err(message) if message.is_empty() => {}
                Err(message) => errors.push(PolicyError {
                    path: format!("{}.cluster", member_path("$.backends", name)),
                    message,
                }),
            }
        }
        errors.extend(services::contradictions(plan, &all));
        if errors.is_empty() {
            Ok(all)
        } else {
            Err(errors)
        }
    }
}
