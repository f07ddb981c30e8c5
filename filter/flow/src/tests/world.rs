//! A policy, an honest backend and an honest checksum database.

use std::io::{Cursor, Write};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use modgate_go::http::{Header, value_of};
use modgate_go::sumdb::record_hash;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::database;
use crate::active_policy::ActivePolicy;
use crate::scripted::{Callout, ScriptedHost, Stream};
use crate::shared::Worker;

pub(super) const MODULE: &str = "corp.example/lib";
pub(super) const VERSION: &str = "v1.0.0";

/// Midnight, 2026-12-01.
pub(super) const NOW: u64 = 1_796_083_200;

/// A policy document: the parts that are given stand in the place of these.
pub(super) fn document(parts: &Value) -> Vec<u8> {
    let mut document = json!({
        "version": "7", "default": "deny", "access_log": true,
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"acme": {"rules": ["r"]}},
        "rules": {"r": [{"id": "corp", "allow": ["corp.example"]}]},
        "backends": {"go": {"cluster": "go", "base_path": "/go"}, "db": {"cluster": "db"}},
        "routes": [{"id": "all", "backend": "go"}],
    });
    for (key, value) in parts.as_object().unwrap() {
        document[key] = value.clone();
    }
    document.to_string().into_bytes()
}

pub(super) fn configure(host: &ScriptedHost, parts: &Value) -> Option<Rc<ActivePolicy>> {
    host.set_clock(NOW);
    ActivePolicy::configure(host, &Rc::new(Worker::default()), document(parts))
}

/// A client's request for something of the module.
pub(super) fn get(file: &str) -> Vec<Header> {
    head(&[
        (":method", "GET"),
        (":path", &format!("/t/acme/{MODULE}/{file}")),
        (":authority", "proxy.corp.example"),
        ("user-agent", "Go-http-client/1.1"),
        ("x-modgate-cluster", "forged"),
    ])
}

pub(super) fn head(headers: &[(&str, &str)]) -> Vec<Header> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

pub(super) fn ok(more: &[(&str, &str)]) -> Vec<Header> {
    head(&[&[(":status", "200")], more].concat())
}

pub(super) fn text_of<'h>(headers: &'h [Header], name: &str) -> Option<&'h str> {
    value_of(headers, name).map(|value| std::str::from_utf8(value).unwrap())
}

/// The module's go.mod file.
pub(super) fn go_mod() -> Vec<u8> {
    format!("module {MODULE}\n\ngo 1.24\n").into_bytes()
}

/// The module's zip, with so much beside its go.mod file.
pub(super) fn module_zip(size: usize) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in files(size) {
        zip.start_file(name, options).unwrap();
        zip.write_all(&content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn files(size: usize) -> Vec<(String, Vec<u8>)> {
    // Such as does not become small.
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    });
    vec![
        (format!("{MODULE}@{VERSION}/go.mod"), go_mod()),
        (
            format!("{MODULE}@{VERSION}/lib.go"),
            noise.take(size).collect(),
        ),
    ]
}

/// The hash of a zip, by the definition (x/mod, `dirhash.Hash1`).
pub(super) fn zip_hash(size: usize) -> String {
    h1(&files(size))
}

/// The hash of the go.mod file.
pub(super) fn go_mod_hash() -> String {
    h1(&[("go.mod".to_owned(), go_mod())])
}

fn h1(files: &[(String, Vec<u8>)]) -> String {
    let mut all = Sha256::new();
    for (name, content) in files {
        for byte in Sha256::digest(content) {
            all.update(format!("{byte:02x}"));
        }
        all.update(format!("  {name}\n"));
    }
    format!("h1:{}", STANDARD.encode(all.finalize()))
}

/// `integrity` by the checksum database, which knows a zip of this size.
pub(super) fn by_sumdb() -> Value {
    json!({
        "mode": "enforce", "on_unknown": "refuse", "allow_on_headers_stop_iteration": true,
        "sumdb": {"key": database::KEY.to_string(), "backend": "db", "timeout": "5s"},
    })
}

/// The text of the database's only record.
fn record(zip_size: usize) -> String {
    let (zip, go_mod) = (zip_hash(zip_size), go_mod_hash());
    format!("{MODULE} {VERSION} {zip}\n{MODULE} {VERSION}/go.mod {go_mod}\n")
}

/// What an honest backend, or the database, answers to a callout.
pub(super) fn honest(callout: &Callout, zip_size: usize) -> (Vec<Header>, Vec<u8>) {
    let path = callout.path.as_str();
    let file = path.rsplit('/').next().unwrap();
    let body = match (callout.cluster.as_str(), file) {
        ("go", "list") => b"v0.9.0\nv1.0.0\n".to_vec(),
        ("go", "v0.9.0.info") => info("v0.9.0", "2026-01-01T00:00:00Z"),
        ("go", "v1.0.0.info") => info("v1.0.0", "2026-11-30T12:00:00Z"),
        ("go", "v1.0.0.mod") => go_mod(),
        ("db", _) if path.starts_with("/lookup/") => {
            let text = record(zip_size);
            let root = STANDARD.encode(record_hash(text.as_bytes()));
            let note = database::sign(&format!("go.sum database tree\n1\n{root}\n"));
            format!("0\n{text}\n{note}").into_bytes()
        }
        ("db", _) if path.starts_with("/tile/8/0/000") => {
            record_hash(record(zip_size).as_bytes()).to_vec()
        }
        _ => return (head(&[(":status", "404")]), b"not found\n".to_vec()),
    };
    (ok(&[]), body)
}

fn info(version: &str, time: &str) -> Vec<u8> {
    json!({"Version": version, "Time": time})
        .to_string()
        .into_bytes()
}

/// Answers every callout honestly, until none is left.
pub(super) fn answer_all(host: &ScriptedHost, stream: &mut Stream<'_>, zip_size: usize) {
    while let Some(callout) = host.pending_callouts().first() {
        let (headers, body) = honest(callout, zip_size);
        stream.answer(callout.id, &headers, &body);
        stream.pauses_end().unwrap();
    }
}
