//! Envoy's configuration for a scenario: one listener, the filter, the scenario's clusters.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use envoy_wasm_scenario::{Fault, RouteTo, Scenario, VmFailPolicy};
use serde_json::{Value, json};

use modgate_harness::envoy::shipped;

const TYPES: &str = "type.googleapis.com/envoy.extensions";

/// The smallest window that HTTP/2 has, which bounds what Envoy holds of a stream (RFC 9113, section 6.9.2).
const SMALLEST_WINDOW: usize = 65_535;

/// What the routes add to requests of clients. Callouts pass no route, so by it upstreams tell them apart.
pub(super) const ROUTED: &str = "x-envoy-scenario-routed";

/// What the filter is called.
pub(super) const FILTER: &str = "filter";

/// The bootstrap; every cluster has its address. The filter is in its file, where there is one.
///
/// # Panics
/// Where the scenario's buffers are smaller than HTTP/2 allows.
pub fn of(
    scenario: &Scenario,
    module: &Path,
    file: Option<&Path>,
    addresses: &BTreeMap<String, SocketAddr>,
) -> Value {
    let limit = scenario.filter.buffer_limit;
    assert!(
        limit >= SMALLEST_WINDOW,
        "buffer_limit: {SMALLEST_WINDOW} at least"
    );
    let clusters: Vec<Value> = addresses
        .iter()
        .map(|(name, address)| cluster(name, *address))
        .collect();
    let filter = match file {
        None => {
            json!({"typed_config": wasm(scenario, module, &scenario.filter.configuration_text())})
        }
        Some(file) => json!({"config_discovery": {
            "config_source": {"path_config_source": {"path": file}},
            "type_urls": [format!("{TYPES}.filters.http.wasm.v3.Wasm")],
        }}),
    };
    json!({
        // A file that is watched needs a node to be asked for.
        "node": {"id": "scenario", "cluster": "scenario"},
        "admin": {"address": address(SocketAddr::from(([127, 0, 0, 1], 0)))},
        "stats_config": shipped("envoy.yaml")["stats_config"],
        // Histograms are shown when they are flushed.
        "stats_flush_interval": "0.1s",
        "static_resources": {
            "listeners": [{
                "name": "goproxy",
                "address": address(SocketAddr::from(([127, 0, 0, 1], 0))),
                // As many connections as workers: each of them gets one (docs/explain/simulator.md).
                "connection_balance_config": {"exact_balance": {}},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager(scenario, filter),
                }]}],
            }],
            "clusters": clusters,
        },
    })
}

fn manager(scenario: &Scenario, mut filter: Value) -> Value {
    filter["name"] = json!(FILTER);
    json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "scenario",
        "codec_type": "HTTP2",
        "preserve_external_request_id": true,
        "http2_protocol_options": {"initial_stream_window_size": scenario.filter.buffer_limit},
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"], "routes": routes(scenario),
            "request_headers_to_add": [{"header": {"key": ROUTED, "value": "yes"}}],
        }]},
        "http_filters": [
            filter,
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": format!("{TYPES}.filters.http.router.v3.Router"),
            }},
        ],
    })
}

/// One route for all, and before it one for each upstream that is given up.
fn routes(scenario: &Scenario) -> Vec<Value> {
    // As the shipped configuration does, the header that names the cluster does not go there.
    let (target, removed) = match &scenario.route {
        RouteTo {
            cluster: Some(cluster),
            ..
        } => (json!({"cluster": cluster}), None),
        RouteTo {
            header: Some(header),
            ..
        } => (json!({"cluster_header": header}), Some(header)),
        _ => return Vec::new(),
    };
    let to = |timeout: Duration| {
        let mut action = target.clone();
        action["timeout"] = format!("{}s", timeout.as_secs_f64()).into();
        action
    };
    let behaviours = scenario.upstreams.values().flatten();
    let given_up = behaviours.filter(|behaviour| behaviour.fault == Some(Fault::TimedOut));
    let given_up =
        given_up.filter_map(|behaviour| Some((behaviour.path.clone()?, behaviour.after.0)));
    let mut routes: Vec<Value> = given_up
        .map(|(path, after)| json!({"match": {"path": path}, "route": to(after)}))
        .collect();
    routes.push(json!({"match": {"prefix": "/"}, "route": to(Duration::ZERO)}));
    if let Some(header) = removed {
        for route in &mut routes {
            route["request_headers_to_remove"] = json!([header]);
        }
    }
    routes
}

/// The filter with a configuration.
pub(super) fn wasm(scenario: &Scenario, module: &Path, configuration: &str) -> Value {
    let text = |value: &str| json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value});
    let filter = &scenario.filter;
    let mut config = json!({
        "name": filter.root_id,
        "root_id": filter.root_id,
        "failure_policy": match filter.fail_policy {
            VmFailPolicy::Closed => "FAIL_CLOSED",
            VmFailPolicy::Open => "FAIL_OPEN",
            VmFailPolicy::Reload => "FAIL_RELOAD",
        },
        "allow_on_headers_stop_iteration": filter.allow_on_headers_stop_iteration,
        "vm_config": {
            "vm_id": "scenario",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module}},
            "configuration": text(&filter.vm_configuration),
        },
    });
    if !configuration.is_empty() {
        config["configuration"] = text(configuration);
    }
    json!({"@type": format!("{TYPES}.filters.http.wasm.v3.Wasm"), "config": config})
}

/// Each request gets a connection of its own, so that one which is closed takes no other with it.
fn cluster(name: &str, at: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{
            "lb_endpoints": [{"endpoint": {"address": address(at)}}],
        }]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": format!("{TYPES}.upstreams.http.v3.HttpProtocolOptions"),
            "explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 1}},
        }},
    })
}

fn address(at: SocketAddr) -> Value {
    json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}})
}
