//! HTTP/2 with no more care than an attacker takes: one request whose headers are sent as they are.

use std::io::{self, Read, Write};

use super::client::Seen;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113, section 6.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// Sends a request and waits for its status.
///
/// # Errors
/// Where the connection fails before it was sent.
pub fn exchange(
    stream: &mut (impl Read + Write),
    headers: &[(Vec<u8>, Vec<u8>)],
) -> io::Result<Seen> {
    let mut block = Vec::new();
    for (name, value) in headers {
        // A literal that is not indexed, with a new name, without Huffman (RFC 7541, section 6.2.2).
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    let mut bytes = PREFACE.to_vec();
    push_frame(&mut bytes, SETTINGS, 0, 0, &[]);
    push_frame(&mut bytes, HEADERS, END_STREAM | END_HEADERS, 1, &block);
    stream.write_all(&bytes)?;
    stream.flush()?;
    // What fails from here on is the server's way to refuse.
    Ok(answer(stream).unwrap_or(Seen::Closed))
}

fn answer(stream: &mut (impl Read + Write)) -> io::Result<Seen> {
    let mut decoder = hpack::Decoder::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload)?;
        match (head[3], head[4]) {
            (SETTINGS, flags) if flags & ACK == 0 => {
                let mut ack = Vec::new();
                push_frame(&mut ack, SETTINGS, ACK, 0, &[]);
                stream.write_all(&ack)?;
            }
            (HEADERS, _) => {
                let headers = decoder.decode(&payload);
                let headers = headers.map_err(|e| io::Error::other(format!("{e:?}")))?;
                let status = headers.iter().find(|(name, _)| name == b":status");
                let status =
                    status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
                return Ok(status.map_or(Seen::Closed, Seen::Status));
            }
            (RST_STREAM | GOAWAY, _) => return Ok(Seen::Closed),
            _ => {}
        }
    }
}

fn push_frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 127 {
        out.push(length as u8);
        return;
    }
    out.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        out.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    out.push(rest as u8);
}
