//! Files that are checked, in every division of their bytes and every order of what they wait for.

use std::io::{Cursor, Read};

use proptest::prelude::*;
use serde_json::{Value, json};
use zip::ZipArchive;

use super::world::{
    VERSION, answer_all, by_sumdb, configure, get, go_mod, go_mod_hash, honest, module_zip, ok,
    zip_hash,
};
use crate::scripted::{ScriptedHost, Stream};

/// What the evidence is on a file.
#[derive(Clone, Copy, Debug)]
enum By {
    Pin,
    FirstSeen,
    Sumdb,
}

fn integrity(by: By, mode: &str, zip_size: usize) -> Value {
    let mut integrity = match by {
        By::Pin => json!({"pins": [
            format!("corp.example/lib {VERSION} {}", zip_hash(zip_size)),
            format!("corp.example/lib {VERSION}/go.mod {}", go_mod_hash()),
        ]}),
        By::FirstSeen => json!({"first_seen": ["corp.example"]}),
        By::Sumdb => by_sumdb(),
    };
    integrity["mode"] = mode.into();
    integrity["on_unknown"] = "refuse".into();
    integrity["allow_on_headers_stop_iteration"] = true.into();
    json!({ "integrity": integrity })
}

/// One response: its bytes in parts, and how many parts come before each answer of the database.
#[derive(Clone, Debug)]
struct Play {
    by: By,
    file: &'static str,
    body: Vec<u8>,
    cuts: Vec<usize>,
    answer_after: usize,
    has_length: bool,
    ends_apart: bool,
    enforce: bool,
}

/// Whether these bytes are the module's file to a Go command: the same names and contents. A byte that no hash
/// covers, such as one of a date, may be another.
fn is_same_file(file: &str, body: &[u8], zip_size: usize) -> bool {
    if file == "mod" {
        return body == go_mod();
    }
    files_of(body).is_some_and(|files| files == files_of(&module_zip(zip_size)).unwrap())
}

fn files_of(zip: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).ok()?;
    let mut files = Vec::new();
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).ok()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        files.push((file.name().ok()?.into_owned(), content));
    }
    Some(files)
}

const ZIP_SIZES: [usize; 3] = [100, 9_000, 60_000];

fn play(host: &ScriptedHost, play: &Play, zip_size: usize) -> crate::scripted::Client {
    let mode = if play.enforce { "enforce" } else { "shadow" };
    let active = configure(host, &integrity(play.by, mode, zip_size));
    let mut stream = Stream::new(host, active);
    stream.request_headers(&get(&format!("@v/{VERSION}.{}", play.file)));
    stream.pauses_end().unwrap();
    assert!(stream.upstream.headers.is_some(), "it was not forwarded");
    let length = play.body.len().to_string();
    let headers = if play.has_length {
        ok(&[("content-length", &length)])
    } else {
        ok(&[])
    };
    stream.response_headers(&headers, false);
    stream.pauses_end().unwrap();
    let mut parts = Vec::new();
    let mut rest = play.body.as_slice();
    for cut in &play.cuts {
        let (part, behind) = rest.split_at((*cut).min(rest.len()));
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    if play.ends_apart {
        parts.push(&[]);
    }
    let count = parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        if number == play.answer_after
            && let Some(callout) = host.pending_callouts().first()
        {
            let (headers, body) = honest(callout, zip_size);
            stream.answer(callout.id, &headers, &body);
            stream.pauses_end().unwrap();
        }
        stream.response_body(part, number + 1 == count);
        stream.pauses_end().unwrap();
    }
    answer_all(host, &mut stream, zip_size);
    stream.done();
    stream.client
}

