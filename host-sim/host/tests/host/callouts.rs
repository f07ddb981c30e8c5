//! The filter's own requests.

use std::time::Duration;

use super::support::{Host, guest};
use envoy_wasm_host::http::{Body, Headers};
use envoy_wasm_host::{CalloutAnswer, CalloutToken, Effect, UpstreamFailure};

/// Holds a request until the answer to a callout has come, and shows the answer.
const FILTER: &str = r#"
  (data (i32.const 64) "other")
  (data (i32.const 80) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\02\00\00\00\0a\00\00\00\01\00\00\00:method\00GET\00:path\00/c\00:authority\00o\00")
  (data (i32.const 200) ":status")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $digits (call $http_call (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 62)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 500) (i32.const 16)))
    (call $digits (i32.load (i32.const 16)))
    (i32.const 1))
  (func (export "proxy_on_http_call_response") (param $ctx i32) (param $token i32) (param $headers i32) (param $size i32) (param i32)
    (call $digits (local.get $token))
    (call $digits (local.get $headers))
    (drop (call $get_header (i32.const 6) (i32.const 200) (i32.const 7) (i32.const 0) (i32.const 4)))
    (call $show)
    (drop (call $get_buffer (i32.const 4) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (call $show)
    (drop (call $set_context (i32.const 2)))
    (drop (call $continue (i32.const 0))))"#;

fn sent_token(host: &mut Host) -> CalloutToken {
    let effects = host.take();
    let callout = effects.iter().find_map(|effect| match effect {
        Effect::Callout(callout) => Some(callout),
        _ => None,
    });
    let callout = callout.unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(callout.cluster, "other");
    assert_eq!(callout.headers.get("x-envoy-internal").unwrap(), "true");
    assert_eq!(
        callout
            .headers
            .get("x-envoy-expected-rq-timeout-ms")
            .unwrap(),
        "500"
    );
    callout.token
}

#[test]
fn the_answer_lets_the_request_go_on() {
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    let token = sent_token(&mut host);
    assert_eq!(token.number(), 4);
    let answer = CalloutAnswer::Response {
        headers: Headers::from_pairs([(":status", "200"), ("a", "b")]),
        body: Body::from("yes"),
        trailers: None,
    };
    host.worker.callout_answered(token, answer.clone());
    assert_eq!(
        host.story(),
        ["04", "02", "200", "yes", "resumed Request", "to up: / end"]
    );
    // An answer that comes twice is not handed on.
    host.worker.callout_answered(token, answer);
    assert!(host.story().is_empty());
    host.get("/");
    assert_eq!(sent_token(&mut host).number(), 8);
}

#[test]
fn failures_come_as_responses_with_envoys_text() {
    let text = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    let token = sent_token(&mut host);
    let failure = UpstreamFailure::Connect("refused".to_owned());
    host.worker
        .callout_answered(token, CalloutAnswer::Failed(failure));
    assert_eq!(host.story()[..4], ["04", "03", "503", text]);
}

#[test]
fn the_worker_keeps_the_time() {
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    sent_token(&mut host);
    host.advance(Duration::from_millis(499));
    assert!(host.story().is_empty());
    assert_eq!(
        host.worker.next_deadline(),
        Some(Duration::from_millis(500))
    );
    host.advance(Duration::from_millis(1));
    assert_eq!(
        host.story(),
        [
            "cancel callout 4",
            "04",
            "03",
            "504",
            "upstream request timeout",
            "resumed Request",
            "to up: / end"
        ]
    );
}

#[test]
fn a_truncated_response_cannot_be_read() {
    let nothing = ["04", "00", "", "", "resumed Request", "to up: / end"];
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    let token = sent_token(&mut host);
    host.worker
        .callout_answered(token, CalloutAnswer::BrokenOff);
    assert_eq!(host.story(), nothing);
    // The same where it takes too long once it has begun.
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    let token = sent_token(&mut host);
    host.worker.callout_begun(token);
    host.advance(Duration::from_millis(500));
    let story = host.story();
    assert_eq!(story[0], "cancel callout 4");
    assert_eq!(story[1..], nothing);
}

#[test]
fn an_answer_after_the_stream_has_gone_changes_nothing() {
    let mut host = Host::new(&guest(FILTER));
    let stream = host.get("/");
    let token = sent_token(&mut host);
    host.worker.downstream_closed(stream);
    assert_eq!(host.story(), ["ended downstream_remote_disconnect"]);
    let failure = UpstreamFailure::Timeout;
    host.worker
        .callout_answered(token, CalloutAnswer::Failed(failure));
    assert_eq!(
        host.story(),
        ["04", "03", "504", "upstream request timeout"]
    );
    assert!(host.worker.failure().is_none());
}

#[test]
fn a_retired_plugins_callouts_are_cancelled() {
    let mut host = Host::new(&guest(FILTER));
    let stream = host.get("/");
    host.take();
    host.worker.retire_plugin(host.root);
    assert!(host.story().is_empty(), "its stream still runs");
    host.worker.downstream_closed(stream);
    assert_eq!(
        host.story(),
        ["ended downstream_remote_disconnect", "cancel callout 4"]
    );
}
