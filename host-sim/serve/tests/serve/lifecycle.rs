//! Starting, stopping, policies that change, VMs that fail.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use super::support::{
    Proxy, config, connect, echo, nobody, read_to_end, read_until, upstream, wait_until,
};
use envoy_wasm_serve::clusters::{Clusters, Member};
use envoy_wasm_serve::{ModuleSource, Policy, Server};

#[test]
fn a_failure_to_start_is_reported_in_a_sentence() {
    let says = |config| Server::start(config).unwrap_err().to_string();
    let mut bad = config(nobody());
    bad.policy = Policy::Fixed(b"bad".to_vec());
    assert_eq!(says(bad), "the policy is refused: the configuration is bad");
    let mut absent = config(nobody());
    absent.policy = Policy::File("/nowhere/policy.json".into());
    assert!(says(absent).starts_with("cannot read the policy /nowhere/policy.json: "));
    let mut absent = config(nobody());
    absent.module = ModuleSource::File("/nowhere/filter.wasm".into());
    assert!(says(absent).starts_with("cannot read the module /nowhere/filter.wasm: "));
    let mut twice = config(nobody());
    twice.upstreams.push(twice.upstreams[0].clone());
    assert_eq!(says(twice), "two upstreams are named up");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut in_use = config(nobody());
    in_use.listen = taken.local_addr().unwrap();
    assert!(says(in_use).starts_with("cannot listen on 127.0.0.1:"));
    let mut unknown = config(nobody());
    unknown.policy_reader = Some(Arc::new(|_: &[u8]| Clusters {
        backends: vec![Member {
            backend: "public".to_owned(),
            cluster: "athens".to_owned(),
        }],
        ..Clusters::default()
    }));
    let sentence = says(unknown);
    assert!(
        sentence.contains("`athens`") && sentence.contains("--upstream athens="),
        "{sentence}"
    );
}

#[test]
fn a_policy_is_read_again_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy");
    std::fs::write(&path, "first").unwrap();
    let proxy = Proxy::with(echo(), |config| config.policy = Policy::File(path.clone()));
    assert!(proxy.get("/").starts_with("HTTP/1.1 200"));
    std::fs::write(&path, "bad").unwrap();
    proxy.wait_for_line("is refused: the configuration is bad; the last valid one stays active");
    assert!(proxy.get("/").starts_with("HTTP/1.1 200"));
    // An editor that renames.
    std::fs::write(folder.path().join("new"), "second").unwrap();
    std::fs::rename(folder.path().join("new"), &path).unwrap();
    proxy.wait_for_line("has changed and is now active");
    std::fs::remove_file(&path).unwrap();
    proxy.wait_for_line("cannot be read");
    assert!(proxy.get("/").starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_that_is_swapped_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for version in ["one", "two"] {
        std::fs::create_dir(at(version)).unwrap();
        std::fs::write(at(version).join("policy"), version).unwrap();
    }
    // As the kubelet does it: the file's link goes through a link that is swapped.
    std::os::unix::fs::symlink("one", at("..data")).unwrap();
    std::os::unix::fs::symlink("..data/policy", at("policy")).unwrap();
    let proxy = Proxy::with(echo(), |config| config.policy = Policy::File(at("policy")));
    std::os::unix::fs::symlink("two", at("..tmp")).unwrap();
    std::fs::rename(at("..tmp"), at("..data")).unwrap();
    proxy.wait_for_line("has changed and is now active");
}

#[test]
fn a_vm_that_failed_is_replaced() {
    let proxy = Proxy::start(echo());
    assert!(proxy.get("/trap").starts_with("HTTP/1.1 503"));
    wait_until("no new VM", || proxy.get("/").starts_with("HTTP/1.1 200"));
    proxy.wait_for_line("was replaced");
    // The next one is not replaced before the back-off is over.
    assert!(proxy.get("/trap").starts_with("HTTP/1.1 503"));
    assert!(proxy.get("/").starts_with("HTTP/1.1 503"));
    wait_until("no new VM", || proxy.get("/").starts_with("HTTP/1.1 200"));
}

/// Whatever they wait for: the filter, an upstream's answer, the rest of one.
#[test]
fn requests_that_wait_are_answered_when_their_vm_fails() {
    let up = upstream(|mut stream| {
        let head = read_until(&mut stream, "\r\n\r\n");
        if head.starts_with("GET /begun ") {
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        }
        // Nothing more, until the proxy lets go.
        _ = stream.read(&mut [0]);
    });
    let proxy = Proxy::start(up);
    let get = |path: &str| {
        let mut client = proxy.connect();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        client
    };
    let mut begun = get("/begun");
    read_until(&mut begun, "abc");
    let mut waiting = [get("/waits"), get("/silent"), get("/waits")];
    // They are with the filter once one that came later was answered.
    assert!(proxy.get("/forbidden").starts_with("HTTP/1.1 403"));
    assert!(proxy.get("/trap").starts_with("HTTP/1.1 503"));
    for client in &mut waiting {
        let answer = read_until(client, "\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    // What had begun does not look whole.
    assert_eq!(read_to_end(&mut begun), "");
    let records = proxy.wait_for_records(6);
    let failed = records
        .iter()
        .filter(|r| r.code_details == "wasm_fail_stream");
    assert_eq!(failed.count(), 5, "{records:?}");
    wait_until("no new VM", || {
        proxy.get("/forbidden").starts_with("HTTP/1.1 403")
    });
}

#[test]
fn a_stop_lets_running_requests_finish_and_accepts_no_new_ones() {
    let up = upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        std::thread::sleep(Duration::from_millis(500));
        _ = stream.write_all(b"def");
    });
    let proxy = Proxy::start(up);
    let address = proxy.server.address();
    let mut running = proxy.connect();
    running
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut running, "abc");
    let idle = connect(address);
    proxy.server.shutdown();
    assert!(std::net::TcpStream::connect(address).is_err());
    assert_eq!(read_to_end(&mut running), "def");
    drop(idle);
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let up = upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        std::thread::sleep(Duration::from_secs(60));
    });
    let proxy = Proxy::with(up, |config| config.drain = Duration::from_millis(100));
    let mut running = proxy.connect();
    running
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut running, "abc");
    proxy.server.shutdown();
    assert_eq!(read_to_end(&mut running), "");
}

#[test]
fn metrics_are_on_a_listener_of_their_own() {
    let proxy = Proxy::start(echo());
    proxy.get("/forbidden");
    proxy.wait_for_records(1);
    let get = |path: &str| {
        let mut stream = connect(proxy.server.admin_address());
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        read_to_end(&mut stream)
    };
    let metrics = get("/metrics");
    assert!(metrics.contains("\nended 1\n"), "{metrics}");
    assert!(metrics.contains("content-type: application/openmetrics-text"));
    assert!(get("/ready").ends_with("LIVE\n"));
    assert!(get("/elsewhere").starts_with("HTTP/1.1 404"));
    // For the proxy `/metrics` is a path like any other.
    assert!(proxy.get("/metrics").contains("GET /metrics HTTP/1.1"));
}

#[test]
fn workers_share_their_metrics() {
    let proxy = Proxy::with(echo(), |config| config.workers = 3);
    for _ in 0..20 {
        proxy.get("/forbidden");
    }
    proxy.wait_for_records(20);
    let series = proxy.server.metrics();
    assert_eq!(series[0].value, envoy_wasm_host::stats::Value::Counter(20));
}