fn plays() -> impl Strategy<Value = (Play, usize, Option<prop::sample::Index>)> {
    let by = prop_oneof![Just(By::Pin), Just(By::FirstSeen), Just(By::Sumdb)];
    let file = prop_oneof![Just("zip"), Just("mod")];
    let cuts = proptest::collection::vec(0_usize..20_000, 0..6);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let size = proptest::sample::select(ZIP_SIZES.to_vec());
    let forged = proptest::option::of(any::<prop::sample::Index>());
    (by, file, cuts, 0_usize..8, flags, size, forged).prop_map(
        |(by, file, cuts, answer_after, (has_length, ends_apart, enforce), size, forged)| {
            let body = if file == "zip" {
                module_zip(size)
            } else {
                go_mod()
            };
            let play = Play {
                by,
                file,
                body,
                cuts,
                answer_after,
                has_length,
                ends_apart,
                enforce,
            };
            (play, size, forged)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The client gets a good file byte for byte, and never the whole of one that is not.
    #[test]
    fn a_file_arrives_whole_or_is_refused((mut play_it, size, forged) in plays()) {
        let host = ScriptedHost::default();
        let good = play_it.body.clone();
        if let (Some(at), By::Pin | By::Sumdb) = (forged, play_it.by) {
            let at = at.index(good.len());
            play_it.body[at] ^= 0x20;
        }
        let client = play(&host, &play_it, size);
        prop_assert_eq!(host.metric(&["integrity_checks_total"]), 1, "{:?}", host.log());
        if client.is_whole {
            prop_assert!(client.body == play_it.body);
        }
        if play_it.body == good {
            // What is too long to be held, and what it waits for comes last: then the client gets nothing whole.
            let too_long = play_it.enforce && host.log().concat().contains("than can be held");
            prop_assert!(too_long != client.is_whole, "{:?} {:?}", client.local_reply, host.log());
            return Ok(());
        }
        if is_same_file(play_it.file, &play_it.body, size) {
            return Ok(());
        }
        prop_assert_eq!(host.metric(&["integrity_checks_total", "verified"]), 0);
        if play_it.enforce {
            prop_assert!(!client.is_whole, "a forged file arrived whole");
            prop_assert!(client.is_reset || client.local_reply.is_some());
            prop_assert!(client.body.len() < play_it.body.len());
        } else {
            prop_assert!(client.is_whole);
        }
    }

    /// What one worker has seen first holds for the next stream.
    #[test]
    fn the_second_file_of_a_name_must_be_the_first(
        cuts in proptest::collection::vec(0_usize..4_000, 0..4),
        at in any::<prop::sample::Index>(),
    ) {
        let host = ScriptedHost::default();
        let active = configure(&host, &integrity(By::FirstSeen, "enforce", 0));
        let fetch = |body: &[u8]| {
            let mut stream = Stream::new(&host, active.clone());
            stream.request_headers(&get("@v/v1.0.0.mod"));
            stream.response_headers(&ok(&[]), false);
            let mut rest = body;
            for cut in &cuts {
                let (part, behind) = rest.split_at((*cut).min(rest.len()));
                stream.response_body(part, false);
                rest = behind;
            }
            stream.response_body(rest, true);
            stream.pauses_end().unwrap();
            stream.done();
            stream.client
        };
        let first = go_mod();
        prop_assert!(fetch(&first).is_whole);
        let mut other = first.clone();
        other[at.index(first.len())] ^= 1;
        let refused = fetch(&other);
        prop_assert!(!refused.is_whole && refused.local_reply.is_some());
        prop_assert!(fetch(&first).is_whole);
    }
}

#[test]
fn trailers_are_no_way_past_the_check() {
    let rows = [("enforce", false), ("shadow", true)];
    for (mode, is_whole) in rows {
        let host = ScriptedHost::default();
        let active = configure(&host, &integrity(By::Pin, mode, 100));
        let mut stream = Stream::new(&host, active);
        stream.request_headers(&get("@v/v1.0.0.zip"));
        stream.response_headers(&ok(&[]), false);
        stream.response_body(&module_zip(100), false);
        stream.response_trailers();
        stream.pauses_end().unwrap();
        stream.done();
        assert_eq!(stream.client.is_whole, is_whole, "{mode}");
    }
}

#[test]
fn an_answer_that_comes_after_the_client_has_left_is_counted_as_undelivered() {
    let host = ScriptedHost::default();
    let active = configure(&host, &integrity(By::Sumdb, "enforce", 100));
    let mut stream = Stream::new(&host, active);
    stream.request_headers(&get("@v/v1.0.0.zip"));
    stream.response_headers(&ok(&[]), false);
    stream.response_body(&module_zip(100), true);
    assert!(!stream.client.is_whole);
    answer_all(&host, &mut stream, 100);
    assert!(stream.client.is_whole);
    host.set_attribute(&["response", "size"], &5_u64.to_le_bytes());
    host.set_attribute(&["response", "flags"], &(1_u64 << 14).to_le_bytes());
    stream.done();
    assert_eq!(host.metric(&["integrity_checks_total", "undelivered"]), 1);
    assert_eq!(host.metric(&["integrity_checks_total", "verified"]), 0);
}
