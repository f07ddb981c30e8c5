//! One stream through a proxy in memory: each byte, or two, is what happens next. The first byte says what the
//! client wants.
//!
//! Whatever comes in which order, what is paused is woken by something, no file arrives whole that is not the
//! pinned one, and no list offers a version that is too young.
#![no_main]

use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use modgate_flow::scripted::{Client, Faults, ScriptedHost, Stream, Upstream};
use modgate_flow::{ActivePolicy, Worker};
use modgate_fuzz::budget::{OF_A_LONG_REQUEST, within};
use modgate_fuzz::database;
use modgate_go::http::Header;

/// 2026-12-01T00:00:00Z.
const NOW: u64 = 1_796_083_200;

/// What a client wants, and the file that it may have, where that is pinned.
const WANTED: [(&str, Option<&str>); 5] = [
    ("pinned.example/lib/@v/v1.0.0.mod", Some(GO_MOD)),
    ("young.example/lib/@v/list", None),
    ("young.example/lib/@v/v1.0.0.zip", None),
    ("seen.example/lib/@v/v1.0.0.mod", None),
    ("corp.example/lib/@v/v1.7.0.mod", None),
];

const GO_MOD: &str = "module pinned.example/lib\n\ngo 1.24\n\nrequire golang.org/x/text v0.3.0\n";

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let document = serde_json::json!({
        "version": "1", "default": "deny", "access_log": true,
        "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [
            {"id": "week", "allow": ["young.example"], "min_age": "7d"},
            {"id": "all", "allow": ["*"]},
        ]},
        "integrity": {
            "mode": "enforce", "on_unknown": "allow", "allow_on_headers_stop_iteration": true,
            "pins": ["pinned.example/lib v1.0.0/go.mod h1:3VD4mwQY3HOeF/MLOLX6Pq8AX+zvLs6blg1CxkN+4Us="],
            "first_seen": ["seen.example"],
            "sumdb": {"key": database::KEY.to_string(), "backend": "db"},
        },
        "backends": {"b": {"cluster": "c"}, "db": {"cluster": "db"}},
        "routes": [{"id": "all", "backend": "b"}],
    });
    document.to_string().into_bytes()
});

fuzz_target!(|input: &[u8]| {
    let Some((&first, events)) = input.split_first() else {
        return;
    };
    let (wanted, pinned) = WANTED[usize::from(first) % WANTED.len()];
    let (client, upstream) = within(OF_A_LONG_REQUEST, || play(wanted, events));
    if client.is_whole
        && let (Some(pinned), true) = (pinned, !is_no_file(&client))
    {
        assert_eq!(client.body, pinned.as_bytes(), "it is not the pinned file");
    }
    if let Some(reply) = &client.local_reply
        && wanted.ends_with("list")
    {
        assert!(
            !reply.body.contains("v1.0.0\n"),
            "it is too young: {}",
            reply.body
        );
    }
    if let Some(headers) = &upstream.headers {
        let is_chosen = |(name, value): &Header| name == "x-modgate-cluster" && value == b"c";
        assert!(headers.iter().any(is_chosen), "{headers:?}");
        assert!(upstream.body.is_empty());
    }
});

/// One stream; what came of it for the client and for the backend.
fn play(wanted: &str, events: &[u8]) -> (Client, Upstream) {
    let host = ScriptedHost::default();
    host.set_clock(NOW);
    let active = ActivePolicy::configure(&host, &Rc::new(Worker::default()), DOCUMENT.clone());
    let active = active.expect("the target's own policy is good");
    let mut stream = Stream::new(&host, Some(active));
    stream.request_headers(&get(wanted));
    stream.pauses_end().unwrap();
    let mut player = Player { events, sent: 0 };
    while player.next(&host, &mut stream) {
        stream.pauses_end().unwrap();
    }
    stream.done();
    (stream.client, stream.upstream)
}

/// Reads what happens next.
struct Player<'i> {
    events: &'i [u8],
    /// How much of the pinned file was sent.
    sent: usize,
}

