//! Requests that wait for what their backend says of versions.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{answer_all, configure, get, head, honest, ok, text_of};
use crate::scripted::{ScriptedHost, Stream};

fn cooldown() -> Value {
    json!({"rules": {"r": [{"id": "week", "allow": ["corp.example"], "min_age": "7d"}]}})
}

#[test]
fn a_list_waits_for_the_ages_of_its_versions() {
    let host = ScriptedHost::default();
    let mut stream = Stream::new(&host, configure(&host, &cooldown()));
    stream.request_headers(&get("@v/list"));
    assert!(stream.upstream.headers.is_none());
    stream.pauses_end().unwrap();
    stream.request_body(b"late");
    answer_all(&host, &mut stream, 0);
    stream.done();
    let reply = stream.client.local_reply.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "v0.9.0\n"));
    assert!(stream.upstream.headers.is_none());
    assert_eq!(host.metric(&["cache_lookups_total"]), 1);
    assert_eq!(host.metric(&["requests_total", "list", "ok"]), 1);
}

#[test]
fn a_file_goes_on_where_its_request_has_stopped() {
    let host = ScriptedHost::default();
    let active = configure(&host, &cooldown());
    let mut stream = Stream::new(&host, active.clone());
    stream.request_headers(&get("@v/v0.9.0.zip"));
    assert!(stream.upstream.headers.is_none());
    answer_all(&host, &mut stream, 0);
    let headers = stream.upstream.headers.clone().unwrap();
    assert_eq!(
        text_of(&headers, ":path"),
        Some("/go/corp.example/lib/@v/v0.9.0.zip")
    );
    assert_eq!(text_of(&headers, "x-modgate-cluster"), Some("go"));
    let access = host.callouts().len();
    assert_eq!(access, 1);
    // The age is known now, so the next request does not wait.
    let mut next = Stream::new(&host, active);
    next.request_headers(&get("@v/v0.9.0.zip"));
    assert!(next.upstream.headers.is_some());
    assert_eq!(host.callouts().len(), 1);
    assert_eq!(host.metric(&["decisions_total", "allow", "week"]), 2);
}

#[test]
fn a_young_version_is_refused_with_its_rule() {
    let host = ScriptedHost::default();
    let mut stream = Stream::new(&host, configure(&host, &cooldown()));
    stream.request_headers(&get("@v/v1.0.0.zip"));
    answer_all(&host, &mut stream, 0);
    stream.done();
    let reply = stream.client.local_reply.unwrap();
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("week"), "{}", reply.body);
    assert_eq!(host.metric(&["decisions_total", "deny", "week"]), 1);
}

#[test]
fn a_backend_that_does_not_answer_is_no_leave_to_go_on() {
    let rows: [(&str, Vec<_>, &[u8]); 4] = [
        ("its time is over", Vec::new(), b""),
        ("an error", head(&[(":status", "500")]), b"broken"),
        (
            "another version",
            ok(&[]),
            br#"{"Version":"v1.0.1","Time":"2020-01-01T00:00:00Z"}"#,
        ),
        ("a text", ok(&[]), b"old enough"),
    ];
    for (name, headers, body) in rows {
        let host = ScriptedHost::default();
        let mut stream = Stream::new(&host, configure(&host, &cooldown()));
        stream.request_headers(&get("@v/v1.0.0.zip"));
        let callout = host.pending_callouts().remove(0);
        stream.answer(callout.id, &headers, body);
        let reply = stream
            .client
            .local_reply
            .unwrap_or_else(|| panic!("{name}"));
        assert!(reply.status >= 500, "{name}: {reply:?}");
        assert!(stream.upstream.headers.is_none(), "{name}");
    }
}

#[test]
fn a_cluster_that_there_is_not_is_answered_at_once() {
    let host = ScriptedHost::default();
    host.set_clusters(&["db"]);
    let mut stream = Stream::new(&host, configure(&host, &cooldown()));
    stream.request_headers(&get("@v/list"));
    let reply = stream.client.local_reply.unwrap();
    assert_eq!(reply.status, 503);
    assert!(
        reply.body.contains("does not have its cluster"),
        "{}",
        reply.body
    );
}

#[test]
fn a_client_that_leaves_is_counted_and_its_late_answers_change_nothing() {
    let host = ScriptedHost::default();
    let active = configure(&host, &cooldown());
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/list"));
    host.set_attribute(&["response", "flags"], &(1_u64 << 14).to_le_bytes());
    stream.done();
    assert_eq!(host.metric(&["requests_total", "aborted"]), 1);
}

proptest! {
    /// Answers come in any order, at any time, and some never.
    #[test]
    fn the_order_of_answers_changes_nothing(
        order in proptest::collection::vec(any::<prop::sample::Index>(), 8),
        pauses in proptest::collection::vec(0_u64..3, 8),
    ) {
        let host = ScriptedHost::default();
        let mut stream = Stream::new(&host, configure(&host, &cooldown()));
        stream.request_headers(&get("@v/list"));
        for (place, pause) in order.iter().zip(pauses) {
            let pending = host.pending_callouts();
            if pending.is_empty() {
                break;
            }
            host.wait(Duration::from_secs(pause));
            let callout = place.get(&pending);
            let (headers, body) = honest(callout, 0);
            stream.answer(callout.id, &headers, &body);
            stream.pauses_end().unwrap();
            // A second answer under the same id is nobody's.
            stream.answer(callout.id, &headers, b"v9.9.9\n");
        }
        answer_all(&host, &mut stream, 0);
        let reply = stream.client.local_reply.unwrap();
        prop_assert_eq!(reply.status, 200);
        prop_assert_eq!(reply.body, "v0.9.0\n");
    }
}
