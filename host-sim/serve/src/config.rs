//! What a proxy is started with.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::{LogLevel, Route, stats::StatsConfig};

use crate::clusters::Clusters;

use super::access::AccessRecord;
use super::origin::port;

/// A backend that the filter can name: its cluster, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The name of the cluster, as the policy names it.
    pub name: String,
    /// `http` or `https`, host and port, without a path: the path belongs into the policy.
    pub url: http::Uri,
}

impl Upstream {
    /// An upstream of that name at that URL.
    ///
    /// # Errors
    /// One sentence that says what is wrong with the URL.
    pub fn new(name: &str, url: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err(format!("the upstream {url} has no name; write NAME=URL"));
        }
        let uri: http::Uri = url
            .parse()
            .map_err(|error| format!("{url} is not a URL: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!("{url} is not a URL like http://127.0.0.1:3000"));
        }
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(format!(
                "the URL of upstream {name} has a user name, which is never sent; remove it"
            ));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!(
                "the URL of upstream {name} has a path; put it into the policy as the backend's `base_path`"
            ));
        }
        port(&uri).map_err(|error| format!("the URL of upstream {name}: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            url: uri,
        })
    }
}

/// `NAME=URL`, as on the command line.
impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, url) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not NAME=URL"))?;
        Self::new(name, url)
    }
}

/// Where the plugin's configuration comes from.
#[derive(Clone, Debug)]
pub enum Policy {
    /// A file, read again whenever it changes; a bad one leaves the last good one in force.
    File(PathBuf),
    /// These bytes, for as long as the proxy runs.
    Fixed(Vec<u8>),
}

/// Where the compiled module comes from.
#[derive(Clone, Debug)]
pub enum ModuleSource {
    /// A `.wasm` file.
    File(PathBuf),
    /// The module itself, binary.
    Bytes(Vec<u8>),
}

/// Called once for each request that ended.
pub type AccessLog = Arc<dyn Fn(&AccessRecord) + Send + Sync>;

/// Called for each line that the filter or the proxy writes.
pub type LineLog = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Reports what a policy needs of the clusters.
pub type PolicyReader = Arc<dyn Fn(&[u8]) -> Clusters + Send + Sync>;

/// Makes what the filter reads of a policy's file, or says in a sentence why it is none.
pub type PolicyFormat = Arc<dyn Fn(&Path, &[u8]) -> Result<Vec<u8>, String> + Send + Sync>;

/// How a filter and its proxy understand each other, beside the ABI.
#[derive(Clone, Debug, Default)]
pub struct Conventions {
    /// The name of the plugin, of its root context and of its VM.
    pub name: String,
    /// The request header in which the filter names a request's cluster; what a client sends in it is
    /// removed. Without one all requests go to the first upstream.
    pub cluster_header: Option<String>,
    /// The property in which the filter leaves what it says of a request for the access log: the inside
    /// of a JSON string that goes on in further members. It is the member's name too.
    pub access_property: Option<String>,
    /// The namespace and the key of the upstream host's metadata in which the filter finds which backend
    /// of a cluster of several has answered.
    pub host_metadata: Option<[String; 2]>,
}

impl Conventions {
    /// The route for these upstreams.
    pub(super) fn route(&self, upstreams: &[Upstream]) -> Route {
        match (&self.cluster_header, upstreams.first()) {
            (Some(header), _) => Route::ClusterHeader(header.clone()),
            (None, Some(first)) => Route::Cluster(first.name.clone()),
            (None, None) => Route::None,
        }
    }
}

/// What a proxy is started with. [`ServeConfig::new`] gives defaults for everything but the three
/// things that have none.
#[derive(Clone)]
pub struct ServeConfig {
    /// The filter.
    pub module: ModuleSource,
    /// The filter's configuration.
    pub policy: Policy,
    /// How the filter and its proxy understand each other.
    pub conventions: Conventions,
    /// The backends, by the name of their cluster.
    pub upstreams: Vec<Upstream>,
    /// Certificates (PEM) of authorities that upstreams are trusted by, beside the machine's own.
    pub ca_files: Vec<PathBuf>,
    /// Address for client requests. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address for `/metrics` and `/ready`. Port 0 takes a free one.
    pub admin: SocketAddr,
    /// Reads every policy before the filter does; one that needs clusters or secrets that are not
    /// there is refused. Without it a policy needs nothing.
    pub policy_reader: Option<PolicyReader>,
    /// Reads a policy's file that is not the JSON which the filter takes; without it the file's bytes are
    /// handed on as they are.
    pub policy_format: Option<PolicyFormat>,
    /// The files with the values of headers that are added for backends, by the names that the policy
    /// has for them.
    pub secrets: BTreeMap<String, PathBuf>,
    /// Worker threads, each with its own VM, as in Envoy.
    pub workers: usize,
    /// How long running requests may take to finish after SIGINT or SIGTERM.
    pub drain: Duration,
    /// How long to wait for an upstream to accept a connection (Envoy's default is 5 s).
    pub connect_timeout: Duration,
    /// How long a request may go without a byte in either direction (Envoy's default is 5 min).
    pub idle_timeout: Duration,
    /// How often a policy file is looked at.
    pub policy_poll: Duration,
    /// How the names of metrics are cut into labels, and the buckets of histograms.
    pub stats: StatsConfig,
    /// Keeps compiled modules on disk for the next start, in this directory.
    pub module_cache: Option<PathBuf>,
    /// Called for each request that ended.
    pub access_log: Option<AccessLog>,
    /// Called for each line of the filter's and the proxy's log; standard error where there is none.
    pub log: Option<LineLog>,
}

impl ServeConfig {
    /// A proxy on free ports of the loopback interface, with one worker.
    pub fn new(module: ModuleSource, policy: Policy, upstreams: Vec<Upstream>) -> Self {
        Self {
            module,
            policy,
            conventions: Conventions::default(),
            policy_reader: None,
            policy_format: None,
            secrets: BTreeMap::new(),
            upstreams,
            ca_files: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 1,
            drain: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(300),
            policy_poll: Duration::from_millis(250),
            stats: StatsConfig::default(),
            module_cache: None,
            access_log: None,
            log: None,
        }
    }
}

impl fmt::Debug for ServeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeConfig")
            .field("listen", &self.listen)
            .field("admin", &self.admin)
            .field("workers", &self.workers)
            .field("upstreams", &self.upstreams)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_name_and_an_origin() {
        let upstream: Upstream = "athens=http://127.0.0.1:3000".parse().unwrap();
        assert_eq!(upstream.name, "athens");
        assert_eq!(upstream.url.port_u16(), Some(3000));
        let rows = [
            ("athens", "NAME=URL"),
            ("=http://a", "no name"),
            ("a=ftp://b", "not a URL like"),
            ("a=/x", "not a URL like"),
            ("a=http://b/path", "base_path"),
            ("a=http://u:p@b", "user name"),
            ("a=http://b:70000", "from 1 to 65535"),
            ("a=http://b:", "from 1 to 65535"),
        ];
        table_rows::check(rows, |(bad, says)| {
            let error = bad.parse::<Upstream>().unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
            assert!(!error.contains("u:p"), "a secret is in: {error}");
        });
    }
}
