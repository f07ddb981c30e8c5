//! Envoy Gateway: the filter on the routes of a Gateway.

mod backends;
mod extension;
mod gateway;
mod refused;
mod routes;

use std::collections::BTreeMap;

use modgate_policy::document::PolicyError;

use super::address::Address;
use super::alerts;
use super::files::Files;
use super::kubernetes::{Names, fits};
use super::module_source::ModuleSource;
use super::plan::Plan;
use super::route_keys::RouteKeys;

/// The group of Envoy Gateway's own objects.
const GROUP: &str = "gateway.envoyproxy.io";

/// The version of the Gateway API's objects.
const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

/// The version of Envoy Gateway's own.
const API: &str = "gateway.envoyproxy.io/v1alpha1";

/// The label with a listener's prefix, as Envoy names it.
const LISTENER_LABEL: &str = "envoy_http_conn_manager_prefix";

/// The prefixes of Envoy Gateway's listeners for clients: the protocol, and the port within the pod.
const LISTENERS: &str = "https?-[0-9]+";

/// What of Envoy Gateway does not depend on the policy.
#[derive(Debug)]
pub(super) struct EnvoyGateway {
    pub(super) names: Names,
    /// The GatewayClass of the Gateway that is written.
    pub(super) class: String,
    /// A Gateway that is there already, in whose place none is written.
    pub(super) gateway: Option<String>,
    /// The names by which clients reach it.
    pub(super) hosts: Vec<String>,
    pub(super) port: u16,
    /// The Secret with its certificate.
    pub(super) tls_secret: Option<String>,
    pub(super) module: ModuleSource,
}

/// The policy's clusters, with where each is.
type Placed<'p> = BTreeMap<&'p str, &'p Address>;

impl EnvoyGateway {
    /// Everything that Envoy Gateway needs for a policy.
    ///
    /// # Errors
    /// What cannot hold there, at its places in the policy.
    pub(super) fn files(&self, plan: &Plan, keys: &RouteKeys) -> Result<Files, Vec<PolicyError>> {
        let refused = self.refused(plan);
        if !refused.is_empty() {
            return Err(refused);
        }
        let written = self.written(plan, keys);
        written.map_err(|message| {
            vec![PolicyError {
                path: "$".to_owned(),
                message,
            }]
        })
    }

    fn written(&self, plan: &Plan, keys: &RouteKeys) -> Result<Files, String> {
        let named = plan.clusters().into_iter();
        let placed: Placed<'_> = named
            .filter_map(|cluster| Some((cluster, plan.address(cluster)?)))
            .collect();
        // Envoy Gateway has no such setting for a filter.
        let policy = plan.policy(|cluster| self.cluster(cluster), Some(keys.in_use()), false);
        let extension = self.extension(&placed, &policy)?;
        let mut files = Files::default();
        let note = fits("3-filter.yaml", &extension)?;
        files.objects("1-backends.yaml", backends::ABOUT, &self.backends(&placed))?;
        let mut routes = Vec::new();
        match &self.gateway {
            None => routes.extend(self.own_gateway()?),
            Some(gateway) => {
                files.objects_aside(
                    "extra/gateway.yaml",
                    gateway::ABOUT_ASIDE,
                    &self.settings(gateway)?,
                )?;
                files.note("extra/gateway.yaml is for that Gateway: it keeps paths as they come, and gives the metrics their labels");
            }
        }
        routes.extend(self.routes(plan, keys, &placed));
        files.objects("2-routes.yaml", routes::ABOUT, &routes)?;
        files.objects("3-filter.yaml", extension::ABOUT, &[extension])?;
        for (file, text) in alerts::rules(LISTENER_LABEL, LISTENERS) {
            files.file(&format!("extra/{file}"), alerts::ABOUT, &text);
        }
        if let Some(note) = note {
            files.note(note);
        }
        if placed
            .values()
            .any(|address| backends::service(address).is_none())
        {
            files.note("Backends must be on in Envoy Gateway's own configuration: extensionApis.enableBackend");
        }
        if plan.uses_tokens() {
            files.note("the policy reads claims of tokens: the route of the same name needs a SecurityPolicy with a provider whose name is the policy's `payload`");
        }
        Ok(files)
    }

    /// The route of a cluster.
    fn route(&self, cluster: &str) -> String {
        format!("{}-{cluster}", self.names.name)
    }

    /// As Envoy Gateway names the cluster of that route.
    fn cluster(&self, cluster: &str) -> String {
        format!(
            "httproute/{}/{}/rule/0",
            self.names.namespace,
            self.route(cluster)
        )
    }

    /// The name of the Gateway, and its namespace where that is another.
    fn gateway_name(&self) -> (&str, Option<&str>) {
        match self
            .gateway
            .as_deref()
            .map(|gateway| gateway.rsplit_once('/').ok_or(gateway))
        {
            None => (&self.names.name, None),
            Some(Err(name)) => (name, None),
            Some(Ok((namespace, name))) => (name, Some(namespace)),
        }
    }
}
