//! What happens when something is missing, forged, down or broken off.

use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy, shipped};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::policies::three_tenants;
use modgate_harness::ports::free_port;
use modgate_harness::tools::{dist, root, tool};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const LIST: &str = "/t/web/example.org/words/@v/list";

fn words() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    // Not compressible, so that its zip is larger than what the proxies hold in their buffers.
    let mut rng = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = (0..4_000_000).map(|_| rng.u8(..)).collect();
    let words = Module::new("example.org/words", "v0.1.0").file("data.bin", bytes);
    let tree = Tree::write(dir.path(), &[words]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

/// Waits for a figure: a stream may end a little after its client has.
#[track_caller]
fn assert_counted(envoy: &Envoy, outcome: &str, operation: &str) {
    let labels = [
        ("tenant", "web"),
        ("operation", operation),
        ("outcome", outcome),
    ];
    let start = Instant::now();
    loop {
        let figures = Figures::parse(&envoy.prometheus());
        if figures.sum("modgate_requests_total", &labels) == 1.0 {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{labels:?} is not 1 in {figures:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn without_the_filter_nothing_passes_not_even_with_a_forged_cluster() {
    let (_dir, server) = words();
    let mut config = Config::new(three_tenants("static"), &[("backend", server.address())]);
    config.filter = false;
    let envoy = Envoy::start(&config);
    for headers in [
        &[][..],
        &[("x-modgate-cluster", "backend")],
        &[("X-Modgate-Cluster", "backend")],
    ] {
        let answer = http::request(envoy.address(), "GET", LIST, headers);
        // No cluster, so Envoy has nowhere to send it.
        assert_eq!(answer.status, 503, "{headers:?}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_forged_cluster_is_not_followed() {
    let (_dir, server) = words();
    let (_other_dir, other) = words();
    let clusters = [("backend", server.address()), ("other", other.address())];
    let envoy = Envoy::start(&Config::new(three_tenants("static"), &clusters));
    let answer = http::request(
        envoy.address(),
        "GET",
        LIST,
        &[("x-modgate-cluster", "other")],
    );
    assert_eq!((answer.status, answer.body.as_str()), (200, "v0.1.0\n"));
    assert!(other.requests().is_empty());
}

/// Envoy tries a configuration in one VM and hands it to others. Where these do not take what that one took, it
/// serves requests without the filter, whatever the `failure_policy`. A filter that does so stands in for the
/// memory that could run out.
#[test]
fn where_envoy_leaves_the_filter_out_nothing_passes_not_even_with_a_forged_cluster() {
    let (_dir, server) = words();
    let mut config = Config::new("tags a".into(), &[("backend", server.address())]);
    config.module = root().join(".work/filters/odd.wasm");
    config.concurrency = 2;
    let mut envoy = Envoy::start(&config);
    let seen = |envoy: &Envoy| envoy.stat("wasmcustom.odd_calls");
    http::get(envoy.address(), LIST);
    let before = seen(&envoy);
    assert!(before > 0, "the filter was not asked");

    // The trial's is the fifth VM that is configured.
    assert!(envoy.reload(&"refuses after 5".into()), "the trial took it");
    for headers in [&[][..], &[("x-modgate-cluster", "backend")]] {
        for _ in 0..8 {
            let answer = http::request(envoy.address(), "GET", LIST, headers);
            assert_eq!(answer.status, 503, "{headers:?}");
        }
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    assert_eq!(seen(&envoy), before, "the filter was asked again");
}

#[test]
fn a_proxy_that_starts_with_a_bad_policy_serves_nothing() {
    let (_dir, server) = words();
    let mut policy = three_tenants("static");
    policy["default"] = "perhaps".into();
    let mut envoy = Envoy::start(&Config::new(policy, &[("backend", server.address())]));
    assert_eq!(http::get(envoy.address(), LIST).status, 500);
    assert!(server.requests().is_empty());
    let log = envoy.process().log();
    assert!(
        log.contains("policy refused") && log.contains("$.default"),
        "{log}"
    );
}

#[test]
fn a_backend_that_is_down_is_a_failure() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let envoy = Envoy::start(&Config::new(
        three_tenants("static"),
        &[("backend", nobody)],
    ));
    assert_eq!(http::get(envoy.address(), LIST).status, 503);
    assert_counted(&envoy, "upstream_error", "list");
}

#[test]
fn an_answer_that_breaks_off_and_a_client_that_leaves_are_distinguished() {
    let (_dir, server) = words();
    let envoy = Envoy::start(&Config::new(
        three_tenants("static"),
        &[("backend", server.address())],
    ));
    let zip = "/example.org/words/@v/v0.1.0.zip";
    server.set_fault(zip, Fault::BreakOff { after: 100_000 });
    let mut body = Vec::new();
    let mut stream = TcpStream::connect(envoy.address()).unwrap();
    write!(stream, "GET /t/web{zip} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    // The connection may end with a reset; what matters is that it ends short.
    let _ = stream.read_to_end(&mut body);
    assert!(body.len() < 1_000_000, "{} bytes came", body.len());
    assert_counted(&envoy, "truncated", "zip");

    server.clear_faults();
    let mut stream = TcpStream::connect(envoy.address()).unwrap();
    write!(stream, "GET /t/web{zip} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    assert_counted(&envoy, "aborted", "zip");
}

#[test]
fn the_shipped_files_are_what_envoy_takes_and_what_the_catalogue_says() {
    let generated = Command::new(dist("modgate"))
        .args(["metrics", "--format", "envoy"])
        .output()
        .unwrap();
    let generated: serde_json::Value =
        plain_yaml::from_str(&String::from_utf8(generated.stdout).unwrap()).unwrap();
    assert_eq!(
        shipped("envoy.yaml")["stats_config"],
        generated["stats_config"]
    );

    let checked = Command::new(tool("envoy"))
        .args(["--mode", "validate", "-c"])
        .arg("envoy.yaml")
        // Its path to the filter's file is relative.
        .current_dir(modgate_harness::tools::root().join("envoy"))
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
