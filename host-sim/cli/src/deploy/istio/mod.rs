//! Istio: the filter in a gateway, or in the sidecar of the Go proxy's pods.

mod extension;
mod gateway;
mod names;
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

/// The label with a listener's prefix: Istio's bootstrap names it otherwise than Envoy.
const LISTENER_LABEL: &str = "http_conn_manager_prefix";

/// At the head of the patch for pods.
const ABOUT_PODS: &str = "Not an object: a patch for the template of the pods that have the filter, which Istio reads when a pod starts:\n  kubectl patch deployment NAME --patch-file pod-template.yaml";

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

/// The clusters as Istio names them, and what it does not know by itself.
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
        let local = self.local_port(plan);
        let name_of = |cluster: &str| match (destinations.get(cluster), local) {
            (Some((destination, _)), _) => destination.cluster(),
            (None, Some(port)) => names::inbound(port),
            (None, None) => cluster.to_owned(),
        };
        // Istio has no such setting for a filter.
        let policy = plan.policy(name_of, Some(keys.in_use()), false);
        let extension = self.extension(plan, &policy)?;
        let mut files = Files::default();
        let services: Vec<Value> = self.services(destinations);
        files.objects("1-backends.yaml", services::ABOUT, &services)?;
        match local {
            None => {
                let objects = self.gateway(plan, keys, destinations);
                files.objects("2-routes.yaml", gateway::ABOUT, &objects)?;
            }
            Some(port) => {
                files.objects("2-access.yaml", sidecar::ABOUT, &[self.access(port, keys)])?;
            }
        }
        if let Some(note) = fits("3-filter.yaml", &extension)? {
            files.note(note);
        }
        files.objects("3-filter.yaml", extension::ABOUT, &[extension])?;
        if plan.uses_tokens() {
            files.note("the policy reads claims of tokens: these pods need a RequestAuthentication that names the issuer");
        }
        files.file("extra/pod-template.yaml", ABOUT_PODS, &export::istio()?);
        let listeners = match local {
            None => "outbound_.*".to_owned(),
            Some(port) => format!("inbound_.*_{port}"),
        };
        for (file, text) in alerts::rules(LISTENER_LABEL, &listeners) {
            files.file(&format!("extra/{file}"), alerts::ABOUT, &text);
        }
        Ok(files)
    }

    fn destinations<'p>(&self, plan: &'p Plan) -> Result<Destinations<'p>, Vec<PolicyError>> {
        let mut all = Destinations::new();
        let mut errors = Vec::new();
        for (name, backend) in &plan.document().backends {
            let cluster: &str = &backend.cluster;
            let found = match plan.address(cluster) {
                Some(address) if self.place == Place::Sidecar && address.is_local() => continue,
                Some(address) => Destination::of(cluster, address),
                None => match Destination::parse(cluster) {
                    Some(destination) => Ok((destination, None)),
                    // Nothing says where it is, which is refused by itself.
                    None => continue,
                },
            };
            match found {
                Ok(found) => _ = all.insert(cluster, found),
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
