//! A filter that does anything at any time, and events that come in any order: whatever happens,
//! the host goes on, every stream ends once, and what it wants sent is in an order that HTTP has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::http::{Body, Headers};
use envoy_wasm_host::{
    CalloutAnswer, CalloutToken, Effect, StreamEffect, StreamId, UpstreamFailure,
};

use super::support::{Host, Setup, guest};

/// In each callback the guest asks the function `dice` what to do, up to three times, and what to
/// answer.
const FILTER: &str = r#"
  (data (i32.const 64) "dicebodyupt")
  (data (i32.const 80) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\02\00\00\00\0a\00\00\00\01\00\00\00:method\00GET\00:path\00/c\00:authority\00o\00")
  (global $last (mut i32) (i32.const 2))
  (func $roll (param $sides i32) (result i32)
    (drop (call $foreign (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36)))
    (i32.rem_u (i32.load8_u (i32.load (i32.const 32))) (local.get $sides)))
  (func $act (param $what i32)
    (if (i32.eq (local.get $what) (i32.const 1)) (then (drop (call $continue (i32.const 0)))))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (drop (call $continue (i32.const 1)))))
    (if (i32.eq (local.get $what) (i32.const 3)) (then (drop (call $close (call $roll (i32.const 3))))))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (call $reply (i32.const 403)
      (i32.const 0) (i32.const 0) (i32.const 68) (call $roll (i32.const 5)) (i32.const 0) (i32.const 0) (i32.const -1)))))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (drop (call $set_buffer (call $roll (i32.const 2))
      (call $roll (i32.const 3)) (call $roll (i32.const 9)) (i32.const 68) (i32.const 4)))))
    (if (i32.eq (local.get $what) (i32.const 6)) (then (drop (call $add_header (call $roll (i32.const 4))
      (i32.const 74) (i32.const 1) (i32.const 74) (i32.const 1)))))
    (if (i32.eq (local.get $what) (i32.const 7)) (then (drop (call $http_call (i32.const 72) (i32.const 2)
      (i32.const 80) (i32.const 62) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.mul (i32.const 10) (call $roll (i32.const 3))) (i32.const 16)))))
    (if (i32.eq (local.get $what) (i32.const 8)) (then (drop (call $set_tick (call $roll (i32.const 3))))))
    (if (i32.eq (local.get $what) (i32.const 9)) (then (drop (call $remove_header (call $roll (i32.const 4))
      (i32.const 80) (i32.const 0)))))
    (if (i32.eq (local.get $what) (i32.const 10)) (then (drop (call $set_context (call $roll (i32.const 12)))))))
  (func $play (result i32)
    (call $act (call $roll (i32.const 24)))
    (call $act (call $roll (i32.const 24)))
    (call $act (call $roll (i32.const 24)))
    (call $roll (i32.const 5)))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $play))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $play))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (call $play))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (call $play))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (call $play))
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) (call $play))
  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32) (drop (call $play)))
  (func (export "proxy_on_tick") (param i32) (drop (call $play)))
  (func (export "proxy_on_log") (param i32) (drop (call $play)))
  (func (export "proxy_on_done") (param i32) (result i32) (call $play))
  (func (export "proxy_on_delete") (param i32) (drop (call $play)))"#;

/// xorshift64*, enough to roll dice with.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Sent {
    #[default]
    Nothing,
    Headers,
    End,
}

impl Sent {
    fn headers(&mut self, end: bool) {
        assert_eq!(*self, Self::Nothing, "headers twice");
        *self = if end { Self::End } else { Self::Headers };
    }

    fn more(&mut self, end: bool) {
        assert_eq!(
            *self,
            Self::Headers,
            "data before the headers or after the end"
        );
        if end {
            *self = Self::End;
        }
    }
}

#[derive(Default)]
struct Seen {
    upstream: Sent,
    client: Sent,
    reset: bool,
    ended: bool,
}

struct Run {
    host: Host,
    dice: Dice,
    seen: HashMap<StreamId, Seen>,
    callouts: Vec<CalloutToken>,
}

impl Run {
    fn new(seed: u64, binary: &[u8]) -> Self {
        let dice = Dice(Arc::new(Mutex::new(seed * 2 + 1)));
        let mut setup = Setup::default();
        setup.proxy.buffer_limit = 12;
        setup.plugin.allow_on_headers_stop_iteration = dice.roll(2) == 0;
        let thrown = dice.clone();
        setup.proxy.foreign_functions.insert(
            "dice".to_owned(),
            Arc::new(move |_| Ok(vec![u8::try_from(thrown.roll(256)).unwrap()])),
        );
        Self {
            host: setup.start(binary),
            dice,
            seen: HashMap::new(),
            callouts: Vec::new(),
        }
    }