impl Player<'_> {
    /// Plays one event; whether there was one.
    fn next(&mut self, host: &ScriptedHost, stream: &mut Stream<'_>) -> bool {
        let Some(event) = self.byte() else {
            return false;
        };
        let went_on = stream.upstream.headers.is_some();
        let has_begun = stream.has_response();
        let may_come = went_on && stream.response_comes() && !stream.is_over();
        match event % 12 {
            0 => stream.request_body(b"body"),
            1 => stream.request_trailers(),
            2..=3 if may_come && !has_begun => {
                let status = ["200", "200", "404", "302", "206", "500", "", "2x0"];
                let kind = self.byte().unwrap_or_default();
                let mut headers = vec![(":status", status[usize::from(kind) % status.len()])];
                let more = [
                    ("content-length", "77"),
                    ("content-encoding", "gzip"),
                    ("location", "/young.example/lib/@v/v0.9.0.zip"),
                    ("etag", "x"),
                ];
                let chosen = more.iter().enumerate();
                headers.extend(
                    chosen
                        .filter(|(at, _)| kind >> (at + 4) & 1 == 1)
                        .map(|(_, h)| *h),
                );
                stream.response_headers(&owned(&headers), event == 3);
            }
            4..=6 if may_come && has_begun => {
                let size = usize::from(self.byte().unwrap_or_default());
                let from = self.sent.min(GO_MOD.len());
                let to = from.saturating_add(size).min(GO_MOD.len());
                self.sent = to;
                let mut bytes = GO_MOD.as_bytes()[from..to].to_vec();
                if event % 12 == 6 {
                    bytes.push(self.byte().unwrap_or_default());
                }
                stream.response_body(&bytes, event >= 128);
            }
            7 if may_come && has_begun => stream.response_trailers(),
            8..=9 => self.answer(host, stream, event),
            10 => {
                let at = usize::from(self.byte().unwrap_or_default() % 8);
                host.set_faults(Faults::at(vec![at]));
            }
            11 => host.wait(Duration::from_secs(u64::from(
                self.byte().unwrap_or_default(),
            ))),
            _ => {}
        }
        true
    }

    /// Answers a callout: as it should be, in other words, or not at all.
    fn answer(&mut self, host: &ScriptedHost, stream: &mut Stream<'_>, event: u8) {
        let pending = host.pending_callouts();
        let place = usize::from(event >> 4) % pending.len().max(1);
        let Some(callout) = pending.get(place) else {
            return;
        };
        let ok = owned(&[(":status", "200")]);
        let path = callout.path.as_str();
        let kind = self.byte().unwrap_or_default();
        let body = match kind % 4 {
            0 => return stream.answer(callout.id, &[], b""),
            1 => {
                let size = usize::from(kind >> 2).min(self.events.len());
                let (body, rest) = self.events.split_at(size);
                self.events = rest;
                body.to_vec()
            }
            _ if path.ends_with("/list") => b"v0.9.0\nv1.0.0\n".to_vec(),
            _ if path.ends_with("/v0.9.0.info") => {
                br#"{"Version":"v0.9.0","Time":"2026-01-01T00:00:00Z"}"#.to_vec()
            }
            _ if path.ends_with("/v1.0.0.info") => {
                br#"{"Version":"v1.0.0","Time":"2026-11-30T12:00:00Z"}"#.to_vec()
            }
            _ if path.starts_with("/lookup/") => {
                format!("7\n{}\n{}", database::text(7), database::note(300)).into_bytes()
            }
            _ => GO_MOD.as_bytes().to_vec(),
        };
        stream.answer(callout.id, &ok, &body);
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.events.split_first()?;
        self.events = rest;
        Some(first)
    }
}

/// Whether the client can see by the status that it has not got a file.
fn is_no_file(client: &Client) -> bool {
    let headers = client.headers.iter().flatten();
    let mut status = headers.filter(|(name, _)| name == ":status");
    status.any(|(_, value)| matches!(value.as_slice(), b"404" | b"302" | b"500"))
}

fn get(file: &str) -> Vec<Header> {
    let path = format!("/{file}");
    owned(&[
        (":method", "GET"),
        (":path", &path),
        (":authority", "proxy.example"),
    ])
}

fn owned(headers: &[(&str, &str)]) -> Vec<Header> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}
