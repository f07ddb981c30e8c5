//! Filters that are wrong in a way of which the scenario as it stands shows nothing: what an
//! exploration finds of them.

use super::scenarios::{module, scenario};

const EXCHANGE: &str = "
upstreams: {up: [{body: [abc, def]}]}
requests: [{path: /, expect: {status: 200, body: abcdef}}]";

/// The smallest way in which the filter does not hold, once it was seen to hold as the scenario stands.
fn found(functions: &str, more: &str) -> (String, String) {
    let (module, scenario) = (module(functions), scenario(more));
    let run = scenario.play(&module).unwrap();
    assert_eq!(scenario.differences(&run), []);
    let explored = scenario.explore(&module, 1, 2000).unwrap();
    let (schedule, broken) = explored.violation.expect("something is found");
    // What it says to do again shows the same again.
    let words = schedule.to_string();
    let (_, again) = scenario
        .try_schedule(&module, &words.parse().unwrap())
        .unwrap();
    assert_eq!(again, broken);
    let seen = broken.iter().map(|d| format!("{}: {}", d.what, d.seen));
    (words, seen.collect::<Vec<_>>().join("; "))
}

/// As [`found`], where it is a VM that fails.
fn fails(functions: &str, more: &str) -> String {
    let (words, seen) = found(functions, more);
    assert!(seen.contains("unreachable"), "{words}: {seen}");
    words
}

#[test]
fn an_exploration_finds_what_an_empty_chunk_breaks() {
    let module = module(
        r#"(func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
             (if (i32.and (i32.eqz (local.get 1)) (i32.eqz (local.get 2))) (then (unreachable)))
             (i32.const 0))"#,
    );
    let scenario = scenario(EXCHANGE);
    let run = scenario.play(&module).unwrap();
    assert_eq!(scenario.differences(&run), []);
    let explored = scenario.explore(&module, 1, 100).unwrap();
    let (schedule, broken) = explored.violation.unwrap();
    assert_eq!(schedule.to_string(), "empty");
    assert_eq!(broken[0].seen, "reset, 200, a body of 0 bytes");
    // What it says to do again shows the same again.
    let (_, again) = scenario
        .try_schedule(&module, &"empty".parse().unwrap())
        .unwrap();
    assert_eq!(again, broken);
}

#[test]
fn an_exploration_finds_a_stream_that_nothing_wakes() {
    // It waits for the end of a request, and lets nothing go when that comes by itself.
    let module = module(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (i32.eqz (local.get 2)))"#,
    );
    let explored = scenario(EXCHANGE).explore(&module, 1, 100).unwrap();
    let (schedule, broken) = explored.violation.unwrap();
    assert_eq!(schedule.to_string(), "late");
    assert_eq!(broken[0].seen, "pending, no status, a body of 0 bytes");
}

#[test]
fn a_filter_that_does_nothing_passes_every_exploration() {
    let explored = scenario(EXCHANGE).explore(&module(""), 1, 300).unwrap();
    assert_eq!(explored.violation, None);
    assert_eq!(explored.tried, 300);
}

#[test]
fn a_tick_comes_between_any_two_events() {
    // It believes that no tick comes while a request is under way.
    let words = fails(
        r#"(global $busy (mut i32) (i32.const 0))
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (drop (call $set_tick (i32.const 3600000))) (i32.const 1))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (global.set $busy (i32.const 1)) (i32.const 0))
           (func (export "proxy_on_log") (param i32) (global.set $busy (i32.const 0)))
           (func (export "proxy_on_tick") (param i32)
             (if (global.get $busy) (then (unreachable))))"#,
        EXCHANGE,
    );
    assert_eq!(words, "tick=1");
}

#[test]
fn a_client_goes_between_a_tick_and_the_event_behind_it() {
    // It lets requests go on at a tick, and believes that an answer comes then.
    let words = fails(
        r#"(global $gone_on (mut i32) (i32.const 0))
           (global $waits (mut i32) (i32.const 0))
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (drop (call $set_tick (i32.const 50))) (i32.const 1))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (global.set $waits (local.get 0)) (i32.const 1))
           (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
             (global.set $gone_on (i32.const 0)) (i32.const 0))
           (func (export "proxy_on_log") (param i32)
             (global.set $waits (i32.const 0))
             (if (global.get $gone_on) (then (unreachable))))
           (func (export "proxy_on_tick") (param i32)
             (if (global.get $waits) (then
               (drop (call $set_context (global.get $waits)))
               (drop (call $continue (i32.const 0)))
               (global.set $waits (i32.const 0))
               (global.set $gone_on (i32.const 1)))))"#,
        EXCHANGE,
    );
    // The request comes, the main thread's VM ticks, the worker's does.
    assert_eq!(words, "leave=1@3");
}

