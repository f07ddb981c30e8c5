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

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

#[test]
fn with_a_route_key_it_precedes_the_clusters_name_and_callouts_have_the_name_alone() {
    let host = ScriptedHost::default();
    let rules = json!({"r": [{"id": "old", "allow": ["corp.example"], "min_age": "1d"}]});
    let active = configure(&host, &json!({"route_key": KEY, "rules": rules}));
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/list"));
    assert!(!host.callouts().is_empty());
    for callout in host.callouts() {
        assert_eq!(callout.cluster, "go");
    }

    let host = ScriptedHost::default();
    let active = configure(&host, &json!({"route_key": KEY}));
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/list"));
    let headers = stream.upstream.headers.clone().unwrap();
    let value = text_of(&headers, "x-modgate-cluster").unwrap();
    assert_eq!(value, format!("{KEY}:go"));
    stream.response_headers(&ok(&[]), false);
    stream.response_body(b"v1.0.0\n", true);
    stream.done();
    let access = host.filter_state("modgate").unwrap();
    assert!(!access.contains(KEY), "{access}");
    assert!(!host.log().concat().contains(KEY), "{:?}", host.log());
}

#[test]
fn what_this_filter_has_let_through_before_is_refused_and_not_counted_again() {
    let host = ScriptedHost::default();
    let active = configure(&host, &json!({"route_key": KEY}));
    for _ in 0..2 {
        let mut stream = Stream::new(&host, active.clone());
        let mut request = get("@v/list");
        request.push(("x-modgate-cluster".to_owned(), format!("{KEY}:go").into()));
        stream.request_headers(&request);
        stream.request_body(b"body");
        stream.done();
        assert_eq!(stream.client.local_reply.unwrap().status, 503);
        assert!(stream.upstream.headers.is_none());
    }
    assert_eq!(host.metric(&["filter_twice_total"]), 2);
    assert_eq!(host.metric(&["requests_total"]), 0);
    assert_eq!(
        host.log().concat().matches("twice").count(),
        1,
        "{:?}",
        host.log()
    );
    assert!(!host.log().concat().contains(KEY));
}

#[test]
fn whoever_does_not_know_the_key_is_decided_on_as_ever() {
    let rows = [
        ("the cluster's name", "go".to_owned()),
        ("another key", format!("{}:go", KEY.replace('0', "1"))),
        ("the key alone", KEY.to_owned()),
    ];
    table_rows::check(rows, |(_, forged)| {
        let host = ScriptedHost::default();
        let active = configure(&host, &json!({"route_key": KEY}));
        let mut stream = Stream::new(&host, active);
        let mut request = get("@v/list");
        request.push(("x-modgate-cluster".to_owned(), forged.into()));
        stream.request_headers(&request);
        let headers = stream.upstream.headers.clone().unwrap();
        let named = headers
            .iter()
            .filter(|(name, _)| name == "x-modgate-cluster");
        let named: Vec<_> = named.map(|(_, value)| value.as_slice()).collect();
        assert_eq!(named, [format!("{KEY}:go").as_bytes()]);
        assert_eq!(host.metric(&["filter_twice_total"]), 0);
    });
}
