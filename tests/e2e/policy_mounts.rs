//! A policy's file however it changes: a ConfigMap's link, a file that is moved into place, one that is
//! written where it stands; on both hosts.

use std::fs;
use std::net::SocketAddr;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::config_map::ConfigMap;
use modgate_harness::envoy::{Config, Envoy, filter_file};
use modgate_harness::http;
use modgate_harness::policies::three_tenants;
use modgate_harness::process::Process;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const CHANGED: &str = "/t/web/github.com/boltdb-go/bolt/@v/v1.3.1.mod";

/// What [`CHANGED`] is answered where the policy denies it, and where it does not: the backend lacks it.
const DENIED: u16 = 403;
const REQUESTED: u16 = 404;

fn denying() -> Value {
    three_tenants("static")
}

fn allowing() -> Value {
    let mut policy = denying();
    policy["rules"]["org"] = json!([{"id": "public", "allow": ["*"]}]);
    policy
}

fn bad() -> Value {
    let mut policy = allowing();
    policy["rules"]["org"][0]["allow"] = json!(["no dot/here"]);
    policy
}

fn backend() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::write(dir.path(), &[Module::new("example.org/words", "v0.1.0")]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

#[track_caller]
fn wait_for(process: &mut Process, address: SocketAddr, status: u16) {
    process.wait_until("taking the policy", || {
        (http::get(address, CHANGED).status == status).then_some(())
    });
}

#[test]
fn envoy_takes_up_a_config_map() {
    let (_dir, server) = backend();
    let clusters = [("backend", server.address())];
    let mut config = Config::new(denying(), &clusters);
    let file =
        |policy: &Value, generation| filter_file(&config.module, policy, generation).to_string();
    let mut map = ConfigMap::mount("modgate.json", &file(&denying(), 0));
    let updates = [
        (allowing(), REQUESTED),
        (denying(), DENIED),
        (bad(), DENIED),
        (allowing(), REQUESTED),
    ];
    let updates: Vec<(Value, String, u16)> = updates
        .into_iter()
        .zip(1..)
        .map(|((policy, status), i)| (policy.clone(), file(&policy, i), status))
        .collect();
    config.filter_file = Some(map.file());
    let mut envoy = Envoy::start(&config);
    let address = envoy.address();
    assert_eq!(http::get(address, CHANGED).status, DENIED);
    for (policy, content, status) in updates {
        map.update(&content);
        if policy == bad() {
            envoy.process().wait_for_log("policy refused");
        }
        wait_for(envoy.process(), address, status);
    }
}

#[test]
fn envoy_takes_up_what_is_moved_and_not_what_is_written_in_place() {
    let (_dir, server) = backend();
    let mut envoy = Envoy::start(&Config::new(denying(), &[("backend", server.address())]));
    let address = envoy.address();
    assert!(envoy.reload(&allowing()));
    wait_for(envoy.process(), address, REQUESTED);
    // Half of it could be read, so a file that is written in place is not looked at ...
    let file = envoy.filter_file();
    let before = envoy.reloads();
    let content = fs::read_to_string(&file).unwrap();
    let denying = content
        .replace("\"version_info\":\"1\"", "\"version_info\":\"2\"")
        .replace(
            &serde_json::to_string(&allowing().to_string()).unwrap(),
            &serde_json::to_string(&denying().to_string()).unwrap(),
        );
    assert_ne!(denying, content);
    fs::write(&file, denying).unwrap();
    // ... until something is moved into the folder.
    let other = file.with_file_name("other");
    assert_eq!(envoy.reloads(), before);
    fs::write(&other, "").unwrap();
    fs::rename(&other, file.with_file_name("moved")).unwrap();
    wait_for(envoy.process(), address, DENIED);
}

#[test]
fn serve_takes_up_a_config_map_a_move_and_a_write_in_place() {
    let (_dir, server) = backend();
    let clusters = [("backend", server.address())];
    let mut map = ConfigMap::mount("policy.json", &denying().to_string());
    let mut serve = Serve::start_from(&map.file(), &clusters);
    let address = serve.address();
    assert_eq!(http::get(address, CHANGED).status, DENIED);
    for (policy, status) in [
        (allowing(), REQUESTED),
        (denying(), DENIED),
        (allowing(), REQUESTED),
    ] {
        map.update(&policy.to_string());
        wait_for(serve.process(), address, status);
    }
    map.update(&bad().to_string());
    serve
        .process()
        .wait_for_log("the last valid one stays active");
    assert_eq!(http::get(address, CHANGED).status, REQUESTED);
    drop(serve);

    let mut serve = Serve::start(&denying(), &clusters);
    let (address, file) = (serve.address(), serve.policy_file());
    fs::write(&file, allowing().to_string()).unwrap();
    wait_for(serve.process(), address, REQUESTED);
    let new = file.with_extension("new");
    fs::write(&new, denying().to_string()).unwrap();
    fs::rename(&new, &file).unwrap();
    wait_for(serve.process(), address, DENIED);
}
