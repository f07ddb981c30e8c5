//! Sends a case and sees what the server makes of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::case::{Case, Request};
use super::h2;

/// How long a server may think about an answer.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a connection may be silent after an answer before it counts as done with.
const SILENCE: Duration = Duration::from_millis(60);

/// What came of a case, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The first answer's status.
    Status(u16),
    /// No answer.
    Closed,
}

/// Sends a case on a connection of its own.
///
/// # Errors
/// Where there is no connection.
pub fn send(to: SocketAddr, case: &Case) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match &case.request {
        Request::Http2(headers) => h2::exchange(&mut stream, headers),
        Request::Http1(bytes) => {
            // What one answer ends needs no waiting for others.
            let ends = !case.name.starts_with("smuggling");
            // A server may refuse before it has read everything.
            let _ = stream.write_all(bytes);
            read(&mut stream, ends)
        }
    }
}

fn read(stream: &mut TcpStream, one: bool) -> io::Result<Seen> {
    let mut answer = Vec::new();
    let mut buffer = [0; 16_384];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
        }
        if one && is_whole(&answer) {
            break;
        }
        // Further answers are waited for as well, so that what they made a backend do is on record.
        stream.set_read_timeout(Some(SILENCE))?;
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5)?.parse().ok());
    Ok(status.map_or(Seen::Closed, Seen::Status))
}

/// Whether an answer is there with all of its body, as far as that can be told.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}
