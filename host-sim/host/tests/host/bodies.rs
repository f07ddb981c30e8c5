//! Bodies: pausing, buffering, limits, changes, the end of a stream.

use super::support::{Host, Setup, guest};
use envoy_wasm_host::http::Headers;

const POST: &[(&str, &str)] = &[(":method", "POST"), (":path", "/")];
const OK: &[(&str, &str)] = &[(":status", "200")];

/// Logs the size that a body callback gets, then answers with this number.
fn body_filter(action: &str) -> Vec<u8> {
    guest(&format!(
        r#"(func $body (param $size i32) (param $end i32) (result i32)
          (call $digits (local.get $size))
          (if (local.get $end) (then (call $digits (i32.const 99))))
          {action})
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $body (local.get 1) (local.get 2)))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $body (local.get 1) (local.get 2)))"#
    ))
}

#[test]
fn chunks_pass_one_by_one_and_the_end_may_be_empty() {
    let mut host = Host::new(&body_filter("(i32.const 0)"));
    let stream = host.request(POST, false);
    host.body(stream, "abc", false);
    host.body(stream, "", true);
    host.respond(stream, OK, false);
    host.response_body(stream, "hello", false);
    host.response_body(stream, "", true);
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "03",
            "to upstream: abc",
            "00",
            "99",
            "to upstream:  end",
            "client: 200",
            "05",
            "client: hello",
            "00",
            "99",
            "client:  end",
            "ended via_upstream"
        ]
    );
}

#[test]
fn while_a_body_is_held_the_filter_sees_the_sum() {
    let mut host = Host::new(&body_filter("(i32.eqz (local.get $end))"));
    let stream = host.request(POST, false);
    host.body(stream, "abc", false);
    host.body(stream, "de", false);
    host.body(stream, "", true);
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "03",
            "paused Request Body",
            "05",
            "paused Request Body",
            "05",
            "99",
            "resumed Request",
            "to upstream: abcde end"
        ]
    );
}

#[test]
fn a_body_that_the_filter_keeps_is_not_sent() {
    // StopIterationNoBuffer
    let mut host = Host::new(&body_filter(
        "(select (i32.const 0) (i32.const 3) (local.get $end))",
    ));
    let stream = host.request(POST, false);
    host.body(stream, "abc", false);
    host.body(stream, "de", true);
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "03",
            "paused Request Body",
            "02",
            "99",
            "resumed Request",
            "to upstream: de end"
        ]
    );
}

#[test]
fn a_held_request_over_the_limit_is_refused() {
    let mut setup = Setup::default();
    setup.proxy.buffer_limit = 4;
    let mut host = setup.start(&guest(
        r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 1))"#,
    ));
    let stream = host.request(POST, false);
    host.body(stream, "abcde", false);
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "client: 413",
            "client: Payload Too Large end",
            "ended request_payload_too_large"
        ]
    );
    assert_eq!(host.worker.stream_count(), 0);
}

#[test]
fn a_held_response_over_the_limit_is_closed_once_its_headers_are_out() {
    let mut setup = Setup::default();
    setup.proxy.buffer_limit = 4;
    let mut host = setup.start(&body_filter("(i32.const 1)"));
    let stream = host.get("/");
    host.respond(stream, OK, false);
    host.take();
    host.response_body(stream, "abcde", false);
    assert_eq!(
        host.story(),
        ["05", "reset", "ended response_payload_too_large"]
    );
}

#[test]
fn a_response_held_from_its_headers_on_is_not_read_beyond_the_limit() {
    let mut setup = Setup::default();
    setup.proxy.buffer_limit = 4;
    let mut host = setup.start(&guest(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $digits (local.get 1)) (i32.const 0))
        (func (export "proxy_on_tick") (param i32)
          (drop (call $set_context (i32.const 2)))
          (drop (call $continue (i32.const 1))))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick (i32.const 100))) (i32.const 1))"#,
    ));
    let stream = host.get("/");
    host.respond(stream, OK, false);
    host.take();
    host.response_body(stream, "abcde", false);
    assert_eq!(host.story(), ["stop reading Response"]);
    host.response_body(stream, "fg", true);
    host.take();
    host.advance(std::time::Duration::from_millis(100));
    assert_eq!(
        host.story(),
        [
            "resumed Response",
            "client: 200",
            "resume reading Response",
            "07",
            "client: abcdefg end",
            "ended via_upstream"
        ]
    );
}

#[test]
fn a_body_can_be_replaced_put_before_and_appended_to() {
    let change = |start: &str, length: &str| {
        let binary = guest(&format!(
            r#"(data (i32.const 64) "XY")
            (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
              (call $digits (call $set_buffer (i32.const 1) (i32.const {start}) (i32.const {length})
                (i32.const 64) (i32.const 2)))
              (i32.const 0))"#
        ));
        let mut host = Host::new(&binary);
        let stream = host.get("/");
        host.respond(stream, OK, false);
        host.take();
        host.response_body(stream, "abc", true);
        let story = host.story();
        (story[0].clone(), story[1].clone())
    };
    let cases = [
        ("0", "0", "00", "client: XYabc end"),
        ("0", "3", "00", "client: XY end"),
        ("0", "4294967295", "00", "client: XY end"),
        ("3", "0", "00", "client: abcXY end"),
        ("4294967295", "0", "00", "client: abcXY end"),
        ("0", "2", "02", "client: abc end"),
        ("1", "1", "02", "client: abc end"),
        ("2", "4294967295", "02", "client: abc end"),
    ];
    for (start, length, status, sent) in cases {
        assert_eq!(
            change(start, length),
            (status.into(), sent.into()),
            "{start} {length}"
        );
    }
}

