//! A proxy that refuses one call: whichever it is, nothing goes on that should not, and nothing hangs.

use serde_json::{Value, json};

use super::world::{
    answer_all, by_sumdb, configure, get, go_mod, go_mod_hash, module_zip, ok, text_of, zip_hash,
};
use crate::scripted::{Faults, ScriptedHost, Stream};

const ZIP_SIZE: usize = 30_000;

struct Row {
    name: &'static str,
    policy: Value,
    file: &'static str,
    body: Vec<u8>,
}

fn rows() -> Vec<Row> {
    let pins = |hash: &str| {
        json!({"integrity": {
            "mode": "enforce", "on_unknown": "refuse", "allow_on_headers_stop_iteration": true,
            "pins": [format!("corp.example/lib v1.0.0 {hash}"),
                     format!("corp.example/lib v1.0.0/go.mod {}", go_mod_hash())],
        }})
    };
    let wrong = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let sumdb = || json!({"integrity": by_sumdb()});
    let zip = || module_zip(ZIP_SIZE);
    let row = |name, policy, file, body| Row {
        name,
        policy,
        file,
        body,
    };
    vec![
        row("a list", json!({}), "@v/list", b"v1.0.0\n".to_vec()),
        row(
            "a pinned zip",
            pins(&zip_hash(ZIP_SIZE)),
            "@v/v1.0.0.zip",
            zip(),
        ),
        row("a pinned go.mod", pins(wrong), "@v/v1.0.0.mod", go_mod()),
        row("a forged zip", pins(wrong), "@v/v1.0.0.zip", zip()),
        row("a zip by the database", sumdb(), "@v/v1.0.0.zip", zip()),
        row(
            "a forged go.mod by the database",
            sumdb(),
            "@v/v1.0.0.mod",
            b"module x\n".to_vec(),
        ),
        row(
            "a version that must be old",
            json!({"rules": {"r": [{"id": "week", "allow": ["corp.example"], "min_age": "7d"}]}}),
            "@v/v0.9.0.zip",
            zip(),
        ),
        row(
            "a version that is young",
            json!({"rules": {"r": [{"id": "week", "allow": ["corp.example"], "min_age": "7d"}]}}),
            "@v/v1.0.0.zip",
            zip(),
        ),
    ]
}

/// Plays a row with these faults; how many calls there were.
fn play(row: &Row, faults: Faults) -> (usize, Stream<'static>) {
    let host: &'static ScriptedHost = Box::leak(Box::default());
    let active = configure(host, &row.policy);
    host.set_faults(faults);
    let mut stream = Stream::new(host, active);
    stream.request_headers(&get(row.file));
    stream.request_body(b"late");
    stream.pauses_end().unwrap();
    answer_where_held(host, &mut stream);
    if stream.upstream.headers.is_some() && !stream.is_over() {
        let length = row.body.len().to_string();
        stream.response_headers(&ok(&[("content-length", &length)]), false);
        stream.pauses_end().unwrap();
        let half = row.body.len() / 2;
        let (first, second) = row.body.split_at(half);
        stream.response_body(first, false);
        stream.pauses_end().unwrap();
        stream.response_body(second, true);
        stream.pauses_end().unwrap();
    }
    answer_all(host, &mut stream, ZIP_SIZE);
    stream.done();
    (host.calls(), stream)
}

/// A lookup holds the request; the database's answers come beside the file, and last.
fn answer_where_held(host: &ScriptedHost, stream: &mut Stream<'_>) {
    if stream.upstream.headers.is_none() {
        answer_all(host, stream, ZIP_SIZE);
    }
}

fn is_sound(row: &Row, number: usize, stream: &Stream<'_>) {
    let at = format!("{}, call {number}", row.name);
    assert!(stream.is_over(), "{at}: it hangs");
    if let Some(headers) = &stream.upstream.headers {
        assert!(
            stream.upstream.body.is_empty(),
            "{at}: a body went upstream"
        );
        assert_eq!(text_of(headers, "x-modgate-cluster"), Some("go"), "{at}");
        let path = text_of(headers, ":path").unwrap();
        assert!(path.starts_with("/go/corp.example/lib/"), "{at}: {path}");
    }
    let must_not_arrive = row.name.contains("forged") || row.name.contains("young");
    if must_not_arrive {
        assert!(!stream.client.is_whole, "{at}: it arrived whole");
    }
    if stream.client.is_whole {
        assert_eq!(stream.client.body, row.body, "{at}");
    }
}

#[test]
fn without_a_refusal_the_good_arrive_and_the_others_do_not() {
    for row in rows() {
        let (_, stream) = play(&row, Faults::default());
        is_sound(&row, usize::MAX, &stream);
        let must_not_arrive = row.name.contains("forged") || row.name.contains("young");
        assert_eq!(stream.client.is_whole, !must_not_arrive, "{}", row.name);
    }
}

#[test]
fn any_one_call_may_be_refused() {
    for row in rows() {
        let (calls, _) = play(&row, Faults::default());
        assert!(calls > 5, "{}: {calls} calls", row.name);
        for number in 0..calls {
            let (_, stream) = play(&row, Faults::at(vec![number]));
            is_sound(&row, number, &stream);
        }
    }
}

#[test]
fn from_any_call_on_all_may_be_refused() {
    for row in rows() {
        let (calls, _) = play(&row, Faults::default());
        for number in 0..calls {
            let (_, stream) = play(&row, Faults::at((number..calls + 100).collect()));
            is_sound(&row, number, &stream);
        }
    }
}
