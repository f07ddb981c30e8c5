//! Hostile arguments: every hostcall, with addresses outside the memory, sizes that overflow and
//! numbers that mean nothing. Each is answered with Envoy's status, and the host goes on.

use super::support::{Host, on_request};

/// Runs a hostcall in a request's headers callback and gives its answer.
fn answer(call: &str) -> String {
    let binary = on_request(&format!("(call $digits {call})"));
    let mut host = Host::new(&binary);
    host.get("/");
    let lines = host.lines();
    assert!(host.worker.failure().is_none(), "{call}: {lines:?}");
    lines.last().cloned().unwrap_or_default()
}

fn call(name: &str, arguments: &[i64]) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|n| format!("(i32.const {n})"))
        .collect();
    answer(&format!("(call ${name} {})", arguments.join(" ")))
}

const OUT: i64 = 0xffff_fff0;
const HUGE: i64 = 0xffff_ffff;
const OK: &str = "00";
const NOT_FOUND: &str = "01";
const BAD_ARGUMENT: &str = "02";
const PARSE_FAILURE: &str = "04";
const BAD_MEMORY: &str = "06";

#[test]
fn addresses_outside_the_memory_are_refused() {
    let rows = [
        ("log", &[2, OUT, 1][..]),
        ("log", &[2, 0, HUGE]),
        ("log", &[2, OUT, HUGE]),
        ("get_log_level", &[OUT]),
        ("now", &[OUT]),
        ("now", &[131_072 - 7]),
        ("get_property", &[OUT, 4, 0, 4]),
        ("set_property", &[0, HUGE, 0, 0]),
        ("set_property", &[0, 1, OUT, 5]),
        ("get_buffer", &[6, 0, 1, OUT, 4]),
        ("buffer_status", &[0, OUT, 4]),
        ("buffer_status", &[0, 0, OUT]),
        ("set_buffer", &[0, 0, 0, OUT, 1]),
        ("get_pairs", &[0, OUT, 4]),
        ("get_pairs", &[0, 0, OUT]),
        ("set_pairs", &[0, OUT, 20]),
        ("map_size", &[0, OUT]),
        ("get_header", &[0, OUT, 5, 0, 4]),
        ("add_header", &[0, OUT, 5, 0, 0]),
        ("add_header", &[0, 0, 1, 0, HUGE]),
        ("set_header", &[0, 0, HUGE, 0, 0]),
        ("remove_header", &[0, OUT, 100]),
        ("reply", &[200, OUT, 20, 0, 0, 0, 0, HUGE]),
        ("reply", &[200, 0, 0, OUT, 20, 0, 0, HUGE]),
        ("reply", &[200, 0, 0, 0, 0, OUT, 20, HUGE]),
        ("get_shared", &[OUT, 20, 0, 4, 12]),
        ("set_shared", &[0, 1, OUT, 20, 0]),
        ("register_queue", &[OUT, 20, 0]),
        ("register_queue", &[0, 1, OUT]),
        ("resolve_queue", &[OUT, 20, 0, 1, 0]),
        ("enqueue", &[1, OUT, 20]),
        ("http_call", &[OUT, 20, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("http_call", &[0, 0, OUT, 20, 0, 0, 0, 0, 0, 0]),
        ("http_call", &[0, 0, 0, 0, OUT, 20, 0, 0, 0, 0]),
        ("http_call", &[0, 0, 0, 0, 0, 0, OUT, 20, 0, 0]),
        ("http_call", &[0, 0, 0, 0, 0, 0, 0, 0, 0, OUT]),
        ("grpc_call", &[OUT, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("grpc_stream", &[0, 0, 0, 0, OUT, 20, 0, 0, 0]),
        ("grpc_send", &[2, OUT, 20, 0]),
        ("get_status", &[OUT, 0, 4]),
        ("define_metric", &[0, OUT, 20, 0]),
        ("define_metric", &[0, 0, 1, OUT]),
        ("foreign", &[OUT, 20, 0, 0, 0, 4]),
        ("foreign", &[0, 0, OUT, 20, 0, 4]),
    ];
    table_rows::check(rows, |(name, arguments)| {
        assert_eq!(call(name, arguments), BAD_MEMORY, "{name}{arguments:?}");
    });
}

#[test]
fn invalid_numbers_are_refused() {
    let rows = [
        ("log", &[6, 0, 0][..]),
        ("log", &[HUGE, 0, 0]),
        ("get_buffer", &[9, 0, 1, 0, 4]),
        ("buffer_status", &[HUGE, 0, 4]),
        ("set_buffer", &[9, 0, 0, 0, 0]),
        ("get_pairs", &[8, 0, 4]),
        ("set_pairs", &[HUGE, 0, 0]),
        ("get_header", &[8, 0, 0, 0, 4]),
        ("add_header", &[8, 0, 0, 0, 0]),
        ("continue", &[4]),
        ("close", &[HUGE]),
        ("define_metric", &[3, 0, 1, 0]),
        ("set_context", &[HUGE]),
        ("http_call", &[0, 0, 0, 0, 0, 0, 0, 0, HUGE, 0]),
        ("grpc_send", &[0, 0, 0, 0]),
        ("grpc_cancel", &[4]),
        ("grpc_close", &[HUGE]),
    ];
    table_rows::check(rows, |(name, arguments)| {
        assert_eq!(call(name, arguments), BAD_ARGUMENT, "{name}{arguments:?}");
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    let rows = [
        ("get_property", &[64, 3, 0, 4][..]),
        ("get_shared", &[64, 3, 0, 4, 12]),
        ("resolve_queue", &[0, 0, 64, 3, 0]),
        ("dequeue", &[77, 0, 4]),
        ("enqueue", &[77, 0, 1]),
        ("get_header", &[0, 64, 3, 0, 4]),
        ("foreign", &[64, 3, 0, 0, 0, 4]),
        ("get_buffer", &[4, 0, 1, 0, 4]),
        ("get_buffer", &[7, 0, 1, 0, 4]),
        ("get_metric", &[4, 0]),
        ("grpc_cancel", &[5]),
        ("grpc_close", &[6]),
    ];
    table_rows::check(rows, |(name, arguments)| {
        assert_eq!(call(name, arguments), NOT_FOUND, "{name}{arguments:?}");
    });
    assert_eq!(call("done", &[]), NOT_FOUND);
    for (name, value) in [("increment_metric", 1), ("record_metric", 1)] {
        let metric = format!("(call ${name} (i32.const 400) (i64.const {value}))");
        assert_eq!(answer(&metric), NOT_FOUND);
    }
}

#[test]
fn a_buffer_is_read_as_far_as_it_goes() {
    for (start, length) in [(0, HUGE), (HUGE, 1), (HUGE, HUGE), (5, 0)] {
        assert_eq!(call("get_buffer", &[0, start, length, 0, 4]), OK);
    }
}

#[test]
fn maps_of_another_phase_are_refused() {
    for map in [1, 2, 3, 4, 5, 6, 7] {
        assert_eq!(call("add_header", &[map, 64, 1, 64, 1]), BAD_ARGUMENT);
        assert_eq!(call("get_header", &[map, 64, 1, 0, 4]), BAD_ARGUMENT);
        // No map is an empty map where all pairs are requested.
        assert_eq!(call("get_pairs", &[map, 0, 4]), OK);
    }
    assert_eq!(call("set_buffer", &[0, 0, 0, 64, 1]), BAD_ARGUMENT);
    assert_eq!(call("get_buffer", &[7, 0, 4, 0, 4]), NOT_FOUND);
}

#[test]
fn unknown_clusters_are_answered_as_envoy_answers() {
    assert_eq!(
        call("http_call", &[64, 2, 0, 0, 0, 0, 0, 0, 0, 0]),
        BAD_ARGUMENT
    );
    let grpc = [64, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(call("grpc_call", &grpc), PARSE_FAILURE);
    assert_eq!(call("grpc_stream", &grpc[..9]), PARSE_FAILURE);
}

#[test]
fn an_allocator_that_gives_nothing_or_lies_is_refused() {
    let rows = [
        ("(i32.const 0)", BAD_MEMORY),
        ("(i32.const -1)", BAD_MEMORY),
        ("(i32.const 65535)", BAD_MEMORY),
    ];
    table_rows::check(rows, |(allocate, expected)| {
        let binary = super::support::assemble(&format!(
            r#"(module
              (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
              (import "env" "proxy_get_header_map_pairs" (func $get_pairs (param i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (func (export "proxy_abi_version_0_2_1"))
              (func (export "malloc") (param i32) (result i32) {allocate})
              (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (i32.store8 (i32.const 8) (i32.const 48))
                (i32.store8 (i32.const 9) (i32.add (i32.const 48)
                  (call $get_pairs (i32.const 0) (i32.const 0) (i32.const 4))))
                (drop (call $log (i32.const 2) (i32.const 8) (i32.const 2)))
                (i32.const 0)))"#
        ));
        let mut host = Host::new(&binary);
        host.get("/");
        assert_eq!(host.lines(), [expected]);
    });
}
