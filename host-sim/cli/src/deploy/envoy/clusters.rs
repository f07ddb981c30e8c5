//! The backends as Envoy's clusters.

use modgate_go::http::headers::HOST_METADATA;
use serde_json::{Value, json};

use super::Envoy;
use crate::deploy::address::{Address, Host};
use crate::deploy::plan::Plan;
use crate::export::EnvoyRoutes;

/// What the filter gets of a download at a time: with Envoy's 1 MiB one large download that is hashed holds its worker
/// so long that the others wait.
const BUFFER: u32 = 16_384;

const TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";

/// Where Linux distributions, and Envoy's own images, keep the certificate authorities.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

impl Envoy {
    /// A cluster for each that the policy names.
    pub(super) fn clusters(&self, plan: &Plan, routes: &EnvoyRoutes) -> Vec<Value> {
        let options = routes.cluster_options();
        let named = plan.clusters().into_iter();
        let placed = named.filter_map(|cluster| Some((cluster, plan.address(cluster)?)));
        placed
            .map(|(name, address)| {
                let mut cluster = cluster(plan, name, address);
                let of_name = options.get(name).and_then(Value::as_object);
                if let (Some(cluster), Some(options)) = (cluster.as_object_mut(), of_name) {
                    cluster.extend(options.clone());
                }
                cluster
            })
            .collect()
    }
}

fn cluster(plan: &Plan, name: &str, address: &Address) -> Value {
    let host = address.host.to_string();
    let mut endpoint = json!({
        "endpoint": {"address": {"socket_address": {"address": host, "port_value": address.port}}},
    });
    if let Some(backend) = only_backend(plan, name) {
        let [namespace, key] = HOST_METADATA;
        // By this the filter knows which backend of several has answered.
        endpoint["metadata"] = json!({"filter_metadata": {namespace: {key: backend}}});
    }
    let mut cluster = json!({
        "name": name,
        "type": match address.host {
            Host::Name(_) => "STRICT_DNS",
            Host::Ip(_) => "STATIC",
        },
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": BUFFER,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    });
    if plan.fails_over_from(name) {
        // A backend that is down is skipped for a while.
        cluster["outlier_detection"] =
            json!({"consecutive_5xx": 5, "base_ejection_time": "30s", "max_ejection_percent": 100});
    }
    if address.is_tls {
        cluster["transport_socket"] = tls(&address.host);
    }
    cluster
}

fn tls(host: &Host) -> Value {
    let text = host.to_string();
    let (kind, sni) = match host {
        Host::Name(name) => ("DNS", Some(name)),
        Host::Ip(_) => ("IP_ADDRESS", None),
    };
    let mut context = json!({
        "@type": TLS,
        "common_tls_context": {
            "validation_context": {
                "trusted_ca": {"filename": AUTHORITIES},
                "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": text}}],
            },
        },
    });
    if let Some(sni) = sni {
        context["sni"] = json!(sni);
    }
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}

/// The backend of a cluster that has one.
fn only_backend<'p>(plan: &'p Plan, cluster: &str) -> Option<&'p str> {
    let backends = plan.document().backends.iter();
    let mut of_cluster = backends.filter(|(_, backend)| *backend.cluster == *cluster);
    let (name, _) = of_cluster.next()?;
    of_cluster.next().is_none().then_some(name)
}
