//! What all workers of one simulated proxy have in common.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::{Clock, RealClock};
use crate::profile::Profile;
use crate::shared::{SharedData, SharedQueues};
use crate::stats::{Stats, StatsConfig};

/// Envoy's default of `per_connection_buffer_limit_bytes`: 1 MiB.
pub const DEFAULT_BUFFER_LIMIT: usize = 1024 * 1024;

/// How the proxy finds the cluster of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// No route matches: every request that passes the filter is answered 404.
    None,
    /// Every request goes to this cluster.
    Cluster(String),
    /// The request header of this name names the cluster (Envoy's `cluster_header`) and is removed
    /// before the request goes upstream. Without the header there is no such cluster: 503 (seen on
    /// Envoy 1.40, whose documentation says 404).
    ClusterHeader(String),
}

/// What a function that the host lends to the filter gets and gives: bytes, or the ABI's status.
pub type ForeignFunction = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, u32> + Send + Sync>;

/// The configuration of a [`Proxy`].
#[derive(Clone)]
pub struct ProxyConfig {
    /// The clusters that exist.
    pub clusters: BTreeSet<String>,
    /// As which Envoy it behaves.
    pub profile: Profile,
    /// The one route.
    pub route: Route,
    /// The route's name (`xds.route_name`).
    pub route_name: String,
    /// `node.id`.
    pub node_id: String,
    /// `node.cluster`.
    pub node_cluster: String,
    /// How much of a held body is kept, in bytes.
    pub buffer_limit: usize,
    /// The status of a request whose upstream cannot be reached; Envoy answers 503.
    pub unreachable_status: u16,
    /// Names of metrics, labels, buckets.
    pub stats: StatsConfig,
    /// Functions that the filter may call by name, besides `clear_route_cache`.
    pub foreign_functions: HashMap<String, ForeignFunction>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the random numbers of every VM start.
    pub seed: u64,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            clusters: BTreeSet::new(),
            profile: Profile::default(),
            route: Route::ClusterHeader(modgate_go::http::wire::CLUSTER_HEADER.to_owned()),
            route_name: "default".to_owned(),
            node_id: "host-sim".to_owned(),
            node_cluster: "host-sim".to_owned(),
            buffer_limit: DEFAULT_BUFFER_LIMIT,
            unreachable_status: 503,
            stats: StatsConfig::default(),
            foreign_functions: HashMap::new(),
            clock: Arc::new(RealClock::new()),
            seed: 0,
        }
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("clusters", &self.clusters)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// What all workers of one proxy share: clusters and route, metrics, shared data, queues, clock.
#[derive(Debug)]
pub struct Proxy {
    config: ProxyConfig,
    stats: Stats,
    data: SharedData,
    queues: SharedQueues,
    /// The clusters that came later.
    more_clusters: RwLock<BTreeSet<String>>,
}

impl Proxy {
    /// A proxy without workers yet.
    pub fn new(config: ProxyConfig) -> Arc<Self> {
        Arc::new(Self {
            stats: Stats::new(config.stats.clone()),
            data: SharedData::default(),
            queues: SharedQueues::default(),
            more_clusters: RwLock::default(),
            config,
        })
    }

    /// What it was made with.
    pub fn config(&self) -> &ProxyConfig {
        &self.config
    }

    /// Whether there is a cluster of that name.
    pub fn has_cluster(&self, name: &str) -> bool {
        let more = || {
            self.more_clusters
                .read()
                .unwrap_or_else(PoisonError::into_inner)
        };
        self.config.clusters.contains(name) || more().contains(name)
    }

    /// Adds clusters, as a control plane would. None is ever taken away.
    pub fn add_clusters(&self, names: impl IntoIterator<Item = String>) {
        let more = self.more_clusters.write();
        more.unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// The metrics of every worker.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Time since the clock's start, by which timers run.
    pub fn now(&self) -> Duration {
        self.config.clock.monotonic()
    }

    pub(crate) fn data(&self) -> &SharedData {
        &self.data
    }

    pub(crate) fn queues(&self) -> &SharedQueues {
        &self.queues
    }
}
