//! Real Envoy with the configuration that the project ships, on free ports.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::modgate::{modgate, stderr, stdout};
use crate::pki::Identity;
use crate::process::Process;
use crate::tools::{dist, root, tool};

/// What an Envoy is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The policy document.
    pub policy: Value,
    /// Clusters and where they are.
    pub clusters: Vec<(String, SocketAddr)>,
    /// Worker threads.
    pub concurrency: u32,
    /// Whether the filter is there at all.
    pub filter: bool,
    /// The filter's module.
    pub module: PathBuf,
    /// Whether the bootstrap cuts the labels out of the metrics' names.
    pub stats_tags: bool,
    /// What `modgate envoy-routes` makes of the policy, where that is wanted.
    pub routes: Option<Value>,
    /// The filter's file, where it is not the harness that writes it.
    pub filter_file: Option<PathBuf>,
}

impl Config {
    /// One worker, with the filter.
    pub fn new(policy: Value, clusters: &[(&str, SocketAddr)]) -> Self {
        let clusters = clusters
            .iter()
            .map(|(name, at)| ((*name).to_owned(), *at))
            .collect();
        Self {
            policy,
            clusters,
            concurrency: 1,
            filter: true,
            module: dist("modgate.wasm"),
            stats_tags: true,
            routes: None,
            filter_file: None,
        }
    }

    /// With the routes and clusters that `modgate envoy-routes` makes of the policy; `secrets` are names
    /// and files.
    ///
    /// # Panics
    /// Where it makes none.
    #[must_use]
    pub fn with_routes(mut self, secrets: &[(&str, &Path)]) -> Self {
        let arguments = ["envoy-routes", "-"].map(ToOwned::to_owned);
        let secrets = secrets
            .iter()
            .map(|(name, file)| format!("--secret={name}={}", file.display()));
        let policy = self.policy.to_string();
        let made = modgate(arguments.into_iter().chain(secrets), policy.as_bytes());
        assert!(made.status.success(), "{}", stderr(&made));
        let routes = plain_yaml::from_str(&stdout(&made));
        self.routes = Some(routes.unwrap_or_else(|e| panic!("envoy-routes: {e}")));
        self
    }
}

/// Where the listener stands in the shipped file, and its connection manager in it.
const LISTENER: &str = "/static_resources/listeners/0";
const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";

/// The shipped listener, to be changed by a test.
#[derive(Debug)]
pub struct Listener<'v>(&'v mut Value);

impl<'v> Listener<'v> {
    /// The one in a bootstrap.
    pub fn of(bootstrap: &'v mut Value) -> Self {
        Self(at(bootstrap, LISTENER))
    }

    /// Its connection manager.
    pub fn manager(&mut self) -> &mut Value {
        at(self.0, MANAGER)
    }

    /// Puts an HTTP filter before Modgate's.
    pub fn put_before(&mut self, name: &str, typed_config: Value) {
        let filters = at(self.0, &format!("{MANAGER}/http_filters"));
        let filter = json!({"name": name, "typed_config": typed_config});
        if let Some(filters) = filters.as_array_mut() {
            filters.insert(0, filter);
        }
    }

    /// Lets Envoy close a connection as soon as it has refused it, and not a second later.
    pub fn close_at_once(&mut self) {
        at(self.0, MANAGER)["delayed_close_timeout"] = json!("0.02s");
    }

    /// Sets how many bytes Envoy holds of a stream.
    pub fn limit_buffers(&mut self, bytes: u32) {
        self.0["per_connection_buffer_limit_bytes"] = json!(bytes);
    }

    /// Gives the filter chain a name.
    pub fn name_filter_chain(&mut self, name: &str) {
        at(self.0, "/filter_chains/0")["name"] = json!(name);
    }

    /// Serves https with this certificate; with a CA it wants a client certificate of its own.
    pub fn serve_https(&mut self, identity: &Identity, client_ca: Option<&str>) {
        let mut context = json!({"tls_certificates": [{
            "certificate_chain": {"inline_string": identity.chain},
            "private_key": {"inline_string": identity.key},
        }], "alpn_protocols": ["h2", "http/1.1"]});
        if let Some(ca) = client_ca {
            context["validation_context"] = json!({"trusted_ca": {"inline_string": ca}});
        }
        at(self.0, "/filter_chains/0")["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": client_ca.is_some(),
                "common_tls_context": context,
            },
        });
        // The name that the client asks for can be read.
        self.0["listener_filters"] = json!([{
            "name": "envoy.filters.listener.tls_inspector",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"},
        }]);
    }
}

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    dir: TempDir,
    module: PathBuf,
    filter_file: PathBuf,
    generation: u32,
}

