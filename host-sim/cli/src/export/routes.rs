//! Envoy's routes and clusters for a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use envoy_wasm_serve::clusters::{AddedHeader, Clusters, Member};
use modgate_go::http::headers::{
    CANDIDATE_FAILOVER_PREFIX, CLUSTER_HEADER, FAILOVER_PREFIX, HOST_METADATA,
};
use serde_json::{Map, Value, json};

/// How many requests at a time may go on to the next backend, or to the same once more. Envoy's default
/// of three would fail the others while a backend is down, or is started anew.
const RETRIES: u32 = 1024;

/// How often a request that got no answer is sent again to its backend: a kept connection may have been
/// closed as it was used, and so may the next one.
const SAME_BACKEND: u32 = 3;

const TYPE: &str = "type.googleapis.com/envoy";
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// What of Envoy's configuration depends on a policy.
#[derive(Clone, Debug)]
pub struct EnvoyRoutes {
    clusters: Clusters,
    /// The files that hold secrets, by name; of the others Envoy must know by itself.
    secrets: BTreeMap<String, PathBuf>,
    /// Whether the filter's own questions go on to the next backend, too, which older Envoys cannot.
    retry_callouts: bool,
}

impl EnvoyRoutes {
    /// What Envoy must have for these clusters.
    pub const fn new(
        clusters: Clusters,
        secrets: BTreeMap<String, PathBuf>,
        retry_callouts: bool,
    ) -> Self {
        Self {
            clusters,
            secrets,
            retry_callouts,
        }
    }

    /// The `route_config` of the listener's connection manager.
    ///
    /// Every request goes to the cluster that the filter names in a header. For clusters of several
    /// backends there are retries, each at a backend that was not tried before.
    pub fn route_config(&self) -> Value {
        let mut routes: Vec<Value> = self.by_route().map(failover_route).collect();
        routes.push(json!({
            "match": {"prefix": "/"},
            "route": forwarding(same_backend()),
            "request_headers_to_remove": [CLUSTER_HEADER],
        }));
        json!({
            "name": "goproxy",
            "virtual_hosts": [{"name": "goproxy", "domains": ["*"], "routes": routes}],
        })
    }

    /// The clusters in which backends stand in for each other.
    pub fn clusters(&self) -> Vec<Value> {
        let failovers = self.clusters.failovers.iter();
        failovers
            .map(|(name, members)| self.failover(name, members))
            .collect()
    }

    /// What is to be added to the clusters that the policy's backends are in, by their names: retries of
    /// the filter's own questions, which no route leads, and headers.
    pub fn cluster_options(&self) -> Map<String, Value> {
        let backends = self.clusters.backends.iter();
        let clusters: BTreeSet<&str> = backends.map(|member| &*member.cluster).collect();
        clusters
            .into_iter()
            .map(|cluster| (cluster.to_owned(), self.options(cluster)))
            .collect()
    }

    fn options(&self, cluster: &str) -> Value {
        let mut more = Map::new();
        if self.retry_callouts {
            more.insert("retry_policy".to_owned(), same_backend());
        }
        if let Some(headers) = self.clusters.headers.get(cluster) {
            more.insert("http_filters".to_owned(), header_filters(headers));
        }
        let mut options = match more.is_empty() {
            true => json!({}),
            false => http_options(Value::Object(more)),
        };
        options["circuit_breakers"] = circuit_breakers();
        options
    }

    /// The bootstrap's static secrets, for those of which it is known where they are.
    pub fn secrets(&self) -> Vec<Value> {
        let used = self.clusters.secrets();
        let known = self
            .secrets
            .iter()
            .filter(|(name, _)| used.contains(name.as_str()));
        known
            .map(|(name, file)| {
                json!({"name": name, "generic_secret": {"secret": {"filename": file}}})
            })
            .collect()
    }

