//! Scenarios with filters that are wrong: what a client sees of them, and what an exploration finds.

use super::guest::guest;
use envoy_wasm_host::Module;
use envoy_wasm_scenario::{Outcome, Scenario, engine};

pub fn module(functions: &str) -> Module {
    Module::new(&engine(None).unwrap(), &guest(functions)).unwrap()
}

pub fn scenario(more: &str) -> Scenario {
    let text = format!("name: test\nroute: {{cluster: up}}\n{more}");
    Scenario::parse(&text).unwrap()
}

const EXCHANGE: &str = "
upstreams: {up: [{body: [abc, def]}]}
requests: [{path: /, expect: {status: 200, body: abcdef}}]";

#[test]
fn a_client_waits_while_a_filter_never_continues() {
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
  - {path: /, at: 2s, expect: {status: 503}}
  - {path: /, at: 2010ms, expect: {status: 503}}
  - {path: /, at: 2500ms, expect: {status: 503}}
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
