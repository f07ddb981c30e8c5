//! Metrics.

use super::support::{Host, Setup, guest};
use envoy_wasm_host::stats::{StatsConfig, Value, render};

/// Defines a counter `hits`, a gauge `size` and a histogram `ms`, whose numbers are at 32, 36, 40.
const DEFINE: &str = r#"
  (data (i32.const 64) "hitssizems")
  (func $define
    (drop (call $define_metric (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 32)))
    (drop (call $define_metric (i32.const 1) (i32.const 68) (i32.const 4) (i32.const 36)))
    (drop (call $define_metric (i32.const 2) (i32.const 72) (i32.const 2) (i32.const 40))))
  (func $hits (result i32) (i32.load (i32.const 32)))
  (func $size (result i32) (i32.load (i32.const 36)))
  (func $ms (result i32) (i32.load (i32.const 40)))"#;

fn run(instructions: &str) -> Host {
    let binary = guest(&format!(
        r#"{DEFINE}
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $define) {instructions} (i32.const 1))"#
    ));
    let mut setup = Setup::default();
    setup.proxy.stats = StatsConfig::default().buckets("ms", &[10.0, 100.0]);
    setup.start(&binary)
}

fn value(host: &Host, name: &str) -> Value {
    let series = host.worker.proxy().stats().series();
    series.into_iter().find(|s| s.name == name).unwrap().value
}

#[test]
fn counters_grow_gauges_are_set_and_histograms_count() {
    let host = run("(drop (call $increment_metric (call $hits) (i64.const 2)))
         (drop (call $record_metric (call $hits) (i64.const 3)))
         (drop (call $record_metric (call $size) (i64.const 9)))
         (drop (call $increment_metric (call $size) (i64.const -2)))
         (drop (call $record_metric (call $ms) (i64.const 10)))
         (drop (call $record_metric (call $ms) (i64.const 11)))");
    assert_eq!(value(&host, "hits"), Value::Counter(5));
    assert_eq!(value(&host, "size"), Value::Gauge(7));
    let Value::Histogram { count, buckets, .. } = value(&host, "ms") else {
        panic!();
    };
    assert_eq!((count, buckets[0], buckets[1]), (2, (10.0, 1), (100.0, 1)));
    let text = render(host.worker.proxy().stats());
    assert!(text.contains("\nhits 5\n"), "{text}");
}

#[test]
fn a_counter_refuses_what_is_not_above_zero_and_a_gauge_wraps() {
    let binary = guest(&format!(
        r#"{DEFINE}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $define)
          (call $digits (call $increment_metric (call $hits) (i64.const 0)))
          (call $digits (call $increment_metric (call $hits) (i64.const -1)))
          (call $digits (call $increment_metric (call $ms) (i64.const 1)))
          (call $digits (call $get_metric (call $ms) (i32.const 0)))
          (call $digits (call $increment_metric (call $size) (i64.const -1)))
          (drop (call $get_metric (call $size) (i32.const 0)))
          (call $digits (i64.eq (i64.load (i32.const 0)) (i64.const -1)))
          (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["02", "02", "02", "02", "00", "01"]);
}

#[test]
fn a_name_is_one_metric_in_every_vm() {
    let host = run("(drop (call $increment_metric (call $hits) (i64.const 1)))");
    let proxy = host.worker.proxy().clone();
    let binary = guest(&format!(
        r#"{DEFINE}
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $define) (call $define)
          (drop (call $increment_metric (call $hits) (i64.const 1)))
          (i32.const 1))"#
    ));
    let other = Host::join(
        &proxy,
        host.clock.clone(),
        envoy_wasm_host::VmConfig::default(),
        envoy_wasm_host::PluginConfig::default(),
        &binary,
    );
    assert_eq!(value(&other, "hits"), Value::Counter(2));
}