    /// What a person has to know of the clusters that are his own, in sentences.
    pub fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let members: BTreeSet<(&str, &str)> = self
            .clusters
            .failovers
            .values()
            .flatten()
            .map(|member| (&*member.cluster, &*member.backend))
            .collect();
        let [namespace, key] = HOST_METADATA;
        hints.extend(members.into_iter().map(|(cluster, backend)| {
            format!(
                "Give the endpoints of the cluster {cluster} the metadata {{filter_metadata: {{{namespace}: {{{key}: {backend}}}}}}}, \
                 so that metrics show which backend answered; and give the cluster outlier_detection, so that a backend that is down is skipped."
            )
        }));
        let unknown = self.clusters.secrets().into_iter();
        let unknown = unknown.filter(|name| !self.secrets.contains_key(*name));
        hints.extend(unknown.map(|name| {
            format!("Envoy needs the generic secret {name}; --secret {name}=FILE adds it to the bootstrap.")
        }));
        hints
    }

    /// The routes of the policy that fail over, by what their clusters' names begin with, with how
    /// many backends there are.
    fn by_route(&self) -> impl Iterator<Item = (String, usize)> {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for (name, members) in &self.clusters.failovers {
            let mut prefixes = [FAILOVER_PREFIX, CANDIDATE_FAILOVER_PREFIX].into_iter();
            let prefix = prefixes.find_map(|prefix| {
                let (route, _) = name.strip_prefix(prefix)?.split_once('.')?;
                Some(format!("{prefix}{route}."))
            });
            if let Some(prefix) = prefix {
                found.insert(prefix, members.len());
            }
        }
        found.into_iter()
    }

    fn failover(&self, name: &str, members: &[Member]) -> Value {
        let clusters: Vec<&str> = members.iter().map(|member| &*member.cluster).collect();
        let mut cluster = json!({
            "name": name,
            "connect_timeout": "5s",
            "lb_policy": "CLUSTER_PROVIDED",
            "cluster_type": {
                "name": "envoy.clusters.aggregate",
                "typed_config": {
                    "@type": format!("{TYPE}.extensions.clusters.aggregate.v3.ClusterConfig"),
                    "clusters": clusters,
                },
            },
            "circuit_breakers": circuit_breakers(),
        });
        let mut options = Map::new();
        if self.retry_callouts {
            options.insert("retry_policy".to_owned(), retry_policy(members.len()));
        }
        let mut headers = members
            .iter()
            .filter_map(|member| self.clusters.headers.get(&member.cluster));
        if let Some(headers) = headers.next() {
            options.insert("http_filters".to_owned(), header_filters(headers));
        }
        if !options.is_empty() {
            let options = http_options(Value::Object(options));
            cluster["typed_extension_protocol_options"] =
                options["typed_extension_protocol_options"].clone();
        }
        cluster
    }
}

/// The time limit is the idle one: a large module may take longer than any other.
fn forwarding(retry_policy: Value) -> Value {
    json!({
        "cluster_header": CLUSTER_HEADER,
        "timeout": "0s",
        "idle_timeout": "300s",
        "retry_policy": retry_policy,
    })
}

fn circuit_breakers() -> Value {
    json!({"thresholds": [{"max_retries": RETRIES}]})
}

/// What got no answer goes to the same backend again. The filter lets only GET and HEAD pass, which are
/// safe to send twice, and nothing is sent again once an answer has begun.
fn same_backend() -> Value {
    json!({"retry_on": "reset,connect-failure,refused-stream", "num_retries": SAME_BACKEND})
}

fn failover_route((prefix, backends): (String, usize)) -> Value {
    json!({
        "match": {
            "prefix": "/",
            "headers": [{"name": CLUSTER_HEADER, "string_match": {"prefix": prefix}}],
        },
        "route": forwarding(retry_policy(backends)),
        "request_headers_to_remove": [CLUSTER_HEADER],
    })
}

/// Each retry goes to the priority, which is a backend here, that was not tried yet.
fn retry_policy(backends: usize) -> Value {
    json!({
        "retry_on": "5xx",
        "num_retries": backends.saturating_sub(1),
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": format!("{TYPE}.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
                "update_frequency": 1,
            },
        },
    })
}

/// HTTP options of a cluster, with more in them.
fn http_options(more: Value) -> Value {
    let mut options = json!({
        "@type": format!("type.googleapis.com/{HTTP_OPTIONS}"),
        "explicit_http_config": {"http_protocol_options": {}},
    });
    if let (Some(options), Value::Object(more)) = (options.as_object_mut(), more) {
        options.extend(more);
    }
    json!({"typed_extension_protocol_options": {HTTP_OPTIONS: options}})
}

/// Upstream filters of a cluster, so that the filter's own questions carry the headers, too.
fn header_filters(headers: &[AddedHeader]) -> Value {
    let injector = |header: &AddedHeader| {
        json!({
            "name": "envoy.filters.http.credential_injector",
            "typed_config": {
                "@type": format!("{TYPE}.extensions.filters.http.credential_injector.v3.CredentialInjector"),
                "overwrite": true,
                "credential": {
                    "name": "envoy.http.injected_credentials.generic",
                    "typed_config": {
                        "@type": format!("{TYPE}.extensions.http.injected_credentials.generic.v3.Generic"),
                        "credential": {"name": header.secret},
                        "header": header.name,
                    },
                },
            },
        })
    };
    let mut filters: Vec<Value> = headers.iter().map(injector).collect();
    filters.push(json!({
        "name": "envoy.filters.http.upstream_codec",
        "typed_config": {"@type": format!("{TYPE}.extensions.filters.http.upstream_codec.v3.UpstreamCodec")},
    }));
    filters.into()
}
