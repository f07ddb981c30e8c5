//! Configurations that are handed over while the proxy runs.

use super::scenarios::{module, scenario};
use envoy_wasm_scenario::Start;

/// Logs each configuration by its size; one of three bytes is refused.
const TELLS: &str = r#"(func (export "proxy_on_configure") (param $root i32) (param $size i32) (result i32)
    (call $digits (local.get $size))
    (i32.ne (local.get $size) (i32.const 3)))"#;

#[test]
fn a_configuration_is_tried_and_then_taken_by_every_thread() {
    let scenario = scenario(
        "
filter: {configuration: a, workers: 2}
configurations:
  - {at: 1ms, configuration: bb}
  - {at: 2ms, configuration: ccc, expect: refused}
  - {at: 3ms, configuration: bb}
  - {at: 4ms, configuration: dddd}
  - {at: 5ms, configuration: dddd}
  - {at: 6ms, configuration: a}
  - {at: 7ms, configuration: ccc, expect: refused}
  - {at: 8ms, configuration: ccc, expect: taken}",
    );
    let run = scenario.play(&module(TELLS)).unwrap();
    assert_eq!(scenario.differences(&run), []);
    let lines: Vec<_> = run.log.iter().map(|(_, line)| line.as_str()).collect();
    // A trial, the main thread, two workers; the one that is refused is in a trial only, and no trial is
    // made twice, nor is the same configuration looked at twice in a row.
    let wanted = [
        ["01"; 4].as_slice(),
        &["02"; 4],
        &["03"],
        &["04"; 4],
        &["01"; 3],
    ]
    .concat();
    assert_eq!(lines, wanted);
}

#[test]
fn what_is_under_way_keeps_its_configuration() {
    let module = module(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $get_buffer (i32.const 7) (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 4)))
             (i32.const 0))
           (func (export "proxy_on_done") (param $context i32) (result i32)
             (call $digits (local.get $context)) (i32.const 1))"#,
    );
    let scenario = scenario(
        "
filter: {configuration: a}
upstreams: {up: [{after: 10ms}]}
requests: [{path: /}]
configurations: [{at: 5ms, configuration: b}, {at: 20ms, configuration: c}]",
    );
    let run = scenario.play(&module).unwrap();
    assert_eq!(scenario.differences(&run), []);
    let lines: Vec<_> = run.log.iter().map(|(_, line)| line.as_str()).collect();
    // Root 1 of the main thread goes at once, that of the worker when its stream, 2, has gone; then
    // the second ones, which are 2 and 3, because streams and roots are counted together.
    assert_eq!(lines, ["01", "02", "01", "02", "03"]);
}

#[test]
fn a_vm_that_does_not_take_what_the_trial_took_filters_nothing_any_more() {
    // The third VM that is configured refuses, and no later one.
    let module = module(
        r#"(data (i32.const 64) "asked")
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (local $asked i32)
             (if (i32.eqz (call $get_shared (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 4) (i32.const 12)))
               (then (local.set $asked (i32.load (i32.load (i32.const 0))))))
             (i32.store (i32.const 96) (i32.add (local.get $asked) (i32.const 1)))
             (drop (call $set_shared (i32.const 64) (i32.const 5) (i32.const 96) (i32.const 4) (i32.const 0)))
             (i32.ne (local.get $asked) (i32.const 2)))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))"#,
    );
    let scenario = scenario(
        "
filter: {configuration: a}
upstreams: {up: [{}]}
requests: [{at: 10ms, path: /, expect: {status: 200}}]
configurations: [{at: 5ms, configuration: b, expect: refused}]
expect: {fails: true}",
    );
    let run = scenario.play(&module).unwrap();
    assert_eq!(scenario.differences(&run), []);
    assert_eq!(run.configurations, [Some(Start::Refused)]);
    assert!(
        run.failures[0].contains("requests pass unfiltered"),
        "{:?}",
        run.failures
    );
}