impl Envoy {
    /// Starts Envoy and waits until its listener is there.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start(config: &Config) -> Self {
        Self::start_with(config, |_| ())
    }

    /// Starts Envoy with a listener that the test changes: the shipped one with free ports.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start_with(config: &Config, change: impl FnOnce(&mut Listener<'_>)) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let bootstrap = dir.path().join("envoy.json");
        let admin_file = dir.path().join("admin.txt");
        let filter = config.filter_file.clone().unwrap_or_else(|| {
            let filter = dir.path().join("modgate.json");
            write(&filter, &filter_file(&config.module, &config.policy, 0));
            filter
        });
        let mut file = bootstrap_file(config, &filter);
        change(&mut Listener::of(&mut file));
        write(&bootstrap, &file);
        let mut command = Command::new(tool("envoy"));
        command
            .arg("-c")
            .arg(&bootstrap)
            .args(["--use-dynamic-base-id", "--log-level", "info"])
            // Or the access log would be held back for ten seconds.
            .args(["--file-flush-interval-msec", "50"])
            .args(["--concurrency", &config.concurrency.to_string()])
            .arg("--admin-address-path")
            .arg(&admin_file);
        let mut process = Process::start("envoy", command, dir.path());
        let admin = process.wait_until("admin interface", || {
            fs::read_to_string(&admin_file).ok()?.trim().parse().ok()
        });
        let address = process.wait_until("ready", || listener_address(admin));
        Self {
            process,
            address,
            admin,
            dir,
            module: config.module.clone(),
            filter_file: filter,
            generation: 0,
        }
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The filter's file.
    pub fn filter_file(&self) -> PathBuf {
        self.filter_file.clone()
    }

    /// What Envoy shows to Prometheus.
    pub fn prometheus(&self) -> String {
        http::get(self.admin, "/stats/prometheus").body
    }

    /// The value of one of Envoy's own stats; 0 where there is none.
    pub fn stat(&self, name: &str) -> u64 {
        let text = http::get(self.admin, &format!("/stats?filter=^{name}$")).body;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Hands a policy over as a control plane does: a new file, moved into place. Gives the counters
    /// of taken and refused configurations back as they were before.
    pub fn hand_over(&mut self, policy: &Value) -> (u64, u64) {
        let before = self.reloads();
        self.generation += 1;
        let new = self.dir.path().join("modgate.json.new");
        write(&new, &filter_file(&self.module, policy, self.generation));
        let target = &self.filter_file;
        fs::rename(&new, target).unwrap_or_else(|e| panic!("{}: {e}", target.display()));
        before
    }

    /// Hands a policy over and waits until Envoy has taken (`true`) or refused it.
    pub fn reload(&mut self, policy: &Value) -> bool {
        let (taken, refused) = self.hand_over(policy);
        let admin = self.admin;
        self.process.wait_until("taking the policy", || {
            let (now_taken, now_refused) = reloads(admin);
            match (now_taken > taken, now_refused > refused) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            }
        })
    }

    /// How many configurations of the filter were taken, and how many refused.
    pub fn reloads(&self) -> (u64, u64) {
        reloads(self.admin)
    }
}

/// How many configurations of the filter were taken, and how many refused.
pub fn reloads(admin: SocketAddr) -> (u64, u64) {
    let text = http::get(admin, "/stats?filter=extension_config_discovery").body;
    let sum = |end: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let values = lines.filter(|(name, _)| name.ends_with(end));
        values
            .filter_map(|(_, value)| value.trim().parse::<u64>().ok())
            .sum()
    };
    // `config_reload` counts both.
    (sum(".update_success"), sum(".update_rejected"))
}

/// Where the listener `goproxy` is, once Envoy is ready.
pub fn listener_address(admin: SocketAddr) -> Option<SocketAddr> {
    let ready = http::try_get(admin, "/ready")?;
    if ready.status != 200 {
        return None;
    }
    let listeners = http::try_get(admin, "/listeners")?.body;
    let line = listeners
        .lines()
        .find_map(|line| line.strip_prefix("goproxy::"))?;
    line.trim().parse().ok()
}

