//! The filter's own gRPC calls, on a clock that stands still. What becomes of each kind of answer is
//! compared with Envoy's by `tests/scenarios/odd`.

use std::time::Duration;

use bytes::Bytes;

use super::support::{Host, guest};
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{CalloutToken, Effect, GrpcPart};

/// Calls with each request, and shows what comes of it.
const FILTER: &str = r#"
  (data (i32.const 64) "other")
  (data (i32.const 80) "Service")
  (data (i32.const 96) "Method")
  (data (i32.const 112) "question")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $digits (call $grpc_call (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 7) (i32.const 96) (i32.const 6)
      (i32.const 0) (i32.const 0) (i32.const 112) (i32.const 8) (i32.const 500) (i32.const 16)))
    (call $digits (i32.load (i32.const 16)))
    (i32.const 1))
  (func (export "proxy_on_grpc_receive") (param i32) (param $token i32) (param $size i32)
    (call $digits (local.get $token))
    (drop (call $get_buffer (i32.const 5) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (call $show))
  (func (export "proxy_on_grpc_close") (param i32) (param $token i32) (param $status i32)
    (call $digits (local.get $token))
    (call $digits (local.get $status))
    (drop (call $get_status (i32.const 12) (i32.const 0) (i32.const 4)))
    (call $show))"#;

/// The token of the call that was sent, whole.
fn sent(host: &mut Host) -> CalloutToken {
    let effects = host.take();
    let begun = effects.iter().find_map(|effect| match effect {
        Effect::GrpcCallout(callout) => Some(callout),
        _ => None,
    });
    let callout = begun.unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(callout.cluster, "other");
    assert_eq!(callout.headers.get(":path").unwrap(), "/Service/Method");
    assert_eq!(callout.headers.get("grpc-timeout").unwrap(), "500m");
    assert_eq!(callout.timeout, Some(Duration::from_millis(500)));
    let message = Effect::GrpcData {
        token: callout.token,
        data: Bytes::from_static(b"\0\0\0\0\x08question"),
        end_stream: true,
    };
    assert!(effects.contains(&message), "{effects:?}");
    callout.token
}

fn answer(host: &mut Host, token: CalloutToken, status: &'static str) {
    let headers = Headers::from_pairs([(":status", "200")]);
    let trailers = Headers::from_pairs([("grpc-status", status)]);
    let message = Bytes::from_static(b"\0\0\0\0\x03yes");
    for part in [
        GrpcPart::Headers(headers, false),
        GrpcPart::Data(message, false),
        GrpcPart::Trailers(trailers),
    ] {
        host.worker.grpc_answered(token, part);
    }
}

#[test]
fn a_call_receives_its_message_or_its_status() {
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    let token = sent(&mut host);
    assert_eq!(token.number(), 5);
    answer(&mut host, token, "0");
    assert_eq!(host.story(), ["05", "yes"]);
    // An answer that comes twice is not handed on.
    answer(&mut host, token, "0");
    assert!(host.story().is_empty());
    host.get("/");
    let token = sent(&mut host);
    assert_eq!(token.number(), 9);
    answer(&mut host, token, "5");
    assert_eq!(host.story(), ["09", "05", "via_upstream"]);
}

#[test]
fn the_worker_keeps_the_time_of_calls() {
    let mut host = Host::new(&guest(FILTER));
    host.get("/");
    sent(&mut host);
    assert_eq!(
        host.worker.next_deadline(),
        Some(Duration::from_millis(500))
    );
    host.advance(Duration::from_millis(499));
    assert!(host.story().is_empty());
    host.advance(Duration::from_millis(1));
    let text = "upstream request timeout{response_timeout}";
    assert_eq!(host.story(), ["cancel callout 5", "05", "14", text]);
    assert_eq!(host.worker.next_deadline(), None);
}

#[test]
fn a_call_outlives_its_stream_but_not_its_plugin() {
    let mut host = Host::new(&guest(FILTER));
    let stream = host.get("/");
    let token = sent(&mut host);
    host.worker.downstream_closed(stream);
    host.take();
    answer(&mut host, token, "0");
    assert_eq!(host.story(), ["05", "yes"]);
    let stream = host.get("/");
    sent(&mut host);
    host.worker.downstream_closed(stream);
    host.take();
    host.worker.retire_plugin(host.root);
    assert_eq!(host.story(), ["cancel callout 9"]);
}
