//! The same traffic through real Envoy and through the simulator: the same answers, the same
//! requests at the backend, and the same figures.

use std::net::SocketAddr;

use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::policies::three_tenants;
use modgate_harness::process::Process;
use modgate_harness::serve::Serve;
use serde_json::Value;

/// Method, path, headers.
type Request = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Every operation, every outcome, and what no Go command sends.
const TRAFFIC: &[Request] = &[
    ("GET", "/t/web/example.org/words/@v/list", &[]),
    ("GET", "/t/web/example.org/words/@latest", &[]),
    ("GET", "/t/web/example.org/words/@v/v0.1.0.info", &[]),
    ("GET", "/t/web/example.org/words/@v/v0.1.0.mod", &[]),
    ("GET", "/t/web/example.org/words/@v/v0.1.0.zip", &[]),
    ("HEAD", "/t/web/example.org/words/@v/v0.1.0.zip", &[]),
    ("GET", "/t/web/example.org/words/@v/v9.9.9.info", &[]),
    ("GET", "/t/web/example.org/words/@v/broken.info", &[]),
    ("GET", "/t/web/github.com/boltdb-go/bolt/@v/list", &[]),
    ("GET", "/t/web/github.com/boltdb-go/bolt/@v/v1.3.1.zip", &[]),
    (
        "HEAD",
        "/t/web/github.com/boltdb-go/bolt/@v/v1.3.1.zip",
        &[],
    ),
    ("GET", "/t/locked/golang.org/@v/list", &[]),
    ("GET", "/t/locked/golang.org/x/text/@v/list", &[]),
    ("GET", "/t/locked/example.org/words/@v/list", &[]),
    ("GET", "/t/nobody/example.org/words/@v/list", &[]),
    ("GET", "/example.org/words/@v/list", &[]),
    ("GET", "/t/web/sumdb/sum.golang.org/supported", &[]),
    ("GET", "/t/web/sumdb/sum.golang.org/latest", &[]),
    (
        "GET",
        "/t/web/sumdb/sum.golang.org/lookup/example.org/words@v0.1.0",
        &[],
    ),
    ("GET", "/t/web/sumdb/evil.example/latest", &[]),
    ("GET", "/t/web/example.org/%21words/%40v/list", &[]),
    ("GET", "/t/web/example.org/words/@v/list?x", &[]),
    ("GET", "/t/web/example.org/%2e%2e/words/@v/list", &[]),
    ("GET", "/", &[]),
    (
        "POST",
        "/t/web/example.org/words/@v/list",
        &[("content-length", "0")],
    ),
    (
        "GET",
        "/t/web/example.org/words/@v/list",
        &[("x-modgate-cluster", "other")],
    ),
];

fn backend() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let words = Module::new("example.org/words", "v0.1.0").file("words.go", "package words\n");
    let tree = Tree::write(dir.path(), &[words]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    let broken = Fault::Status(http_status::StatusCode::INTERNAL_SERVER_ERROR);
    server.set_fault("/example.org/words/@v/broken.info", broken);
    (dir, server)
}

/// What a client sees of each request, without what differs from one request to the next.
fn answers(address: SocketAddr) -> Vec<String> {
    let answer = |(method, path, headers): &Request| {
        let answer = http::request(address, method, path, headers);
        let body: Vec<_> = answer
            .body
            .lines()
            .filter(|line| !line.starts_with("request: "))
            .collect();
        let kind = answer.header("content-type").unwrap_or("none").to_owned();
        format!(
            "{method} {path}: {} {kind} {}",
            answer.status,
            body.join(" / ")
        )
    };
    TRAFFIC.iter().map(answer).collect()
}

/// The access log's lines, without what differs from one request to the next.
fn log_lines(process: &mut Process) -> Vec<Value> {
    let mut lines = process.json_lines(TRAFFIC.len());
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        for name in ["time", "duration_ms", "request_id"] {
            assert!(line.remove(name).is_some(), "{name} is missing");
        }
    }
    lines
}

fn reached(server: &Server) -> Vec<String> {
    let requests = server.requests().into_iter();
    requests
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

#[test]
fn the_simulator_and_envoy_answer_ask_and_count_alike() {
    let policy = three_tenants("static");
    let (_envoy_dir, envoy_backend) = backend();
    let mut envoy = Envoy::start(&Config::new(
        policy.clone(),
        &[("backend", envoy_backend.address())],
    ));
    let (_serve_dir, serve_backend) = backend();
    let mut serve = Serve::start(&policy, &[("backend", serve_backend.address())]);

    let (by_envoy, by_serve) = (answers(envoy.address()), answers(serve.address()));
    for (envoy, serve) in by_envoy.iter().zip(&by_serve) {
        assert_eq!(envoy, serve);
    }
    let (envoy_log, serve_log) = (log_lines(envoy.process()), log_lines(serve.process()));
    assert_eq!(envoy_log.len(), serve_log.len());
    for (envoy, serve) in envoy_log.iter().zip(&serve_log) {
        assert_eq!(envoy, serve);
    }
    assert_eq!(reached(&envoy_backend), reached(&serve_backend));
    assert!(reached(&envoy_backend).len() > 5);

    let took = "modgate_request_duration_milliseconds_count";
    let all = TRAFFIC.len() as f64;
    let of_envoy = Figures::once_at_least(|| envoy.prometheus(), took, &[], all);
    let of_serve = Figures::parse(&serve.prometheus());
    let comparable = |figures: Figures| {
        // Sums of times differ; their counts do not.
        let mut all = figures.0;
        all.retain(|(name, _), _| !name.ends_with("milliseconds_sum"));
        all
    };
    let (of_envoy, of_serve) = (comparable(of_envoy), comparable(of_serve));
    assert_eq!(
        of_envoy.keys().collect::<Vec<_>>(),
        of_serve.keys().collect::<Vec<_>>(),
        "the series differ"
    );
    for (series, value) in &of_envoy {
        assert_eq!(Some(value), of_serve.get(series), "{series:?}");
    }
}