/// The shipped bootstrap with free ports and the clusters of the test; all else as it is.
fn bootstrap_file(config: &Config, filter: &Path) -> Value {
    let mut bootstrap = shipped("envoy.yaml");
    *at(&mut bootstrap, "/admin/address/socket_address/port_value") = json!(0);
    *at(
        &mut bootstrap,
        &format!("{LISTENER}/address/socket_address/port_value"),
    ) = json!(0);
    let manager = format!("{LISTENER}{MANAGER}");
    if config.filter {
        let source = "http_filters/0/config_discovery/config_source/path_config_source";
        *at(&mut bootstrap, &format!("{manager}/{source}/path")) = json!(filter);
        *at(
            &mut bootstrap,
            &format!("{manager}/{source}/watched_directory/path"),
        ) = json!(filter.parent());
    } else {
        let filters = at(&mut bootstrap, &format!("{manager}/http_filters"));
        filters.as_array_mut().map(|filters| filters.remove(0));
    }
    if !config.stats_tags {
        *at(&mut bootstrap, "/stats_config/stats_tags") = json!([]);
    }
    let template = at(&mut bootstrap, "/static_resources/clusters/0").clone();
    let clusters = config
        .clusters
        .iter()
        .map(|(name, address)| cluster(&template, name, *address));
    let clusters: Vec<Value> = clusters.collect();
    *at(&mut bootstrap, "/static_resources/clusters") = json!(clusters);
    if let Some(routes) = &config.routes {
        put_routes(&mut bootstrap, &config.policy, routes);
    }
    bootstrap
}

/// Puts what `modgate envoy-routes` printed where its reader is told to.
fn put_routes(bootstrap: &mut Value, policy: &Value, routes: &Value) {
    *at(bootstrap, &format!("{LISTENER}{MANAGER}/route_config")) = routes["route_config"].clone();
    let clusters = at(bootstrap, "/static_resources/clusters");
    let clusters = clusters.as_array_mut().into_iter().flatten();
    for cluster in clusters {
        let name = cluster["name"].as_str().unwrap_or_default().to_owned();
        let options = routes["cluster_options"]
            .get(&name)
            .and_then(Value::as_object);
        for (key, value) in options.into_iter().flatten() {
            cluster[key] = value.clone();
        }
        let backends = policy["backends"].as_object().into_iter().flatten();
        let mut of_cluster = backends.filter(|(_, backend)| backend["cluster"] == json!(name));
        if let Some((backend, _)) = of_cluster.next() {
            let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0";
            at(cluster, endpoint)["metadata"] =
                json!({"filter_metadata": {"modgate": {"backend": backend}}});
            // As docs/guides/failover.md has it.
            cluster["outlier_detection"] = json!({
                "consecutive_5xx": 5, "base_ejection_time": "30s", "max_ejection_percent": 100,
            });
        }
    }
    for key in ["clusters", "secrets"] {
        let more = routes[key].as_array().cloned().unwrap_or_default();
        let all = &mut bootstrap["static_resources"][key];
        match all.as_array_mut() {
            Some(all) => all.extend(more),
            None => *all = more.into(),
        }
    }
}

fn cluster(template: &Value, name: &str, address: SocketAddr) -> Value {
    let mut cluster = template.clone();
    cluster["name"] = json!(name);
    cluster["load_assignment"]["cluster_name"] = json!(name);
    let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    *at(&mut cluster, endpoint) =
        json!({"address": address.ip().to_string(), "port_value": address.port()});
    cluster
}

/// The shipped file of the filter with the policy and a module.
pub fn filter_file(module: &Path, policy: &Value, generation: u32) -> Value {
    let mut file = shipped("modgate.yaml");
    file["version_info"] = json!(generation.to_string());
    let config = "/resources/0/typed_config/config";
    *at(
        &mut file,
        &format!("{config}/vm_config/code/local/filename"),
    ) = json!(module);
    // What is no policy, for a filter of another kind, is handed over as it is.
    let text = policy
        .as_str()
        .map_or_else(|| policy.to_string(), ToOwned::to_owned);
    *at(&mut file, &format!("{config}/configuration/value")) = json!(text);
    file
}

/// One of the files in `envoy/`.
///
/// # Panics
/// Where it is no YAML.
pub fn shipped(name: &str) -> Value {
    let path: PathBuf = root().join("envoy").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    plain_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn at<'v>(value: &'v mut Value, pointer: &str) -> &'v mut Value {
    value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("the shipped file has no {pointer}"))
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
