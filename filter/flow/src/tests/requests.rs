//! Requests that are decided at once.

use serde_json::json;

use super::world::{configure, get, go_mod, head, ok, text_of};
use crate::scripted::{Faults, ScriptedHost, Stream};

#[test]
fn what_goes_upstream_is_what_was_decided() {
    let host = ScriptedHost::default();
    let active = configure(&host, &json!({}));
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/list"));
    let headers = stream.upstream.headers.clone().unwrap();
    assert_eq!(
        text_of(&headers, ":path"),
        Some("/go/corp.example/lib/@v/list")
    );
    assert_eq!(text_of(&headers, "x-modgate-cluster"), Some("go"));

    stream.request_body(b"smuggled");
    stream.request_trailers();
    assert_eq!(stream.upstream.body, b"");

    stream.response_headers(&ok(&[]), false);
    stream.response_body(b"v1.0.0\n", true);
    stream.done();
    assert!(stream.client.is_whole);
    assert_eq!(stream.client.body, b"v1.0.0\n");
    assert_eq!(host.metric(&["requests_total", "acme", "go", "ok"]), 1);
    assert_eq!(host.metric(&["response_bytes_total"]), 7);
    let access = host.filter_state("modgate").unwrap();
    assert!(
        access.contains(r#""decision":"allow","rule":"corp""#),
        "{access}"
    );
}

#[test]
fn what_is_refused_never_goes_upstream() {
    let rows = [
        (
            "another module",
            "/t/acme/other.example/lib/@v/v1.0.0.zip",
            403,
            Some("denied"),
        ),
        (
            "an unknown tenant",
            "/t/web/corp.example/lib/@v/list",
            403,
            Some("denied"),
        ),
        (
            "a path that no Go command sends",
            "/t/acme/corp.example/lib/@v/../list",
            400,
            None,
        ),
    ];
    for (name, path, status, outcome) in rows {
        let host = ScriptedHost::default();
        let active = configure(&host, &json!({}));
        let mut stream = Stream::new(&host, active);
        stream.request_headers(&head(&[(":method", "GET"), (":path", path)]));
        stream.request_body(b"body");
        stream.done();
        let reply = stream
            .client
            .local_reply
            .unwrap_or_else(|| panic!("{name}: no reply"));
        assert_eq!(reply.status, status, "{name}");
        assert!(stream.upstream.headers.is_none(), "{name}");
        if let Some(outcome) = outcome {
            assert_eq!(host.metric(&["requests_total", outcome]), 1, "{name}");
        }
    }
}

#[test]
fn without_a_policy_everything_is_answered_503() {
    let host = ScriptedHost::default();
    let refused = configure(&host, &json!({"default": "maybe"}));
    assert!(refused.is_none());
    let log = host.log().concat();
    assert!(
        log.contains("policy refused") && log.contains("default"),
        "{log}"
    );
    let mut stream = Stream::new(&host, refused);
    stream.request_headers(&get("@v/list"));
    stream.request_body(b"body");
    stream.request_trailers();
    stream.done();
    assert_eq!(
        stream.client.local_reply.map(|reply| reply.status),
        Some(503)
    );
    assert!(stream.upstream.headers.is_none());
}

#[test]
fn a_stream_keeps_the_policy_that_it_began_with() {
    let host = ScriptedHost::default();
    let hash = super::world::go_mod_hash();
    let pinned = |hash: &str| {
        json!({"integrity": {
            "mode": "enforce", "on_unknown": "refuse", "allow_on_headers_stop_iteration": true,
            "pins": [format!("corp.example/lib v1.0.0/go.mod {hash}")],
        }})
    };
    let before = configure(&host, &pinned(&hash));
    let mut stream = Stream::new(&host, before);
    stream.request_headers(&get("@v/v1.0.0.mod"));
    let other = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    configure(&host, &pinned(other)).unwrap();
    stream.response_headers(&ok(&[]), false);
    stream.response_body(&go_mod(), true);
    assert!(stream.client.is_whole, "{:?}", stream.client);
}

#[test]
fn a_refusal_that_the_go_command_repeats_is_counted_once() {
    let host = ScriptedHost::default();
    let active = configure(&host, &json!({}));
    let mut request = head(&[
        (":method", "GET"),
        (":path", "/t/acme/other.example/lib/@v/list"),
        (":scheme", "https"),
    ]);
    for _ in 0..2 {
        let mut stream = Stream::new(&host, active.clone());
        stream.request_headers(&request);
        stream.done();
    }
    assert_eq!(host.metric(&["decisions_total", "deny"]), 1);
    request.retain(|(name, _)| name != ":scheme");
    for _ in 0..2 {
        let mut stream = Stream::new(&host, active.clone());
        stream.request_headers(&request);
        stream.done();
    }
    assert_eq!(host.metric(&["decisions_total", "deny"]), 3);
}

#[test]
fn a_request_whose_body_the_proxy_keeps_is_refused_and_counted() {
    let host = ScriptedHost::default();
    let active = configure(&host, &json!({}));
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/list"));
    host.set_faults(Faults::at(vec![0]));
    stream.request_body(b"smuggled");
    stream.request_body(b"more");
    stream.done();
    let reply = stream.client.local_reply.unwrap();
    assert_eq!(reply.status, 503);
    assert!(stream.upstream.body.is_empty());
    assert_eq!(
        host.metric(&["requests_total", "list", "upstream_error"]),
        1
    );
    assert!(host.filter_state("modgate").is_some());
}
