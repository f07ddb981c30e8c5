//! What VMs share: data with compare-and-swap, queues.

use super::support::{Host, Setup, guest};
use envoy_wasm_host::{PluginConfig, VmConfig};

#[test]
fn data_is_shared_by_the_vms_of_one_id() {
    let binary = guest(
        r#"(data (i32.const 64) "keyonetwo")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $get_shared (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 12)))
          (call $show)
          (call $digits (i32.load (i32.const 12)))
          (call $digits (call $set_shared (i32.const 64) (i32.const 3) (i32.const 67) (i32.const 3) (i32.const 9)))
          (call $digits (call $set_shared (i32.const 64) (i32.const 3) (i32.const 70) (i32.const 3) (i32.load (i32.const 12))))
          (i32.const 0))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_shared (i32.const 64) (i32.const 3) (i32.const 67) (i32.const 3) (i32.const 0)))
          (i32.const 1))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["00", "one", "01", "08", "00"]);
    let proxy = host.worker.proxy().clone();
    let reader = guest(
        r#"(data (i32.const 64) "key")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $get_shared (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 12)))
          (call $show) (i32.const 0))"#,
    );
    let join = |vm_id: &str| {
        let vm = VmConfig {
            vm_id: vm_id.to_owned(),
            ..VmConfig::default()
        };
        let mut host = Host::join(
            &proxy,
            host.clock.clone(),
            vm,
            PluginConfig::default(),
            &reader,
        );
        host.take();
        host.get("/");
        host.lines()[0].clone()
    };
    assert_eq!(join(""), "00");
    assert_eq!(join("another"), "01");
}

#[test]
fn an_item_wakes_the_owner_once_for_each() {
    let owner = guest(
        r#"(data (i32.const 64) "queue")
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (i32.eqz (call $register_queue (i32.const 64) (i32.const 5) (i32.const 16))))
        (func (export "proxy_on_queue_ready") (param i32 i32)
          (call $digits (call $dequeue (local.get 1) (i32.const 0) (i32.const 4)))
          (call $show)
          (call $digits (call $dequeue (i32.const 5) (i32.const 0) (i32.const 4))))"#,
    );
    let mut host = Setup::default().start(&owner);
    let proxy = host.worker.proxy().clone();
    let sender = guest(
        r#"(data (i32.const 64) "queueAB")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $resolve_queue (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 16)))
          (drop (call $enqueue (i32.load (i32.const 16)) (i32.const 69) (i32.const 1)))
          (drop (call $enqueue (i32.load (i32.const 16)) (i32.const 70) (i32.const 1)))
          (i32.const 0))"#,
    );
    let mut other = Host::join(
        &proxy,
        host.clock.clone(),
        VmConfig::default(),
        PluginConfig::default(),
        &sender,
    );
    other.get("/");
    host.worker.run_due();
    assert_eq!(host.lines(), ["00", "A", "01", "00", "B", "01"]);
}

#[test]
fn foreign_functions_can_be_lent() {
    let binary = guest(
        r#"(data (i32.const 64) "reverseabcclear_route_cache")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $foreign (i32.const 64) (i32.const 7) (i32.const 71) (i32.const 3) (i32.const 32) (i32.const 36)))
          (call $say (i32.load (i32.const 32)) (i32.load (i32.const 36)))
          (call $digits (call $foreign (i32.const 64) (i32.const 7) (i32.const 71) (i32.const 0) (i32.const 0) (i32.const 0)))
          (call $digits (call $foreign (i32.const 74) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)))
          (i32.const 0))"#,
    );
    let mut setup = Setup::default();
    setup.proxy.foreign_functions.insert(
        "reverse".to_owned(),
        std::sync::Arc::new(|argument| match argument {
            [] => Err(1),
            argument => Ok(argument.iter().rev().copied().collect()),
        }),
    );
    let mut host = setup.start(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["00", "cba", "10", "00"]);
}
