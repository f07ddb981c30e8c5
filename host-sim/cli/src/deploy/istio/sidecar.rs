//! The filter in the sidecar of the Go proxy's pods.

use modgate_go::http::headers::CLUSTER_HEADER;
use serde_json::{Value, json};

use super::{Istio, Place, names};
use crate::deploy::plan::Plan;
use crate::deploy::route_keys::RouteKeys;

/// At the head of its file.
pub(super) const ABOUT: &str = "The Go proxy answers only what has passed the filter: everything else is refused with 403. It holds the route keys: keep\nit as private as the cluster's own objects.";

impl Istio {
    /// The port of the Go proxy in the sidecar's own pod; none at a gateway.
    pub(super) fn local_port(&self, plan: &Plan) -> Option<u16> {
        let addresses = plan
            .clusters()
            .into_iter()
            .filter_map(|cluster| plan.address(cluster));
        let mut local =
            addresses.filter(|address| self.place == Place::Sidecar && address.is_local());
        local.next().map(|address| address.port)
    }

    /// Denies every request to the Go proxy that does not carry one of the keys in the header that the filter sets. A
    /// sidecar's inbound listener has a route to the pod whatever the header says, so it takes this to shut it.
    pub(super) fn access(&self, port: u16, keys: &RouteKeys) -> Value {
        let mut policy = self.names.object(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            &self.names.name,
        );
        policy["spec"] = json!({
            "selector": {"matchLabels": self.selector},
            "action": "DENY",
            "rules": [{
                "to": [{"operation": {"ports": [port.to_string()]}}],
                "when": [{
                    "key": format!("request.headers[{CLUSTER_HEADER}]"),
                    "notValues": keys.values(&names::inbound(port)),
                }],
            }],
        });
        policy
    }
}
