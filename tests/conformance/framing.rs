//! Answers of a backend whose framing is malformed, or only unusual, in front of both hosts: what Envoy refuses `serve`
//! refuses, and what one takes as whole the other takes as the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use modgate_harness::chunked::requested;
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::policies::three_tenants;

/// A good answer behind some status line and headers.
const OK: &str = "HTTP/1.1 200 OK\r\n";

/// Every answer by its name.
fn answers() -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut add = |name: &str, head: &str, rest: &str| {
        let known = all.insert(name.to_owned(), format!("{head}{rest}").into_bytes());
        assert!(known.is_none(), "{name} twice");
    };
    let ok: &[(&str, &str)] = &[
        // Lengths.
        ("length", "content-length: 5\r\n\r\nhello"),
        ("length-none", "\r\nhello"),
        ("length-zero", "content-length: 0\r\n\r\n"),
        ("length-short", "content-length: 9\r\n\r\nhello"),
        ("length-long", "content-length: 3\r\n\r\nhello"),
        (
            "length-twice",
            "content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "length-two",
            "content-length: 5\r\ncontent-length: 4\r\n\r\nhello",
        ),
        ("length-list", "content-length: 5, 5\r\n\r\nhello"),
        ("length-list-two", "content-length: 5, 4\r\n\r\nhello"),
        ("length-plus", "content-length: +5\r\n\r\nhello"),
        ("length-minus", "content-length: -5\r\n\r\nhello"),
        ("length-hex", "content-length: 0x5\r\n\r\nhello"),
        ("length-zeros", "content-length: 0005\r\n\r\nhello"),
        ("length-empty", "content-length: \r\n\r\nhello"),
        ("length-word", "content-length: five\r\n\r\nhello"),
        ("length-fraction", "content-length: 5.0\r\n\r\nhello"),
        ("length-space", "content-length: 5 5\r\n\r\nhello"),
        (
            "length-huge",
            "content-length: 18446744073709551616\r\n\r\nhello",
        ),
        (
            "length-most",
            "content-length: 18446744073709551615\r\n\r\nhello",
        ),
        // Both codings of the length.
        (
            "both",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "both-other-order",
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "both-and-no-chunks",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        ),
        (
            "both-zero",
            "content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "both-identity",
            "content-length: 5\r\ntransfer-encoding: identity\r\n\r\nhello",
        ),
        // Transfer codings.
        (
            "coding-upper",
            "transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        ("coding-gzip", "transfer-encoding: gzip\r\n\r\nhello"),
        (
            "coding-identity",
            "transfer-encoding: identity\r\n\r\nhello",
        ),
        (
            "coding-empty",
            "transfer-encoding: \r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-gzip-chunked",
            "transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-chunked-gzip",
            "transfer-encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-identity-chunked",
            "transfer-encoding: identity, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-chunked-twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-two-lines",
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-xchunked",
            "transfer-encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-space-in-name",
            "transfer-encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-tab",
            "transfer-encoding:\tchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "coding-quoted",
            "transfer-encoding: \"chunked\"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        // Headers.
        (
            "header-folded",
            "x-a: b\r\n c\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "header-first-folded",
            " x-a: b\r\ncontent-length: 5\r\n\r\nhello",
        ),
        ("header-no-colon", "x-a\r\ncontent-length: 5\r\n\r\nhello"),
        ("header-no-name", ": b\r\ncontent-length: 5\r\n\r\nhello"),
        ("header-space", "x a: b\r\ncontent-length: 5\r\n\r\nhello"),
        (
            "header-space-before-colon",
            "x-a : b\r\ncontent-length: 5\r\n\r\nhello",
        ),
        ("header-nul", "x-a: b\0c\r\ncontent-length: 5\r\n\r\nhello"),
        ("header-cr", "x-a: b\rc\r\ncontent-length: 5\r\n\r\nhello"),
        (
            "header-control",
            "x-a: b\u{1}c\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "header-high",
            "x-a: b\u{fc}c\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "header-name-odd",
            "x(a): b\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "header-name-underscore",
            "x_a: b\r\ncontent-length: 5\r\n\r\nhello",
        ),
        ("header-empty", "x-a:\r\ncontent-length: 5\r\n\r\nhello"),
        ("header-bare-lf", "x-a: b\ncontent-length: 5\r\n\r\nhello"),
        ("header-all-bare-lf", "x-a: b\ncontent-length: 5\n\nhello"),
        ("header-cut", "x-a: b\r\ncontent-len"),
    ];
    for (name, rest) in ok {
        add(name, OK, rest);
    }
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let chunks: &[(&str, &str)] = &[
        ("chunks", "5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-two", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        ("chunks-none", "0\r\n\r\n"),
        ("chunks-zeros", "0005\r\nhello\r\n000\r\n\r\n"),
        ("chunks-extension", "5;a=b\r\nhello\r\n0\r\n\r\n"),
        (
            "chunks-extension-quoted",
            "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n",
        ),
        ("chunks-extension-lf", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
        ("chunks-extension-cr", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("chunks-extension-last", "5\r\nhello\r\n0;a\r\n\r\n"),
        ("chunks-size-space-behind", "5 \r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-space-before", " 5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-tab", "5\t\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-hex", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-plus", "+5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-minus", "-5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-empty", "\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-word", "g\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-list", "5,5\r\nhello\r\n0\r\n\r\n"),
        ("chunks-size-underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        (
            "chunks-size-huge",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        ("chunks-size-most", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ("chunks-bare-lf", "5\nhello\n0\n\n"),
        ("chunks-size-bare-lf", "5\nhello\r\n0\r\n\r\n"),
        ("chunks-data-bare-lf", "5\r\nhello\n0\r\n\r\n"),
        ("chunks-end-bare-lf", "5\r\nhello\r\n0\r\n\n"),
        ("chunks-size-bare-cr", "5\rhello\r\n0\r\n\r\n"),
        ("chunks-data-short", "6\r\nhello\r\n0\r\n\r\n"),
        ("chunks-data-long", "4\r\nhello\r\n0\r\n\r\n"),
        ("chunks-data-no-end", "5\r\nhello0\r\n\r\n"),
        ("chunks-cut-size", "5"),
        ("chunks-cut-data", "5\r\nhel"),
        ("chunks-cut-behind-data", "5\r\nhello"),
        ("chunks-cut-before-last", "5\r\nhello\r\n"),
        ("chunks-cut-in-last", "5\r\nhello\r\n0"),
        ("chunks-cut-behind-last", "5\r\nhello\r\n0\r\n"),
        ("chunks-more-behind", "5\r\nhello\r\n0\r\n\r\nmore"),
        ("trailers", "5\r\nhello\r\n0\r\nx-a: b\r\n\r\n"),
        ("trailers-cut", "5\r\nhello\r\n0\r\nx-a: b\r\n"),
        ("trailers-no-colon", "5\r\nhello\r\n0\r\nx-a\r\n\r\n"),
        ("trailers-space", "5\r\nhello\r\n0\r\nx a: b\r\n\r\n"),
        ("trailers-folded", "5\r\nhello\r\n0\r\nx-a: b\r\n c\r\n\r\n"),
        ("trailers-nul", "5\r\nhello\r\n0\r\nx-a: b\0c\r\n\r\n"),
        ("trailers-bare-lf", "5\r\nhello\r\n0\r\nx-a: b\n\n"),
        (
            "trailers-length",
            "5\r\nhello\r\n0\r\ncontent-length: 9\r\n\r\n",
        ),
        (
            "trailers-coding",
            "5\r\nhello\r\n0\r\ntransfer-encoding: gzip\r\n\r\n",
        ),
    ];
    for (name, rest) in chunks {
        add(name, &chunked, rest);
    }
    let rest = "content-length: 5\r\n\r\nhello";
    for (name, line) in [
        ("status-no-reason", "HTTP/1.1 200\r\n"),
        ("status-empty-reason", "HTTP/1.1 200 \r\n"),
        ("status-high-reason", "HTTP/1.1 200 \u{fc}\r\n"),
        ("status-two-digits", "HTTP/1.1 20 OK\r\n"),
        ("status-four-digits", "HTTP/1.1 2000 OK\r\n"),
        ("status-letters", "HTTP/1.1 2x0 OK\r\n"),
        ("status-zero", "HTTP/1.1 000 OK\r\n"),
        ("status-99", "HTTP/1.1 099 OK\r\n"),
        ("status-999", "HTTP/1.1 999 OK\r\n"),
        ("status-600", "HTTP/1.1 600 OK\r\n"),
        ("status-minus", "HTTP/1.1 -200 OK\r\n"),
        ("status-two-spaces", "HTTP/1.1  200 OK\r\n"),
        ("status-tab", "HTTP/1.1\t200\tOK\r\n"),
        ("status-bare-lf", "HTTP/1.1 200 OK\n"),
        ("status-space-before", " HTTP/1.1 200 OK\r\n"),
        ("status-empty-line-before", "\r\nHTTP/1.1 200 OK\r\n"),
        ("version-1.0", "HTTP/1.0 200 OK\r\n"),
        ("version-1.2", "HTTP/1.2 200 OK\r\n"),
        ("version-2.0", "HTTP/2.0 200 OK\r\n"),
        ("version-0.9", "HTTP/0.9 200 OK\r\n"),
        ("version-1", "HTTP/1 200 OK\r\n"),
        ("version-11", "HTTP/1.11 200 OK\r\n"),
        ("version-lower-case", "http/1.1 200 OK\r\n"),
        ("version-other", "ICY 200 OK\r\n"),
        ("version-none", "200 OK\r\n"),
        (
            "interim-100",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        ),
        (
            "interim-103",
            "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\n",
        ),
        ("interim-199", "HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\n"),
        (
            "interim-length",
            "HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK\r\n",
        ),
        (
            "interim-chunked",
            "HTTP/1.1 100 Continue\r\ntransfer-encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n",
        ),
        ("interim-alone", "HTTP/1.1 100 Continue\r\n"),
        (
            "switching",
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: odd\r\nconnection: upgrade\r\n",
        ),
        ("no-content-with-body", "HTTP/1.1 204 No Content\r\n"),
        ("not-modified-with-body", "HTTP/1.1 304 Not Modified\r\n"),
        ("reset-content-with-body", "HTTP/1.1 205 Reset Content\r\n"),
    ] {
        add(name, line, rest);
    }
    let chunked_rest = "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (name, line) in [
        ("chunked-1.0", "HTTP/1.0 200 OK\r\n"),
        ("chunked-no-content", "HTTP/1.1 204 No Content\r\n"),
        ("chunked-not-modified", "HTTP/1.1 304 Not Modified\r\n"),
    ] {
        add(name, line, chunked_rest);
    }
    add("nothing", "", "");
    add("garbage", "", "220 smtp ready\r\n\r\n");
    add("lines", "", "\r\n\r\n\r\n");
    let long = "a".repeat(70_000);
    add("header-long", OK, &format!("x-a: {long}\r\n{rest}"));
    let many: String = (0..90).map(|n| format!("x-{n}: b\r\n")).collect();
    add("headers-many", OK, &format!("{many}{rest}"));
    let more: String = (0..150).map(|n| format!("x-{n}: b\r\n")).collect();
    add("headers-more", OK, &format!("{more}{rest}"));
    let trailer = format!("5\r\nhello\r\n0\r\nx-a: {long}\r\n\r\n");
    add("trailers-long", &chunked, &trailer);
    let extension = format!("5;{long}\r\nhello\r\n0\r\n\r\n");
    add("chunks-extension-long", &chunked, &extension);
    all
}

/// A backend that answers for each module what is named as it, and then closes.
fn backend(answers: Arc<BTreeMap<String, Vec<u8>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || answer(stream, &answers));
        }
    });
    address
}

fn answer(mut stream: TcpStream, answers: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(path) = requested(&mut reader)? else {
        return Ok(());
    };
    let name = path.iter().nth(1).unwrap_or_default().to_string_lossy();
    stream.write_all(&answers[name.as_ref()])?;
    stream.shutdown(Shutdown::Write)?;
    // Until the proxy has read all of it, or a reset would take it from it.
    io::copy(&mut reader, &mut io::sink())?;
    Ok(())
}

/// What a client sees.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// A whole answer.
    Whole(u16, Vec<u8>),
    /// One that breaks off.
    Broken(u16),
    /// A failure of the backend, in the proxy's words.
    Failed,
    /// The connection ended.
    Nothing,
}

fn see(host: &Host, method: &str, name: &str) -> Seen {
    let path = format!("/t/web/example.org/{name}/@v/list");
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .write_all(http::head(method, &path, &[]).as_bytes())
        .unwrap();
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).is_ok();
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Seen::Nothing;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = &bytes[end + 4..];
    // 502 and 503 differ by what `serve` says of a backend that is away (docs/reference/serve.md).
    if matches!(status, 502 | 503) {
        return Seen::Failed;
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    if method == "HEAD" || matches!(status, 204 | 304) {
        return if body.is_empty() {
            Seen::Whole(status, Vec::new())
        } else {
            Seen::Broken(status)
        };
    }
    if let Some(length) = length {
        let whole = length.parse() == Ok(body.len());
        return if whole {
            Seen::Whole(status, body.to_vec())
        } else {
            Seen::Broken(status)
        };
    }
    if !head.contains("transfer-encoding: chunked") {
        return if ended {
            Seen::Whole(status, body.to_vec())
        } else {
            Seen::Broken(status)
        };
    }
    match unchunked(body) {
        Some(body) => Seen::Whole(status, body),
        None => Seen::Broken(status),
    }
}

/// What is in well-formed chunks; `None` where their end is missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return rest.ends_with(b"\r\n").then_some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

/// What Envoy refuses and `serve` takes, because the HTTP library shows nothing of it: an empty line before the one
/// answer, whose own framing is well-formed.
const TAKEN: [&str; 1] = ["status-empty-line-before"];

/// What Envoy takes and `serve` refuses: the HTTP library is stricter.
const REFUSED: [&str; 18] = [
    "chunked-1.0",
    "chunks-data-bare-lf",
    "chunks-data-long",
    "chunks-data-short",
    "chunks-end-bare-lf",
    "chunks-extension-long",
    "header-cr",
    "header-folded",
    "length-most",
    "status-four-digits",
    "status-tab",
    "status-two-spaces",
    "trailers-bare-lf",
    "trailers-folded",
    "trailers-long",
    "version-0.9",
    "version-1.2",
    "version-2.0",
];

#[test]
fn a_malformed_answer_is_the_same_to_both_hosts() {
    let answers = Arc::new(answers());
    let [envoy, serve] = Host::both(&three_tenants("static"), backend(Arc::clone(&answers)));
    let (mut differ, mut wrong) = (BTreeSet::new(), Vec::new());
    for name in answers.keys() {
        for method in ["GET", "HEAD"] {
            let (expected, seen) = (see(&envoy, method, name), see(&serve, method, name));
            if expected == seen {
                continue;
            }
            differ.insert(name.as_str());
            let refused = matches!(seen, Seen::Failed | Seen::Broken(_));
            let listed = match refused {
                true => REFUSED.contains(&name.as_str()),
                false => TAKEN.contains(&name.as_str()),
            };
            if !listed {
                wrong.push(format!(
                    "{method} {name}: {seen:?}, and in Envoy {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed: BTreeSet<&str> = TAKEN.into_iter().chain(REFUSED).collect();
    assert_eq!(differ, listed);
}