#[test]
fn an_upstream_goes_before_a_request_is_whole() {
    // It holds an answer until the request is whole, and forgets about those that come before.
    let (words, seen) = found(
        r#"(global $whole (mut i32) (i32.const 0))
           (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
             (global.set $whole (local.get 2)) (i32.const 0))
           (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
             (global.set $whole (i32.const 1)) (i32.const 0))
           (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
             (i32.eqz (global.get $whole)))"#,
        "
upstreams: {up: [{body: abc}]}
requests: [{method: POST, path: /, body: [ab, {text: cd, after: 5ms}], expect: {status: 200}}]",
    );
    assert_eq!(words, "drop=1:closed@1");
    assert!(seen.contains("pending, no status"), "{seen}");
}

#[test]
fn a_callout_is_given_up_at_any_time() {
    // It calls out, and reads the answer without a look at whether there is one.
    let words = fails(
        r#"(data (i32.const 64) "up")
           (data (i32.const 128) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\01\00\00\00:method\00GET\00:path\00/\00:authority\00a\00")
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $http_call (i32.const 64) (i32.const 2) (i32.const 128) (i32.const 61)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 0)))
             (i32.const 0))
           (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
             (if (i32.eqz (local.get 2)) (then (unreachable))))"#,
        "
upstreams: {up: [{path: /a, after: 30ms}, {body: [abc, {text: def, after: 10ms}]}]}
requests: [{path: /a, expect: {status: 200}}]",
    );
    assert!(
        words.starts_with("fault=1:") || words.starts_with("drop=1:"),
        "{words}"
    );
    assert!(words.contains('@'), "{words}");
}

#[test]
fn a_configuration_comes_between_any_two_events() {
    // It keeps the number of what it has begun in the VM, and begins to count anew with a configuration.
    let words = fails(
        r#"(global $open (mut i32) (i32.const 0))
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (global.set $open (i32.const 0)) (i32.const 1))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (global.set $open (i32.add (global.get $open) (i32.const 1))) (i32.const 0))
           (func (export "proxy_on_log") (param i32)
             (if (i32.eqz (global.get $open)) (then (unreachable)))
             (global.set $open (i32.sub (global.get $open) (i32.const 1))))"#,
        EXCHANGE,
    );
    assert_eq!(words, "configure=1");
}

#[test]
fn another_worker_writes_between_a_read_and_a_write() {
    // It does not try again where another one has written.
    let words = fails(
        r#"(data (i32.const 64) "key")
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (drop (call $set_shared (i32.const 64) (i32.const 3) (i32.const 64) (i32.const 1) (i32.const 0)))
             (i32.const 1))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $get_shared (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 12)))
             (if (call $set_shared (i32.const 64) (i32.const 3) (i32.const 64) (i32.const 2) (i32.load (i32.const 12)))
               (then (unreachable)))
             (i32.const 0))"#,
        EXCHANGE,
    );
    assert_eq!(words, "contend=1");
}

const TWO: &str = "
upstreams: {up: [{body: abc}]}
requests:
  - {path: /, expect: {status: 200}}
  - {path: /, headers: {x-second: b}, expect: {status: 200}}";

#[test]
fn what_comes_at_once_comes_in_any_order() {
    // It believes that the request with seven headers is never the first.
    let words = fails(
        r#"(global $seen (mut i32) (i32.const 0))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (if (i32.and (i32.eqz (global.get $seen)) (i32.eq (local.get 1) (i32.const 7)))
               (then (unreachable)))
             (global.set $seen (i32.const 1)) (i32.const 0))"#,
        TWO,
    );
    assert!(words.starts_with("order="), "{words}");
}

#[test]
fn requests_of_one_client_come_to_different_workers() {
    // It counts requests in the VM, and lets the second one wait for the first.
    let (words, seen) = found(
        r#"(global $seen (mut i32) (i32.const 0))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
             (i32.and (i32.eq (local.get 1) (i32.const 7)) (i32.lt_u (global.get $seen) (i32.const 2))))"#,
        &TWO.replace("- {path: /, headers", "- {at: 10ms, path: /, headers"),
    );
    assert!(words.starts_with("spread="), "{words}");
    assert!(seen.contains("request 2: pending"), "{seen}");
}
