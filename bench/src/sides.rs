//! The sides: Envoy as the project ships it, the same Envoy without anything of Modgate's, and with filters to
//! measure it by. All verify who a client is, where the benchmark wants that.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::identity::Credentials;
use super::workload::CLUSTER;
use modgate_harness::envoy::{Listener, shipped};
use modgate_harness::http;
use modgate_harness::process::Process;
use modgate_harness::tools::tool;

/// Where the connection manager stands in the shipped file.
const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// An Envoy that is measured. It has one worker.
#[derive(Debug)]
pub struct Side {
    /// Where the load goes.
    pub address: SocketAddr,
    /// Where its figures are.
    pub admin: SocketAddr,
    /// The process.
    pub process: Process,
    /// From its start until it was ready.
    pub ready_after: Duration,
    // Its files live as long as it does.
    _dir: TempDir,
}

/// Envoy with the module and this policy, loaded from a file by extension config discovery.
///
/// # Errors
/// Where a file cannot be written.
pub fn with_filter(
    module: &Path,
    policy: &Value,
    credentials: &Credentials,
    access_log: bool,
    upstream: SocketAddr,
) -> io::Result<Side> {
    let dir = tempfile::tempdir()?;
    let filter = filter(module, &policy.to_string());
    as_shipped(dir, &filter, credentials, access_log, upstream)
}

fn as_shipped(
    dir: TempDir,
    filter: &Value,
    credentials: &Credentials,
    access_log: bool,
    upstream: SocketAddr,
) -> io::Result<Side> {
    let filter_file = dir.path().join("modgate.json");
    fs::write(&filter_file, filter.to_string())?;

    let mut bootstrap = common(upstream, access_log);
    let source = format!("{MANAGER}/http_filters/0/config_discovery/config_source");
    set(
        &mut bootstrap,
        &format!("{source}/path_config_source"),
        json!({"path": filter_file, "watched_directory": {"path": dir.path()}}),
    );
    credentials.prepare(&mut Listener::of(&mut bootstrap));
    start("with", &bootstrap, dir)
}

/// The shipped filter's file with this module and configuration.
fn filter(module: &Path, configuration: &str) -> Value {
    let mut filter = shipped("modgate.yaml");
    let config = "/resources/0/typed_config/config";
    set(
        &mut filter,
        &format!("{config}/vm_config/code/local/filename"),
        json!(module),
    );
    set(
        &mut filter,
        &format!("{config}/configuration/value"),
        json!(configuration),
    );
    filter
}

/// A filter that does nothing, as WebAssembly text.
pub const NOTHING: &str = include_str!("../reference/nothing.wat");

/// A filter that makes the calls that Modgate makes for a small request, and no more.
pub const SAME_CALLS: &str = include_str!("../reference/same_calls.wat");

/// Envoy that routes everything to the upstream, with [`NOTHING`] in between.
///
/// # Errors
/// Where a file cannot be written.
pub fn with_nothing(
    credentials: &Credentials,
    access_log: bool,
    upstream: SocketAddr,
) -> io::Result<Side> {
    let dir = tempfile::tempdir()?;
    let mut filter = filter(&reference(&dir, NOTHING)?, "");
    let mut bootstrap = unfiltered(access_log, upstream);
    let filters = at(&mut bootstrap, &format!("{MANAGER}/http_filters"));
    if let Some(filters) = filters.as_array_mut() {
        let config = at(&mut filter, "/resources/0/typed_config").take();
        filters.insert(0, json!({"name": "nothing", "typed_config": config}));
    }
    credentials.prepare(&mut Listener::of(&mut bootstrap));
    start("nothing", &bootstrap, dir)
}

/// Envoy as the project ships it, with [`SAME_CALLS`] in the filter's place.
///
/// # Errors
/// Where a file cannot be written.
pub fn with_same_calls(
    credentials: &Credentials,
    access_log: bool,
    upstream: SocketAddr,
) -> io::Result<Side> {
    let dir = tempfile::tempdir()?;
    let filter = filter(&reference(&dir, SAME_CALLS)?, "");
    as_shipped(dir, &filter, credentials, access_log, upstream)
}