#[test]
fn with_trailers_no_body_callback_has_the_end() {
    let mut host = Host::new(&body_filter("(i32.const 0)"));
    let stream = host.request(POST, false);
    host.body(stream, "a", false);
    host.worker
        .request_trailers(stream, Headers::from_pairs([("t", "1")]));
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "01",
            "to upstream: a",
            "to upstream: 1 trailers"
        ]
    );
}

#[test]
fn a_body_that_is_held_goes_with_its_trailers() {
    let binary = guest(
        r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
          (call $digits (local.get 1)) (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.request(POST, false);
    host.body(stream, "a", false);
    host.worker
        .request_trailers(stream, Headers::from_pairs([("t", "1"), ("u", "2")]));
    assert_eq!(
        host.story(),
        [
            "to up: /",
            "paused Request Body",
            "02",
            "resumed Request",
            "to upstream: a",
            "to upstream: 2 trailers"
        ]
    );
}

#[test]
fn trailers_can_be_added_with_the_last_of_a_body() {
    let binary = guest(
        r#"(data (i32.const 64) "t1")
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $digits (call $add_header (i32.const 3) (i32.const 64) (i32.const 1) (i32.const 65) (i32.const 1)))
          (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.respond(stream, OK, false);
    host.take();
    host.response_body(stream, "a", false);
    host.response_body(stream, "b", true);
    assert_eq!(
        host.story(),
        [
            "02",
            "client: a",
            "00",
            "client: b",
            "client: 1 trailers",
            "ended via_upstream"
        ]
    );
}

#[test]
fn headers_alone_can_be_held_where_the_plugin_allows_it() {
    let binary = guest(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $digits (local.get 1)) (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.request(POST, false);
    host.body(stream, "abc", true);
    assert_eq!(host.story(), ["paused Request Headers"]);
    let mut setup = Setup::default();
    setup.plugin.allow_on_headers_stop_iteration = true;
    let mut host = setup.start(&binary);
    let stream = host.request(POST, false);
    host.body(stream, "abc", true);
    // A body callback that continues lets the headers go.
    assert_eq!(
        host.story(),
        [
            "paused Request Headers",
            "03",
            "resumed Request",
            "to up: /",
            "to upstream: abc end"
        ]
    );
}

/// Holds every body, and at a tick runs these instructions for the one stream and lets its response go on.
fn changes_at_a_tick(instructions: &str) -> Host {
    let binary = guest(&format!(
        r#"(data (i32.const 64) "XY")
        (func $set (param $start i32) (param $length i32) (param $size i32)
          (call $digits (call $set_buffer (i32.const 1) (local.get $start) (local.get $length)
            (i32.const 64) (local.get $size))))
        (func $get
          (drop (call $get_buffer (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 4)))
          (call $show))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_tick") (param i32)
          (if (i32.eqz (call $set_context (i32.const 2)))
            (then {instructions} (drop (call $continue (i32.const 1))))))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick (i32.const 100))) (i32.const 1))"#
    ));
    Host::new(&binary)
}

#[test]
fn a_held_body_is_changed_at_a_tick() {
    let cases = [
        ("(call $get)", vec!["abcde"], "abcde"),
        (
            "(call $set (i32.const -1) (i32.const 0) (i32.const 2)) (call $get)",
            vec!["00", "abcdeXY"],
            "abcdeXY",
        ),
        (
            "(call $set (i32.const 0) (i32.const 0) (i32.const 2))",
            vec!["00"],
            "XYabcde",
        ),
        (
            "(call $set (i32.const 0) (i32.const -1) (i32.const 2))",
            vec!["00"],
            "XY",
        ),
        (
            "(call $set (i32.const 0) (i32.const 5) (i32.const 0)) (call $get)",
            vec!["00", ""],
            "",
        ),
        (
            "(call $set (i32.const 1) (i32.const 1) (i32.const 2))",
            vec!["02"],
            "abcde",
        ),
    ];
    for (instructions, logged, sent) in cases {
        for pieces in [["abcde", ""], ["abc", "de"]] {
            let mut host = changes_at_a_tick(instructions);
            let stream = host.get("/");
            host.respond(stream, OK, false);
            host.response_body(stream, pieces[0], false);
            host.response_body(stream, pieces[1], true);
            host.take();
            host.advance(std::time::Duration::from_millis(100));
            let mut expected = logged.clone();
            let client = format!("client: {sent} end");
            expected.extend(["resumed Response", &client, "ended via_upstream"]);
            assert_eq!(host.story(), expected, "{instructions} {pieces:?}");
        }
    }
}