    fn step(&mut self) {
        if self.seen.len() < 4 {
            let end = self.dice.roll(2) == 0;
            let method = if self.dice.roll(8) == 0 {
                "HEAD"
            } else {
                "POST"
            };
            let stream = self
                .host
                .request(&[(":method", method), (":path", "/")], end);
            self.seen.entry(stream).or_default();
        }
        let streams: Vec<_> = self.seen.keys().copied().collect();
        let stream = streams[usize::try_from(self.dice.roll(streams.len() as u64)).unwrap()];
        let end = self.dice.roll(3) == 0;
        let data = Bytes::from_static(&b"abcdefg"[..usize::try_from(self.dice.roll(8)).unwrap()]);
        let trailers = Headers::from_pairs([("t", "1")]);
        let worker = &mut self.host.worker;
        match self.dice.roll(12) {
            0 | 1 => worker.request_body(stream, data, end),
            2 => worker.request_trailers(stream, trailers),
            3 | 4 => {
                worker.response_headers(stream, Headers::from_pairs([(":status", "200")]), end)
            }
            5 | 6 => worker.response_body(stream, data, end),
            7 => worker.response_trailers(stream, trailers),
            8 => worker.upstream_failed(stream, &UpstreamFailure::RemoteReset),
            9 if self.dice.roll(4) == 0 => worker.downstream_closed(stream),
            9 if self.dice.roll(4) == 0 => worker.idle_timeout(stream),
            10 => self.host.advance(Duration::from_millis(self.dice.roll(5))),
            _ => {
                if let Some(token) = self.callouts.pop() {
                    let answer = CalloutAnswer::Response {
                        headers: Headers::from_pairs([(":status", "200")]),
                        body: Body::from("ok"),
                        trailers: None,
                    };
                    worker.callout_answered(token, answer);
                }
            }
        }
        self.check();
    }

    fn check(&mut self) {
        for effect in self.host.take() {
            match effect {
                Effect::Stream(id, effect) => {
                    // Effects may come before the id is known: within the first event.
                    let seen = self.seen.entry(id).or_default();
                    assert!(!seen.ended, "{effect:?} after the end");
                    follow(seen, &effect);
                }
                Effect::Callout(callout) => self.callouts.push(callout.token),
                Effect::CancelCallout(token) => self.callouts.retain(|known| *known != token),
                Effect::Log(_, line) => panic!("the guest failed: {line}"),
                Effect::Crossing(crossing) => panic!("unexpected {crossing:?}"),
                Effect::GrpcCallout(_) | Effect::GrpcData { .. } => panic!("unexpected gRPC"),
            }
        }
        self.seen.retain(|_, seen| !seen.ended);
    }

    /// Lets every client go; then nothing may be left.
    fn end(&mut self) {
        let streams: Vec<_> = self.seen.keys().copied().collect();
        for stream in streams {
            self.host.worker.downstream_closed(stream);
        }
        self.check();
        assert!(self.seen.is_empty(), "streams that did not end");
        assert_eq!(self.host.worker.stream_count(), 0, "streams that leaked");
    }
}

fn follow(seen: &mut Seen, effect: &StreamEffect) {
    match effect {
        StreamEffect::UpstreamHeaders { end_stream, .. } => seen.upstream.headers(*end_stream),
        StreamEffect::UpstreamData { end_stream, .. } => seen.upstream.more(*end_stream),
        StreamEffect::UpstreamTrailers { .. } => seen.upstream.more(true),
        StreamEffect::DownstreamHeaders { end_stream, .. } => seen.client.headers(*end_stream),
        StreamEffect::DownstreamData { end_stream, .. } => seen.client.more(*end_stream),
        StreamEffect::DownstreamTrailers { .. } => seen.client.more(true),
        StreamEffect::DownstreamReset => seen.reset = true,
        StreamEffect::Ended { summary } => {
            seen.ended = true;
            let gone = matches!(
                summary.code_details.as_str(),
                "downstream_remote_disconnect"
            );
            assert!(
                seen.client == Sent::End || seen.reset || gone,
                "the client was left without an end: {summary:?}"
            );
        }
        _ => {}
    }
}

#[test]
fn whatever_a_filter_does_streams_end_and_messages_are_whole() {
    let binary = guest(FILTER);
    for seed in 1..=300 {
        let mut run = Run::new(seed, &binary);
        run.check();
        for _ in 0..150 {
            let state = *run.dice.0.lock().unwrap();
            let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.step()));
            assert!(
                step.is_ok(),
                "seed {seed}, before this step the dice were {state}"
            );
        }
        run.end();
    }
}
