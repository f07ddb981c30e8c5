//! Paths, names and endpoints: what is accepted comes back the same from every round trip, and a Go
//! proxy reads in it what the engine read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_REQUEST, within};
use modgate_fuzz::upstream;
use modgate_go::gomod::path::split_major;
use modgate_go::gomod::{check_path, escape_into, unescape};
use modgate_go::goproxy::{MAX_PATH_BYTES, Operation, SumdbCall, Target};

const DATABASE: &str = "sum.golang.org";

fuzz_target!(|input: &[u8]| {
    check_target(input);
    if let Ok(text) = std::str::from_utf8(input) {
        check_name(text);
        check_operation(text);
        check_sumdb(text);
    }
});

fn check_target(input: &[u8]) {
    let Ok(target) = within(OF_A_REQUEST, || Target::decode(input)) else {
        return;
    };
    let decoded = target.as_str();
    assert!(input.len() <= MAX_PATH_BYTES && decoded.len() < input.len());
    assert!(decoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let slashes = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'/').count();
    assert_eq!(slashes(decoded.as_bytes()) + 1, slashes(input));
    let raw = std::str::from_utf8(input).expect("text");
    assert_eq!(
        upstream::percent_decode(raw).strip_prefix('/'),
        Some(decoded)
    );
    check_operation(decoded);
}

fn check_name(escaped: &str) {
    let Ok(name) = within(OF_A_REQUEST, || unescape(escaped)) else {
        return;
    };
    assert_eq!(upstream::unescape(escaped), name);
    if within(OF_A_REQUEST, || check_path(&name)).is_err() {
        return;
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    assert!(name.bytes().all(allowed));
    assert!(
        name.split('/')
            .all(|e| !e.is_empty() && !e.starts_with('.') && !e.ends_with('.'))
    );
    let (before, _) = split_major(&name).expect("a good path has a good major version");
    assert!(name.starts_with(before));
    let mut url = "/".to_owned();
    escape_into(&name, &mut url);
    if is_readable(&url) {
        assert_eq!(came_back(&url), name);
    }
}

/// Whether a path is short enough to be read again: encoding makes it longer.
const fn is_readable(path: &str) -> bool {
    path.len() <= MAX_PATH_BYTES
}

/// The name that was written into a URL.
fn came_back(url: &str) -> String {
    let target = Target::decode(url.as_bytes()).expect("what the engine writes it can read");
    unescape(target.as_str()).expect("an escape").into_owned()
}

fn check_operation(rest: &str) {
    let Ok(operation) = within(OF_A_REQUEST, || Operation::parse(rest)) else {
        return;
    };
    let path = canonical(&operation);
    check_upstream(&operation, &path);
    if !is_readable(&path) {
        return;
    }
    let target = Target::decode(path.as_bytes()).expect("a path");
    let again = Operation::parse(target.as_str()).expect("the same operation");
    assert_eq!(operation, again);
    assert_eq!(canonical(&again), path);
}

fn check_sumdb(rest: &str) {
    let Ok(call) = within(OF_A_REQUEST, || SumdbCall::parse(rest)) else {
        return;
    };
    let database = DATABASE.into();
    let operation = Operation::Sumdb { database, call };
    let path = canonical(&operation);
    check_upstream(&operation, &path);
    if !is_readable(&path) {
        return;
    }
    let target = Target::decode(path.as_bytes()).expect("a path");
    let again = target
        .as_str()
        .strip_prefix("sumdb/sum.golang.org/")
        .expect("the same database");
    let call = SumdbCall::parse(again).expect("the same call");
    let database = DATABASE.into();
    assert_eq!(operation, Operation::Sumdb { database, call });
}

fn check_upstream(operation: &Operation<'_>, path: &str) {
    let read = upstream::read(path);
    assert_eq!(
        read.as_ref().map(|read| read.module.as_str()),
        operation.module(),
        "{path}"
    );
    assert_eq!(
        read.as_ref().and_then(|read| read.version.as_deref()),
        operation.version(),
        "{path}"
    );
}

fn canonical(operation: &Operation<'_>) -> String {
    let mut path = String::new();
    operation.write_canonical(&mut path);
    path
}
