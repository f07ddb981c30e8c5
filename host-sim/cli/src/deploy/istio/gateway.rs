//! The filter in a gateway: a listener, and routes that only the filter opens.

use std::collections::BTreeSet;

use modgate_go::http::headers::CLUSTER_HEADER;
use serde_json::{Value, json};

use super::{Destinations, Istio};
use crate::deploy::plan::Plan;
use crate::deploy::route_keys::RouteKeys;

/// At the head of its file.
pub(super) const ABOUT: &str = "The gateway's listener and its routes. Each matches a value that only the filter sends, so without the filter they lead\nnowhere. They hold the route keys: keep them as private as the cluster's own objects.";

/// How often a request that got no answer is sent again: a kept connection may have been closed as it was used.
const SAME_BACKEND: u32 = 3;

/// Where clients come in.
#[derive(Clone, Debug, Default)]
pub(in crate::deploy) struct Listens {
    /// The names by which clients reach it.
    pub(in crate::deploy) hosts: Vec<String>,
    pub(in crate::deploy) port: u16,
    /// The Secret with the certificate.
    pub(in crate::deploy) tls_secret: Option<String>,
    /// Whether clients must have certificates.
    pub(in crate::deploy) mutual: bool,
    /// A Gateway that is there already, in whose place none is written.
    pub(in crate::deploy) gateway: Option<String>,
}

impl Listens {
    /// Whether clients speak TLS. Of a gateway that somebody else defines nothing is known.
    pub(super) const fn is_tls(&self) -> bool {
        self.tls_secret.is_some() || self.gateway.is_some()
    }

    /// Whether a client's certificate is verified. Of a gateway that somebody else defines nothing is known.
    pub(super) const fn asks_for_certificates(&self) -> bool {
        self.mutual || self.gateway.is_some()
    }
}

impl Istio {
    /// A Gateway, where none is there, and a VirtualService.
    pub(super) fn gateway(
        &self,
        plan: &Plan,
        keys: &RouteKeys,
        destinations: &Destinations<'_>,
    ) -> Vec<Value> {
        let hosts = self.hosts(plan);
        let gateway = self
            .listens
            .gateway
            .as_ref()
            .map_or(&self.names.name, |gateway| gateway);
        let mut routes =
            self.names
                .object("networking.istio.io/v1", "VirtualService", &self.names.name);
        let unique: BTreeSet<_> = destinations
            .values()
            .map(|(destination, _)| destination)
            .collect();
        let http: Vec<Value> = unique
            .into_iter()
            .map(|destination| {
                let cluster = destination.cluster();
                let matches = keys.values(&cluster).into_iter();
                let matches = matches.map(|value| json!({"headers": {CLUSTER_HEADER: {"exact": value}}}));
                let mut to = json!({"host": destination.host, "port": {"number": destination.port}});
                if let Some(subset) = &destination.subset {
                    to["subset"] = json!(subset);
                }
                json!({
                    "name": cluster,
                    "match": matches.collect::<Vec<_>>(),
                    "headers": {"request": {"remove": [CLUSTER_HEADER]}},
                    "route": [{"destination": to}],
                    "retries": {"attempts": SAME_BACKEND, "retryOn": "reset,connect-failure,refused-stream"},
                })
            })
            .collect();
        routes["spec"] = json!({"hosts": hosts, "gateways": [gateway], "http": http});
        if self.listens.gateway.is_some() {
            return vec![routes];
        }
        vec![self.listener(&hosts), routes]
    }

    fn listener(&self, hosts: &BTreeSet<&str>) -> Value {
        let mut gateway = self
            .names
            .object("networking.istio.io/v1", "Gateway", &self.names.name);
        let protocol = if self.listens.is_tls() {
            "HTTPS"
        } else {
            "HTTP"
        };
        let number = self.listens.port;
        let port = json!({"number": number, "name": format!("{}-{number}", protocol.to_lowercase()), "protocol": protocol});
        let mut server = json!({"port": port, "hosts": hosts});
        if let Some(secret) = &self.listens.tls_secret {
            let mode = if self.listens.mutual {
                "MUTUAL"
            } else {
                "SIMPLE"
            };
            server["tls"] = json!({"mode": mode, "credentialName": secret});
        }
        gateway["spec"] = json!({"selector": self.selector, "servers": [server]});
        gateway
    }

    /// The names of clients, and those that the filter sends to backends: Envoy looks for the route anew by them.
    fn hosts<'s>(&'s self, plan: &'s Plan) -> BTreeSet<&'s str> {
        let hosts: BTreeSet<&str> = self.listens.hosts.iter().map(String::as_str).collect();
        // Every host has them, too, and Istio refuses both beside each other.
        if hosts.contains("*") {
            return hosts;
        }
        hosts.into_iter().chain(plan.authorities()).collect()
    }
}
