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
                let status = status(&payload);
                return status
                    .map(Seen::Status)
                    .ok_or_else(|| io::Error::other("an answer whose status cannot be read"));
            }
            (RST_STREAM | GOAWAY, _) => return Ok(Seen::Closed),
            _ => {}
        }
    }
}

/// The status that a block of headers begins with, as every answer does (RFC 9113, section 8.3.2): an
/// entry of the static table, or a literal with a name from it (RFC 7541, appendix A).
fn status(block: &[u8]) -> Option<u16> {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    let (first, rest) = block.split_first()?;
    match first {
        0x88..=0x8e => INDEXED.get(usize::from(first - 0x88)).copied(),
        0x48..=0x4e | 0x08..=0x0e | 0x18..=0x1e => {
            let (length, rest) = rest.split_first()?;
            let text = rest.get(..usize::from(length & 0x7f))?;
            let digits = if length & 0x80 == 0 {
                text.to_vec()
            } else {
                huffman_digits(text)?
            };
            std::str::from_utf8(&digits).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// Digits in Huffman's code: 0 to 2 have five bits, the others six (RFC 7541, appendix B).
fn huffman_digits(text: &[u8]) -> Option<Vec<u8>> {
    let bits: Vec<u8> = text
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let mut rest = bits.as_slice();
    let mut digits = Vec::new();
    let value = |bits: &[u8]| bits.iter().fold(0, |value, bit| value << 1 | bit);
    // What is left is padding.
    while rest.len() >= 5 && digits.len() < 3 {
        let (digit, length) = match value(&rest[..5]) {
            short @ 0..=2 => (short, 5),
            _ => (value(rest.get(..6)?).checked_sub(0x19)? + 3, 6),
        };
        if digit > 9 {
            return None;
        }
        digits.push(b'0' + digit);
        rest = &rest[length..];
    }
    Some(digits)
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

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn a_status_is_read_in_every_form() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(&[0x8d, 0x40]), Some(404));
        assert_eq!(status(b"\x48\x03302"), Some(302));
        // RFC 7541, appendix C.6.1.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        // 4 is 011010, 0 is 00000, 3 is 011001.
        assert_eq!(status(&[0x48, 0x83, 0x68, 0x0c, 0xff]), Some(403));
        assert_eq!(status(&[0x40]), None);
    }
}