fn reference(dir: &TempDir, text: &str) -> io::Result<PathBuf> {
    let module = dir.path().join("reference.wasm");
    fs::write(&module, wat::parse_str(text).map_err(io::Error::other)?)?;
    Ok(module)
}

/// Envoy that routes everything to the upstream, with none of what the filter needs around it.
///
/// # Errors
/// Where a file cannot be written.
pub fn without_filter(
    credentials: &Credentials,
    access_log: bool,
    upstream: SocketAddr,
) -> io::Result<Side> {
    let mut bootstrap = unfiltered(access_log, upstream);
    credentials.prepare(&mut Listener::of(&mut bootstrap));
    start("without", &bootstrap, tempfile::tempdir()?)
}

fn unfiltered(access_log: bool, upstream: SocketAddr) -> Value {
    let mut bootstrap = common(upstream, access_log);
    let manager = at(&mut bootstrap, MANAGER);
    if let Some(filters) = manager["http_filters"].as_array_mut() {
        filters.remove(0);
    }
    remove(manager, "early_header_mutation_extensions");
    let route = at(manager, "/route_config/virtual_hosts/0/routes/0");
    remove(route, "request_headers_to_remove");
    remove(&mut route["route"], "cluster_header");
    route["route"]["cluster"] = json!(CLUSTER);
    remove(&mut bootstrap, "stats_config");
    bootstrap
}

/// What all have: the shipped file with free ports and the upstream. Mostly without the access log,
/// whose cost both would bear and which would make the filter's share look smaller.
fn common(upstream: SocketAddr, access_log: bool) -> Value {
    let mut bootstrap = shipped("envoy.yaml");
    set(
        &mut bootstrap,
        "/admin/address/socket_address/port_value",
        json!(0),
    );
    let listener = "/static_resources/listeners/0/address/socket_address/port_value";
    set(&mut bootstrap, listener, json!(0));
    if !access_log {
        remove(at(&mut bootstrap, MANAGER), "access_log");
    }
    let cluster = at(&mut bootstrap, "/static_resources/clusters/0");
    cluster["name"] = json!(CLUSTER);
    cluster["type"] = json!("STATIC");
    cluster["load_assignment"] = json!({
        "cluster_name": CLUSTER,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
            "address": upstream.ip().to_string(), "port_value": upstream.port()
        }}}}]}]
    });
    bootstrap
}

fn start(name: &str, bootstrap: &Value, dir: TempDir) -> io::Result<Side> {
    let file = dir.path().join("envoy.json");
    let admin_file = dir.path().join("admin.txt");
    fs::write(&file, bootstrap.to_string())?;
    let mut command = Command::new(tool("envoy"));
    command
        .arg("-c")
        .arg(&file)
        .args([
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "--log-level",
            "warn",
        ])
        .arg("--admin-address-path")
        .arg(&admin_file);
    let began = Instant::now();
    let mut process = Process::start(&format!("envoy-{name}"), command, dir.path());
    let admin: SocketAddr = process.wait_until("admin interface", || {
        fs::read_to_string(&admin_file).ok()?.trim().parse().ok()
    });
    let address = process.wait_until("ready", || {
        let ready = http::try_get(admin, "/ready")?.status == 200;
        let listeners = ready
            .then(|| http::try_get(admin, "/listeners"))
            .flatten()?;
        let mut lines = listeners.body.lines();
        lines
            .find_map(|line| line.strip_prefix("goproxy::"))?
            .trim()
            .parse()
            .ok()
    });
    Ok(Side {
        address,
        admin,
        process,
        ready_after: began.elapsed(),
        _dir: dir,
    })
}

fn set(value: &mut Value, pointer: &str, new: Value) {
    *at(value, pointer) = new;
}

fn at<'v>(value: &'v mut Value, pointer: &str) -> &'v mut Value {
    value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("the shipped file has no {pointer}"))
}

fn remove(value: &mut Value, key: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(key);
    }
}
