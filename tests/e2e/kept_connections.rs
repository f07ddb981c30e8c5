//! A backend that closes a kept connection just as it is used again: nobody notices, on both hosts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use modgate_goproxy::{Module, Tree};
use modgate_harness::closing::Closing;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const LIST: &str = "/corp.example/lib/@v/list";
/// Its age is asked for before it is answered.
const AGED: &str = "/aged.example/lib/@v/v1.0.0.zip";

fn policy() -> Value {
    json!({
        "version": "1", "default": "allow", "tenants": {"*": {"rules": ["r"]}},
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "rules": {"r": [{"id": "aged", "allow": ["aged.example"], "min_age": "1h"}]},
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let modules = [
        Module::new("corp.example/lib", "v1.0.0").file("lib.go", "package lib\n"),
        Module::new("aged.example/lib", "v1.0.0").file("lib.go", "package lib\n"),
    ];
    Tree::write(dir.path(), &modules).unwrap();
    dir
}

/// Asks so often, from several clients at once; gives the number of answers that were not 200.
fn failures(address: SocketAddr, path: &str, clients: usize, each: usize) -> usize {
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                for _ in 0..each {
                    if http::get(address, path).status != 200 {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    failed.into_inner()
}

#[track_caller]
fn assert_unnoticed(host: &Host, backend: &Closing, path: &str, clients: usize, each: usize) {
    let failed = failures(host.address(), path, clients, each);
    let closed = backend.closed();
    assert_eq!(
        failed, 0,
        "{closed} connections were closed under a request"
    );
    assert!(closed > 0, "no connection was closed under a request");
    // Sent twice, it is one request all the same.
    let ok = host
        .figures()
        .sum("modgate_requests_total", &[("outcome", "ok")]);
    assert_eq!(ok, (clients * each) as f64);
    assert_eq!(host.figures().sum("modgate_requests_total", &[]), ok);
}

/// Both hosts, each with a backend of its own.
fn both(each: usize) -> (tempfile::TempDir, Vec<(Host, Closing)>) {
    let files = files();
    let start = |host: fn(&Value, SocketAddr) -> Host| {
        let backend = Closing::start(files.path().to_owned(), each);
        (host(&policy(), backend.address()), backend)
    };
    let envoy = start(|policy, backend| {
        let config = Config::new(policy.clone(), &[("backend", backend)]);
        Host::Envoy(Box::new(Envoy::start(&config)))
    });
    let serve = start(|policy, backend| {
        Host::Serve(Box::new(Serve::start(policy, &[("backend", backend)])))
    });
    (files, vec![envoy, serve])
}

#[test]
fn every_second_use_of_a_connection_is_its_end() {
    let (_files, hosts) = both(1);
    for (host, backend) in hosts {
        assert_unnoticed(&host, &backend, LIST, 1, 40);
        assert_eq!(backend.answered(), 40);
    }
}

#[test]
fn connections_end_now_and_then_under_traffic() {
    let (_files, hosts) = both(40);
    for (host, backend) in hosts {
        assert_unnoticed(&host, &backend, LIST, 4, 100);
    }
}

#[test]
fn the_filters_own_requests_are_sent_again_too() {
    let (_files, hosts) = both(1);
    for (host, backend) in hosts {
        assert_unnoticed(&host, &backend, AGED, 1, 10);
    }
}

#[test]
fn a_backend_that_never_answers_gets_a_bounded_number_of_requests() {
    let (_files, hosts) = both(0);
    for (host, backend) in hosts {
        let answer = host.get(LIST);
        assert!(matches!(answer.status, 502 | 503), "{}", answer.status);
        let requested = backend.closed();
        assert!((2..=4).contains(&requested), "{requested} times");
        let failed = host
            .figures()
            .sum("modgate_requests_total", &[("outcome", "upstream_error")]);
        assert_eq!(failed, 1.0);
        // A method that the filter refuses is asked of nobody.
        let posted = http::request(host.address(), "POST", LIST, &[("content-length", "0")]);
        assert_eq!(posted.status, 405);
        assert_eq!(backend.closed(), requested);
    }
}

#[test]
fn real_go_downloads_from_such_a_backend() {
    let (_files, hosts) = both(1);
    for (host, backend) in hosts {
        let go = host.go("web");
        go.run(&["mod", "download", "corp.example/lib@v1.0.0"])
            .expect_ok();
        go.run(&["list", "-m", "-versions", "corp.example/lib"])
            .expect_ok();
        assert!(backend.closed() > 0);
    }
}
