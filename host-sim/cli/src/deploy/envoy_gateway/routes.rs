//! The routes: one to which every request comes, which leads nowhere, and one for each cluster, which only the filter
//! opens.

use std::collections::BTreeSet;

use modgate_go::http::headers::CLUSTER_HEADER;
use serde_json::{Value, json};

use super::{API, EnvoyGateway, GATEWAY_API, Placed};
use crate::deploy::plan::Plan;
use crate::deploy::route_keys::RouteKeys;

/// At the head of their file.
pub(super) const ABOUT: &str = "The gateway's listener and its routes. Those that lead somewhere match a value that only the filter sends, so without the\nfilter nothing is served. They hold the route keys: keep them as private as the cluster's own objects.";

/// How often a request that got no answer is sent again: a kept connection may have been closed as it was used.
const SAME_BACKEND: u32 = 3;

/// How many requests may be under way a second time.
const RETRIES: u32 = 1024;

impl EnvoyGateway {
    /// The HTTPRoutes, and how they wait and repeat.
    pub(super) fn routes(&self, plan: &Plan, keys: &RouteKeys, placed: &Placed<'_>) -> Vec<Value> {
        let hosts = self.hosts(plan);
        let mut objects = vec![self.http_route(
            &self.names.name,
            &hosts,
            &json!({
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            }),
        )];
        for (cluster, address) in placed {
            let values = keys.values(&self.cluster(cluster)).into_iter();
            let matches =
                values.map(|value| json!({"headers": [{"name": CLUSTER_HEADER, "value": value}]}));
            objects.push(self.http_route(&self.route(cluster), &hosts, &json!({
                "matches": matches.collect::<Vec<_>>(),
                "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": [CLUSTER_HEADER]}}],
                "backendRefs": [self.reference(cluster, address)],
            })));
        }
        objects.push(self.traffic(placed));
        objects
    }

    /// The routes of the deployment.
    pub(super) fn targets(&self, placed: &Placed<'_>) -> Vec<Value> {
        let clusters = placed.keys().map(|cluster| self.route(cluster));
        let names = std::iter::once(self.names.name.clone()).chain(clusters);
        names.map(|name| self.target("HTTPRoute", &name)).collect()
    }

    fn http_route(&self, name: &str, hosts: &BTreeSet<&str>, rule: &Value) -> Value {
        let (gateway, namespace) = self.gateway_name();
        let mut parent = json!({"name": gateway});
        if let Some(namespace) = namespace {
            parent["namespace"] = json!(namespace);
        }
        let mut route = self.names.object(GATEWAY_API, "HTTPRoute", name);
        route["spec"] = json!({"parentRefs": [parent], "rules": [rule]});
        // Without names it is for all.
        if !hosts.contains("*") {
            route["spec"]["hostnames"] = json!(hosts);
        }
        route
    }

    /// A large module takes longer than Envoy's 15 s, and what got no answer is sent again.
    fn traffic(&self, placed: &Placed<'_>) -> Value {
        let mut traffic = self
            .names
            .object(API, "BackendTrafficPolicy", &self.names.name);
        traffic["spec"] = json!({
            "targetRefs": self.targets(placed),
            "timeout": {"http": {"requestTimeout": "0s"}},
            "retry": {
                "numRetries": SAME_BACKEND,
                "retryOn": {"triggers": ["reset", "connect-failure", "refused-stream"]},
            },
            "circuitBreaker": {"maxParallelRetries": RETRIES},
        });
        traffic
    }

    /// The names of clients, and those that the filter sends to backends: Envoy looks for the route anew by them.
    fn hosts<'s>(&'s self, plan: &'s Plan) -> BTreeSet<&'s str> {
        self.hosts
            .iter()
            .map(String::as_str)
            .chain(plan.authorities())
            .collect()
    }
}
