//! Replies of the filter's own and of the proxy's.

use super::support::{Host, guest};

/// Replies 403 with a body of four bytes and a header.
const REPLY: &str = r#"
  (data (i32.const 64) "nope")
  (data (i32.const 80) "\01\00\00\00\01\00\00\00\01\00\00\00k\00v\00")
  (func $forbid (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0)
    (i32.const 64) (i32.const 4) (i32.const 80) (i32.const 16) (i32.const -1))))"#;

/// Logs `0S`, where S is the status that the filter is shown, and the size of the body.
const WATCH: &str = r#"
  (data (i32.const 128) ":status")
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (drop (call $get_header (i32.const 2) (i32.const 128) (i32.const 7) (i32.const 0) (i32.const 4)))
    (call $show) (i32.const 0))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
    (call $digits (local.get 1)) (call $digits (local.get 2)) (i32.const 0))
  (func (export "proxy_on_log") (param i32) (call $digits (i32.const 77)))"#;

#[test]
fn a_reply_runs_through_the_filters_own_response_callbacks() {
    let binary = guest(&format!(
        r#"{REPLY} {WATCH}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $forbid) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(
        host.story(),
        [
            "403",
            "client: 403",
            "04",
            "01",
            "client: nope end",
            "77",
            "ended "
        ]
    );
    host.request(&[(":method", "HEAD"), (":path", "/")], true);
    assert_eq!(host.story(), ["403", "client: 403 end", "77", "ended "]);
}

#[test]
fn a_reply_carries_its_headers_length_and_type() {
    let binary = guest(&format!(
        r#"{REPLY}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $forbid) (i32.const 1))"#
    ));
    let mut host = Host::new(&binary);
    host.request(&[(":method", "POST"), (":path", "/")], false);
    let effects = host.take();
    let envoy_wasm_host::Effect::Stream(
        _,
        envoy_wasm_host::StreamEffect::DownstreamHeaders {
            headers,
            request_unfinished,
            ..
        },
    ) = &effects[0]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(headers.get("k").unwrap(), "v");
    assert_eq!(headers.get("content-length").unwrap(), "4");
    assert_eq!(headers.get("content-type").unwrap(), "text/plain");
    assert!(*request_unfinished);
}

#[test]
fn the_first_of_two_replies_stands() {
    let binary = guest(&format!(
        r#"{REPLY}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $forbid)
          (drop (call $reply (i32.const 500) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 0) (i32.const 0) (i32.const -1)))
          (i32.const 1))"#
    ));
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(host.story()[..2], ["client: 403", "client: nope end"]);
}

#[test]
fn a_reply_instead_of_an_upstreams_response() {
    let binary = guest(&format!(
        r#"{REPLY}
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (call $forbid) (i32.const 0))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $digits (i32.const 1)) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.take();
    host.respond(stream, &[(":status", "200")], false);
    // One that is under way in the filter is not shown again.
    assert_eq!(host.story(), ["client: 403", "client: nope end", "ended "]);
}

#[test]
fn a_reply_after_the_responses_headers_closes_the_stream() {
    let binary = guest(&format!(
        r#"{REPLY}
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
          (call $forbid) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.respond(stream, &[(":status", "200")], false);
    host.take();
    host.response_body(stream, "a", false);
    assert_eq!(host.story(), ["reset", "ended "]);
}

#[test]
fn grpc_is_answered_in_its_own_way() {
    let binary = guest(&format!(
        r#"{REPLY}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $forbid) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    let headers = [
        (":method", "POST"),
        (":path", "/"),
        ("content-type", "application/grpc"),
    ];
    host.request(&headers, true);
    assert_eq!(host.story(), ["client: 200 end", "ended "]);
}

#[test]
fn a_status_that_http_does_not_have_becomes_500() {
    for status in ["0", "99", "1000", "-1", "100"] {
        let binary = guest(&format!(
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
              (drop (call $reply (i32.const {status}) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
              (i32.const 0))"#
        ));
        let mut host = Host::new(&binary);
        host.get("/");
        assert_eq!(host.story(), ["client: 500 end", "ended "]);
    }
}

#[test]
fn a_response_without_a_status_is_replaced() {
    let binary = guest(
        r#"(data (i32.const 64) ":status")
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (drop (call $remove_header (i32.const 2) (i32.const 64) (i32.const 7))) (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.take();
    host.respond(stream, &[(":status", "200")], true);
    assert_eq!(
        host.story()[..2],
        [
            "client: 502",
            "client: missing required header: :status end"
        ]
    );
}

#[test]
fn a_fragment_is_refused_before_the_filter() {
    let binary = guest(&format!(
        r#"{WATCH}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (i32.const 1)) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    host.get("/a#b");
    assert_eq!(
        host.story(),
        ["client: 400 end", "77", "ended path_normalization_failed"]
    );
}
