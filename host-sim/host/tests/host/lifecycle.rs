//! The order of callbacks, contexts, and the configuration.

use super::support::{Host, Setup, guest, tell};
use envoy_wasm_host::{PluginConfig, UpstreamFailure};

/// Every callback logs its number and its context.
const ALL: &str = r#"
  (func $mark (param i32 i32) (call $digits (local.get 0)) (call $digits (local.get 1)))
  (func (export "proxy_on_context_create") (param i32 i32) (call $mark (i32.const 10) (local.get 0)))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $mark (i32.const 11) (local.get 0)) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (call $mark (i32.const 12) (local.get 0))
    (call $digits (call $get_buffer (i32.const 7) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 4)))
    (call $show) (i32.const 1))
  (func (export "proxy_on_log") (param i32) (call $mark (i32.const 20) (local.get 0)))
  (func (export "proxy_on_done") (param i32) (result i32) (call $mark (i32.const 21) (local.get 0)) (i32.const 1))
  (func (export "proxy_on_delete") (param i32) (call $mark (i32.const 22) (local.get 0)))"#;

fn plugin(configuration: &str) -> PluginConfig {
    PluginConfig {
        configuration: configuration.as_bytes().to_owned(),
        ..PluginConfig::default()
    }
}

#[test]
fn contexts_share_one_counter_and_are_called_in_order() {
    let setup = Setup {
        plugin: plugin("one"),
        ..Setup::default()
    };
    let mut host = setup.start(&guest(ALL));
    let start = ["10", "01", "11", "01", "12", "01", "00", "one"];
    assert_eq!(host.lines(), start);
    let stream = host.get("/");
    host.respond(stream, &[(":status", "200")], true);
    assert_eq!(
        host.story(),
        [
            "10",
            "02",
            "to up: / end",
            "client: 200 end",
            "20",
            "02",
            "21",
            "02",
            "22",
            "02",
            "ended via_upstream"
        ]
    );
}

#[test]
fn without_a_configuration_the_buffer_is_empty() {
    let mut host = Host::new(&guest(ALL));
    assert_eq!(host.lines()[6..], ["00", ""]);
}

#[test]
fn a_new_configuration_is_a_plugin_of_its_own_and_streams_keep_theirs() {
    let mut host = Host::new(&guest(ALL));
    let stream = host.get("/");
    host.take();
    let old = std::mem::replace(
        &mut host.root,
        host.worker.start_plugin(plugin("two")).unwrap(),
    );
    assert_eq!(
        host.lines(),
        ["10", "03", "11", "03", "12", "03", "00", "two"]
    );
    host.worker.retire_plugin(old);
    assert!(host.lines().is_empty());
    host.worker.downstream_closed(stream);
    let lines = host.lines();
    assert_eq!(lines[6..], ["21", "01", "22", "01"], "{lines:?}");
}

#[test]
fn a_root_that_is_not_done_waits_for_proxy_done() {
    let binary = guest(
        r#"(func (export "proxy_on_done") (param i32) (result i32) (call $digits (i32.const 1)) (i32.const 0))
        (func (export "proxy_on_delete") (param i32) (call $digits (i32.const 2)))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick (i32.const 10))) (i32.const 1))
        (func (export "proxy_on_tick") (param i32) (call $digits (call $done)))"#,
    );
    let mut host = Host::new(&binary);
    host.worker.retire_plugin(host.root);
    assert_eq!(host.lines(), ["01"]);
    host.advance(std::time::Duration::from_millis(10));
    assert_eq!(host.lines(), ["00", "02"]);
    host.advance(std::time::Duration::from_millis(10));
    assert!(host.lines().is_empty());
}

#[test]
fn an_effective_context_lasts_for_a_callback() {
    let binary = guest(
        r#"(data (i32.const 64) ":path")
        (func $path
          (call $digits (call $get_header (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 4))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $set_tick (i32.const 10))) (i32.const 1))
        (func (export "proxy_on_tick") (param i32)
          (call $path)
          (call $digits (call $set_context (i32.const 9)))
          (call $digits (call $continue (i32.const 0)))
          (call $digits (call $set_context (i32.const 2)))
          (call $path) (call $show))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/here");
    host.take();
    host.advance(std::time::Duration::from_millis(10));
    assert_eq!(host.lines(), ["02", "02", "00", "00", "00", "/here"]);
}

#[test]
fn an_upstream_that_fails_is_answered_as_envoys_router_does() {
    let cases = [
        (
            UpstreamFailure::Connect(String::new()),
            "client: 503",
            "remote connection failure",
        ),
        (
            UpstreamFailure::ConnectionTermination,
            "client: 503",
            "connection termination",
        ),
        (UpstreamFailure::RemoteReset, "client: 503", "remote reset"),
        (UpstreamFailure::Protocol, "client: 502", "protocol error"),
        (
            UpstreamFailure::Timeout,
            "client: 504",
            "upstream request timeout",
        ),
    ];
    for (failure, status, text) in cases {
        let mut host = Host::new(&guest(""));
        let stream = host.get("/");
        host.take();
        host.worker.upstream_failed(stream, &failure);
        let story = host.story();
        assert_eq!(story[0], status);
        assert!(story[1].contains(text), "{story:?}");
        assert_eq!(host.worker.stream_count(), 0);
    }
}

#[test]
fn an_upstream_that_is_cut_off_resets_the_client() {
    let mut host = Host::new(&guest(""));
    let stream = host.get("/");
    host.respond(stream, &[(":status", "200")], false);
    host.take();
    host.worker
        .upstream_failed(stream, &UpstreamFailure::ConnectionTermination);
    assert_eq!(
        host.story(),
        [
            "reset",
            "ended upstream_reset_after_response_started{connection_termination}"
        ]
    );
}

#[test]
fn a_stream_may_be_closed_by_the_filter() {
    let binary = guest(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (drop (call $close (i32.const 1))) (i32.const 1))"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.take();
    host.respond(stream, &[(":status", "200")], true);
    assert_eq!(host.story(), ["reset", "ended via_upstream"]);
}

#[test]
fn events_of_a_stream_that_is_gone_are_nothing() {
    let mut host = Host::new(&guest(ALL));
    let stream = host.get("/");
    host.worker.downstream_closed(stream);
    host.take();
    host.worker.downstream_closed(stream);
    host.respond(stream, &[(":status", "200")], true);
    host.response_body(stream, "a", true);
    host.body(stream, "a", true);
    host.worker.idle_timeout(stream);
    host.worker
        .upstream_failed(stream, &UpstreamFailure::Timeout);
    let effects = host.take();
    assert!(
        effects.is_empty(),
        "{:?}",
        effects.iter().map(tell).collect::<Vec<_>>()
    );
}

#[test]
fn an_idle_stream_is_answered_or_closed() {
    let mut host = Host::new(&guest(""));
    let stream = host.get("/");
    host.take();
    host.worker.idle_timeout(stream);
    assert_eq!(
        host.story(),
        [
            "client: 504",
            "client: stream timeout end",
            "ended stream_idle_timeout"
        ]
    );
}
