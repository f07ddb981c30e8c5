//! Upstreams that are not there, break off, or have much to say.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::support::{Proxy, nobody, read_to_end, read_until, upstream, wait_until};

#[test]
fn an_upstream_that_is_down_is_a_502_with_envoys_text() {
    let proxy = Proxy::start(nobody());
    let response = proxy.get("/");
    assert!(
        response.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{response}"
    );
    assert!(
        response.ends_with("upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"),
        "{response}"
    );
    proxy.wait_for_line("an upstream cannot be reached");
}

#[test]
fn an_upstream_that_ends_before_it_answers_is_a_502() {
    let proxy = Proxy::start(upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
    }));
    let response = proxy.get("/");
    assert!(response.starts_with("HTTP/1.1 502"), "{response}");
    assert!(
        response.ends_with("reset reason: connection termination"),
        "{response}"
    );
}

#[test]
fn an_upstream_that_does_not_speak_http_is_a_502() {
    let proxy = Proxy::start(upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"220 smtp ready\r\n\r\n");
    }));
    let response = proxy.get("/");
    assert!(response.starts_with("HTTP/1.1 502"), "{response}");
    assert!(
        response.ends_with("reset reason: protocol error"),
        "{response}"
    );
}

#[test]
fn a_truncated_download_does_not_look_complete() {
    let proxy = Proxy::start(upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    }));
    let response = proxy.get("/");
    assert!(response.contains("content-length: 100"), "{response}");
    assert!(response.ends_with("\r\n\r\nabc"), "{response}");
    let record = &proxy.wait_for_records(1)[0];
    assert!(
        record
            .code_details
            .contains("upstream_reset_after_response_started"),
        "{record:?}"
    );
    let chunked = Proxy::start(upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    }));
    let response = chunked.get("/");
    assert!(!response.contains("\r\n0\r\n"), "{response}");
}

#[test]
fn a_client_that_disconnects_cancels_the_upstream_and_ends_the_stream() {
    let gone = Arc::new(AtomicBool::new(false));
    let seen = gone.clone();
    let up = upstream(move |mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        let chunk = [0_u8; 65536];
        while stream.write_all(&chunk).is_ok() {}
        seen.store(true, Ordering::SeqCst);
    });
    let proxy = Proxy::start(up);
    let mut client = proxy.connect();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut client, "\r\n\r\n");
    drop(client);
    wait_until("the upstream was not cancelled", || {
        gone.load(Ordering::SeqCst)
    });
    let record = &proxy.wait_for_records(1)[0];
    assert_eq!(record.code_details, "downstream_remote_disconnect");
    assert!(
        proxy
            .server
            .metrics()
            .iter()
            .any(|series| series.name == "ended")
    );
}

#[test]
fn a_client_that_disconnects_before_the_response_ends_the_stream() {
    let requested = Arc::new(AtomicBool::new(false));
    let seen = requested.clone();
    let proxy = Proxy::start(upstream(move |mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        seen.store(true, Ordering::SeqCst);
        // Never answers; ends when the proxy lets go.
        _ = stream.read(&mut [0]);
    }));
    let mut client = proxy.connect();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    wait_until("the upstream got no request", || {
        requested.load(Ordering::SeqCst)
    });
    drop(client);
    assert_eq!(proxy.wait_for_records(1)[0].status, None);
}

#[test]
fn a_slow_client_holds_the_upstream_back() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let up = upstream(move |mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        let total = 64 * 1024 * 1024;
        _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n");
        let chunk = [7_u8; 65536];
        for _ in 0..total / chunk.len() {
            if stream.write_all(&chunk).is_err() {
                return;
            }
            count.fetch_add(chunk.len(), Ordering::SeqCst);
        }
    });
    let proxy = Proxy::start(up);
    let mut client = proxy.connect();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    read_until(&mut client, "\r\n\r\n");
    // The upstream has filled every buffer on the way when it stands still.
    let mut before = usize::MAX;
    wait_until("the upstream never stood still", || {
        std::thread::sleep(Duration::from_millis(100));
        std::mem::replace(&mut before, sent.load(Ordering::SeqCst)) == before && before > 0
    });
    assert!(
        before < 32 * 1024 * 1024,
        "{before} bytes were taken for a client that reads none"
    );
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 64 * 1024 * 1024);
    assert!(rest.iter().all(|byte| *byte == 7));
}

#[test]
fn many_requests_run_at_once_on_one_worker() {
    let waiting = Arc::new(AtomicUsize::new(0));
    let count = waiting.clone();
    // Nobody is answered before all are here.
    let up = upstream(move |mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        count.fetch_add(1, Ordering::SeqCst);
        wait_until("the others did not come", || {
            count.load(Ordering::SeqCst) >= 50
        });
        _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    });
    let proxy = Proxy::start(up);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let mut client = proxy.connect();
            client
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .unwrap();
            client
        })
        .collect();
    for mut client in clients {
        assert!(read_to_end(&mut client).ends_with("\r\n\r\nok"));
    }
}

#[test]
fn a_silent_stream_is_given_up() {
    let up = upstream(|mut stream| {
        read_until(&mut stream, "\r\n\r\n");
        _ = stream.read(&mut [0]);
    });
    let proxy = Proxy::with(up, |config| {
        config.idle_timeout = Duration::from_millis(200)
    });
    let response = proxy.get("/");
    assert!(response.starts_with("HTTP/1.1 504"), "{response}");
    assert!(response.ends_with("stream timeout"), "{response}");
}
