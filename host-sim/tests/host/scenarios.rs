//! Scenarios with filters that are wrong: what a client sees of them, and what an exploration finds.

use super::support::guest;
use host_sim::Module;
use host_sim::sim::{Outcome, Scenario, engine};

fn module(functions: &str) -> Module {
    Module::new(&engine(None).unwrap(), &guest(functions)).unwrap()
}

fn scenario(more: &str) -> Scenario {
    let text = format!("name: test\nroute: {{cluster: up}}\n{more}");
    Scenario::parse(&text).unwrap()
}

const EXCHANGE: &str = "
upstreams: {up: [{body: [abc, def]}]}
requests: [{path: /, expect: {status: 200, body: abcdef}}]";

#[test]
fn a_filter_that_holds_for_ever_leaves_its_client_waiting() {
    let module = module(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))"#,
    );
    let scenario = scenario(EXCHANGE);
    let run = scenario.play(&module).unwrap();
    assert_eq!(run.clients[0].outcome(), Outcome::Pending);
    let differences = scenario.differences(&run);
    assert_eq!(differences[0].what, "request 1 (GET /): outcome");
    assert_eq!(differences[0].seen, "pending");
}

#[test]
fn a_trap_is_answered_and_a_new_vm_comes_after_the_back_off() {
    let module = module(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (unreachable))"#,
    );
    let scenario = scenario(
        "
filter: {fail_policy: reload}
upstreams: {up: [{times: 2, body: abc}]}
requests:
  - {path: /, expect: {status: 503}}
  - {path: /, at: 10ms, expect: {status: 503}}
  - {path: /, at: 500ms, expect: {status: 503}}
expect:
  fails: true
  upstream: [{cluster: up}, {cluster: up}]
  log: [unreachable]",
    );
    let run = scenario.play(&module).unwrap();
    assert_eq!(scenario.differences(&run), []);
    assert_eq!(run.failures.len(), 2);
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
fn a_filter_that_does_nothing_holds_in_every_way() {
    let explored = scenario(EXCHANGE).explore(&module(""), 1, 300).unwrap();
    assert_eq!(explored.violation, None);
    assert_eq!(explored.tried, 300);
}

#[test]
fn budgets_are_asserted() {
    let module = module(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $now (i32.const 0))) (drop (call $now (i32.const 0))) (i32.const 0))"#,
    );
    let budget = format!("{EXCHANGE}\nexpect: {{budget: {{hostcalls: 1, fuel: 3}}}}");
    let scenario = scenario(&budget);
    let run = scenario.play(&module).unwrap();
    let broken = scenario.differences(&run);
    let what: Vec<_> = broken.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(what, ["fuel of a call", "hostcalls"]);
    assert_eq!(broken[1].seen, "2");
}
