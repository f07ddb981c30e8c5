//! Requests that say twice how long they are, by Content-Length and by chunks, on both hosts: 400, and nothing of them
//! comes to the backend.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use modgate_harness::hosts::Host;
use modgate_harness::policies::three_tenants;
use modgate_harness::recording::{Answer, Recording};

const GOOD: &str = "GET /t/web/example.org/words/@v/list HTTP/1.1\r\nhost: a\r\n";

/// The statuses of all that a host answers to these bytes, until it closes.
fn statuses(host: &Host, bytes: &str) -> Vec<u16> {
    let mut stream = TcpStream::connect(host.address()).unwrap();
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answers = Vec::new();
    // A host that closes with bytes unread resets the connection; what it has answered is here by then.
    _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8_lossy(&answers);
    let heads = answers.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head[..3].parse().unwrap()).collect()
}

#[test]
fn a_request_with_two_lengths_is_refused_and_none_behind_it_is_read() {
    let backend = Recording::start(|_| Answer::text(200, "v1.0.0\n"));
    let both = "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let hidden = format!("{GOOD}\r\n");
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", hidden.len());
    for host in Host::both(&three_tenants("static"), backend.address()) {
        let rows = [
            (
                "neither",
                format!("{GOOD}connection: close\r\n\r\n"),
                &[200][..],
                1,
            ),
            ("both", format!("{GOOD}{both}"), &[400], 0),
            (
                "the other way round",
                format!("{GOOD}transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n"),
                &[400],
                0,
            ),
            (
                "in capitals",
                format!("{GOOD}CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n"),
                &[400],
                0,
            ),
            ("one behind it", format!("{GOOD}{both}{hidden}"), &[400], 0),
            (
                "one in its chunk",
                format!("{GOOD}content-length: 4\r\n{chunked}{hidden}\r\n0\r\n\r\n"),
                &[400],
                0,
            ),
            (
                "behind another",
                format!("{GOOD}\r\n{GOOD}{both}"),
                &[200, 400],
                1,
            ),
        ];
        table_rows::check(rows, |(name, bytes, expected, forwarded)| {
            backend.requested();
            assert_eq!(statuses(&host, &bytes), expected, "{name}");
            assert_eq!(backend.requested().len(), forwarded, "{name}");
        });
    }
}
