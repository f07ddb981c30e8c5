//! What a check seldom comes to: a first hash that finds no room, and a good file that does not reach its
//! client. Both take years of traffic, or a filter that is not ours; here that filter is put beside.

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::http::Headers;
use envoy_wasm_host::stats::render;
use envoy_wasm_host::{
    Downstream, Effect, Engine, EngineOptions, PluginConfig, Proxy, ProxyConfig, StreamEffect,
    VmConfig, Worker,
};
use modgate::filter;
use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::tools::{dist, root};
use serde_json::{Value, json};
use tempfile::TempDir;

const CHECKS: &str = "modgate_integrity_checks_total";
const PATH: &str = "/t/web/corp.example/lib/@v/v1.0.0.mod";
const GO_MOD: &str = "module corp.example/lib\n\ngo 1.21\n";

/// What the filter keeps the number of first hashes under, and the most that there may be.
const FULL: &str = "shares modgate.first_seen.count 1048576";

fn policy(on_no_room: &str, on_unknown: &str) -> Value {
    json!({
        "version": "1", "default": "allow", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {}}, "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
        "integrity": {
            "mode": "enforce", "first_seen": ["corp.example"], "on_no_room": on_no_room,
            "on_unknown": on_unknown, "allow_on_headers_stop_iteration": true,
        },
    })
}

fn backend() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let module = Module::new("corp.example/lib", "v1.0.0").file("lib.go", "package lib\n");
    Tree::write(folder.path(), &[module]).unwrap();
    let server = Server::start(folder.path()).unwrap();
    (folder, server)
}

/// An odd filter of the tests, nearer to the client than Modgate's, which shares its data.
fn odd(configuration: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "odd", "root_id": "odd", "failure_policy": "FAIL_CLOSED",
            "vm_config": {
                "vm_id": "modgate", "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": root().join(".work/filters/odd.wasm")}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": configuration,
            },
        },
    })
}

fn envoy(policy: Value, server: &Server, configuration: &str) -> Envoy {
    let config = Config::new(policy, &[("backend", server.address())]);
    Envoy::start_with(&config, |listener| {
        listener.put_before("odd", odd(configuration));
    })
}

fn results(figures: &Figures) -> [f64; 2] {
    let of = |result| figures.sum(CHECKS, &[("result", result), ("tenant", "web")]);
    [of("no_room"), figures.sum(CHECKS, &[])]
}

/// What the policy says, and what a client sees of a file without room.
const NO_ROOM: [(&str, &str, u16); 4] = [
    ("refuse", "refuse", 502),
    ("refuse", "allow", 502),
    ("allow", "refuse", 502),
    ("allow", "allow", 200),
];

fn assert_seen(row: (&str, &str, u16), status: u16, body: &str) {
    let (_, _, expected) = row;
    assert_eq!(status, expected, "{row:?}: {body}");
    if expected == 200 {
        assert_eq!(body, GO_MOD, "{row:?}");
    } else {
        assert!(
            body.contains("the table of first hashes is full"),
            "{row:?}: {body}"
        );
    }
}

#[test]
fn a_first_hash_without_room_is_refused_and_counted_in_envoy() {
    let (_folder, server) = backend();
    for row in NO_ROOM {
        let (on_no_room, on_unknown, _) = row;
        let envoy = envoy(policy(on_no_room, on_unknown), &server, FULL);
        let answer = http::get(envoy.address(), PATH);
        assert_seen(row, answer.status, &answer.body);
        let figures = Figures::parse(&envoy.prometheus());
        assert_eq!(results(&figures), [1.0, 1.0], "{row:?}");
    }
}

#[test]
fn a_first_hash_without_room_is_refused_and_counted_in_the_simulator() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = |file: PathBuf| envoy_wasm_host::Module::from_file(&engine, &file).unwrap();
    let odd = module(root().join(".work/filters/odd.wasm"));
    let filter = module(dist("modgate.wasm"));
    for row in NO_ROOM {
        let (on_no_room, on_unknown, _) = row;
        let proxy = Proxy::new(ProxyConfig {
            clusters: ["backend".to_owned()].into(),
            route: filter::route(),
            stats: filter::stats(),
            ..ProxyConfig::default()
        });
        let start = |module, configuration: &[u8]| {
            let mut worker = Worker::new(module, VmConfig::default(), Arc::clone(&proxy)).unwrap();
            let plugin = worker.start_plugin(PluginConfig {
                configuration: configuration.to_vec(),
                allow_on_headers_stop_iteration: true,
                ..PluginConfig::default()
            });
            (worker, plugin.unwrap())
        };
        let _odd = start(&odd, FULL.as_bytes());
        let policy = policy(on_no_room, on_unknown).to_string();
        let (mut worker, plugin) = start(&filter, policy.as_bytes());
        worker.effects().for_each(drop);
        let stream = worker.create_stream(plugin, Downstream::default());
        let request = [(":method", "GET"), (":path", PATH), (":authority", "a")];
        worker.request_headers(stream, Headers::from_pairs(request), true);
        let response = Headers::from_pairs([(":status", "200")]);
        worker.response_headers(stream, response, false);
        worker.response_body(stream, GO_MOD.into(), true);
        let (mut status, mut body) = (0, Vec::new());
        for effect in worker.effects() {
            match effect {
                Effect::Stream(_, StreamEffect::DownstreamHeaders { headers, .. }) => {
                    status = headers.status().unwrap();
                }
                Effect::Stream(_, StreamEffect::DownstreamData { data, .. }) => {
                    body.extend_from_slice(&data.to_bytes());
                }
                _ => {}
            }
        }
        assert_seen(row, status, &String::from_utf8(body).unwrap());
        let figures = Figures::parse(&render(proxy.stats()));
        assert_eq!(results(&figures), [1.0, 1.0], "{row:?}");
    }
}

/// A filter nearer to the client holds what Modgate's let go on, and the client leaves: that is no fault of
/// the backend's or of the proxy's.
#[test]
fn a_good_file_whose_client_leaves_is_not_called_good() {
    let (_folder, server) = backend();
    let mut envoy = envoy(policy("refuse", "refuse"), &server, "holds responses");
    let mut client = TcpStream::connect(envoy.address()).unwrap();
    let head = http::head("GET", PATH, &[]);
    client.write_all(head.as_bytes()).unwrap();
    let requested = || (!server.requests().is_empty()).then_some(());
    envoy.process().wait_until("asking the backend", requested);
    // The answer is there soon after; nothing shows when.
    std::thread::sleep(Duration::from_millis(500));
    drop(client);
    let figures = Figures::once_at_least(|| envoy.prometheus(), CHECKS, &[], 1.0);
    let undelivered = [("result", "undelivered"), ("evidence", "first_seen")];
    assert_eq!(figures.sum(CHECKS, &undelivered), 1.0);
    let requests = |outcome| figures.sum("modgate_requests_total", &[("outcome", outcome)]);
    assert_eq!([requests("aborted"), requests("truncated")], [1.0, 0.0]);
    let log = envoy.process().log();
    assert!(!log.contains("did not send a file"), "{log}");
}
