//! A new policy while clients are served: good, bad, good, and no request fails.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::policies::three_tenants;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const ALLOWED: &str = "/t/web/example.org/words/@v/list";
const CHANGED: &str = "/t/web/github.com/boltdb-go/bolt/@v/v1.3.1.mod";

fn without_the_denial() -> Value {
    let mut policy = three_tenants("static");
    policy["version"] = json!("2");
    policy["rules"]["org"] = json!([{"id": "public", "allow": ["*"]}]);
    policy
}

fn bad() -> Value {
    let mut policy = without_the_denial();
    policy["rules"]["org"][0]["allow"] = json!(["no dot/here"]);
    policy
}

fn backend() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::write(dir.path(), &[Module::new("example.org/words", "v0.1.0")]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

/// Asks all the time while `change` runs; gives the number of requests and those that were not 200.
fn under_traffic(address: SocketAddr, change: impl FnOnce()) -> (usize, usize) {
    let stop = AtomicBool::new(false);
    let (requested, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                requested.fetch_add(1, Ordering::Relaxed);
                if http::get(address, ALLOWED).status != 200 {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        // Also where the change panics, or the scope would wait for ever.
        let _stop = StopOnDrop(&stop);
        change();
    });
    (requested.into_inner(), failed.into_inner())
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn envoy_takes_a_good_policy_and_keeps_it_when_a_bad_one_comes() {
    let (_dir, server) = backend();
    let mut config = Config::new(three_tenants("static"), &[("backend", server.address())]);
    config.concurrency = 2;
    let mut envoy = Envoy::start(&config);
    let address = envoy.address();
    let status = || http::get(address, CHANGED).status;

    let (requested, failed) = under_traffic(address, || {
        assert_eq!(status(), 403);
        assert!(
            envoy.reload(&without_the_denial()),
            "a good policy was refused"
        );
        // The backend has no such module, so the request got there.
        assert_eq!(status(), 404);
        assert!(!envoy.reload(&bad()), "a bad policy was taken");
        assert_eq!(status(), 404);
        assert!(
            envoy.reload(&three_tenants("static")),
            "a good policy was refused"
        );
        assert_eq!(status(), 403);
    });
    assert_eq!(failed, 0, "{failed} of {requested} requests failed");
    assert!(requested > 10, "only {requested} requests were made");

    let log = envoy.process().log();
    let line = log
        .lines()
        .find(|line| line.contains("policy refused"))
        .unwrap_or_default();
    assert!(line.contains("$.rules.org[0].allow[0]"), "{log}");
    let figures = Figures::parse(&envoy.prometheus());
    let in_force = |version| figures.sum("modgate_policy_info", &[("policy_version", version)]);
    assert_eq!(
        (in_force("2026-11-23_1"), in_force("2")),
        (1.0, 0.0),
        "{figures:?}"
    );
}

#[test]
fn serve_reads_the_file_again_and_keeps_the_last_good_policy() {
    let (_dir, server) = backend();
    let mut serve = Serve::start(&three_tenants("static"), &[("backend", server.address())]);
    let (address, file) = (serve.address(), serve.policy_file());
    let write = |policy: &Value| {
        let new = file.with_extension("new");
        std::fs::write(&new, policy.to_string()).unwrap();
        std::fs::rename(&new, &file).unwrap();
    };
    let status = || http::get(address, CHANGED).status;

    let (requested, failed) = under_traffic(address, || {
        assert_eq!(status(), 403);
        write(&without_the_denial());
        serve
            .process()
            .wait_until("taking the policy", || (status() == 404).then_some(()));
        write(&bad());
        serve.process().wait_until("refusing the policy", || {
            log_of(&file)
                .contains("$.rules.org[0].allow[0]")
                .then_some(())
        });
        assert_eq!(status(), 404);
        write(&three_tenants("static"));
        serve
            .process()
            .wait_until("taking the policy", || (status() == 403).then_some(()));
    });
    assert_eq!(failed, 0, "{failed} of {requested} requests failed");
}

/// What `modgate serve` has written; its log stands beside the policy.
fn log_of(policy: &std::path::Path) -> String {
    std::fs::read_to_string(policy.with_file_name("modgate-serve.log")).unwrap_or_default()
}
