//! The content coding of an answer. None is requested, but some servers have files only in one.

use modgate_go::http::Header;
use zlib_rs::{Inflate, InflateFlush, Status};

/// How much is inflated at a time, in bytes.
const OUTPUT_BYTES: usize = 32 << 10;

/// A window of 2 to the power of 15 bytes, after a gzip header.
const GZIP: u8 = 16 + 15;

/// The decoded body of an answer with these headers: at most `limit` bytes.
///
/// # Errors
/// Why it cannot be decoded, as half a sentence. Read without decoding, a compressed list would be an empty
/// one.
pub fn decode(headers: &[Header], body: Vec<u8>, limit: usize) -> Result<Vec<u8>, &'static str> {
    let mut codings = headers
        .iter()
        .filter(|(name, _)| name == "content-encoding");
    let coding = codings.next().map_or(&b""[..], |(_, value)| value);
    if codings.next().is_some() {
        return Err("its answer has several content codings");
    }
    let coding = coding.trim_ascii();
    if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
        return Ok(body);
    }
    let is_gzip = [&b"gzip"[..], b"x-gzip"];
    if is_gzip.iter().any(|gzip| coding.eq_ignore_ascii_case(gzip)) {
        return inflate(&body, limit);
    }
    Err("its answer has a content coding that was not asked for")
}

/// Decodes gzip (RFC 1952) with one member. Its checksum and length must match, and nothing may follow it.
fn inflate(mut rest: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
    const BROKEN: &str = "its answer is called gzip and is not";
    let mut inflate = Inflate::new(true, GZIP);
    let mut output = vec![0; OUTPUT_BYTES];
    let mut content = Vec::new();
    loop {
        let (used_before, made_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(rest, &mut output, InflateFlush::NoFlush);
        let status = status.map_err(|_| BROKEN)?;
        let used = difference(used_before, inflate.total_in());
        let made = difference(made_before, inflate.total_out());
        rest = rest.get(used..).ok_or(BROKEN)?;
        content.extend_from_slice(output.get(..made).ok_or(BROKEN)?);
        if content.len() > limit {
            return Err("its answer is too long");
        }
        if status == Status::StreamEnd {
            return rest.is_empty().then_some(content).ok_or(BROKEN);
        }
        if used == 0 && made == 0 {
            return Err(BROKEN);
        }
    }
}

fn difference(before: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LIST: &[u8] = b"v1.0.0\nv1.1.0\n";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(coding: &str, body: &[u8]) -> Result<Vec<u8>, &'static str> {
        let headers = [("content-encoding".to_owned(), coding.as_bytes().to_vec())];
        decode(&headers, body.to_vec(), 1 << 20)
    }

    #[test]
    fn coded_bodies_are_decoded_or_refused() {
        assert_eq!(decode(&[], LIST.to_vec(), 9), Ok(LIST.to_vec()));
        for coding in ["", "identity", " Identity "] {
            assert_eq!(decoded(coding, LIST), Ok(LIST.to_vec()), "{coding:?}");
        }
        for coding in ["gzip", "GZIP", "x-gzip", " gzip "] {
            assert_eq!(
                decoded(coding, &gzip(LIST)),
                Ok(LIST.to_vec()),
                "{coding:?}"
            );
        }
        let long = vec![b'v'; 1 << 20];
        assert_eq!(decoded("gzip", &gzip(&long)), Ok(long));
        for coding in [
            "br",
            "deflate",
            "zstd",
            "compress",
            "gzip, br",
            "gzip,gzip",
            "aws-chunked",
        ] {
            assert!(decoded(coding, &gzip(LIST)).is_err(), "{coding:?}");
        }
        let twice = vec![("content-encoding".to_owned(), b"gzip".to_vec()); 2];
        assert!(decode(&twice, gzip(LIST), 1 << 20).is_err());
    }

    #[test]
    fn gzip_that_is_broken_or_too_long_is_refused() {
        let whole = gzip(LIST);
        for end in 0..whole.len() {
            assert!(decoded("gzip", &whole[..end]).is_err(), "{end}");
        }
        for place in [0, 2, whole.len() - 5, whole.len() - 1] {
            let mut wrong = whole.clone();
            wrong[place] ^= 1;
            assert!(decoded("gzip", &wrong).is_err(), "{place}");
        }
        assert!(decoded("gzip", &[&whole[..], b"v9.9.9\n"].concat()).is_err());
        assert!(decoded("gzip", &[&whole[..], &gzip(b"v9.9.9\n")].concat()).is_err());
        let bomb = gzip(&vec![0; (1 << 20) + 1]);
        assert_eq!(decoded("gzip", &bomb), Err("its answer is too long"));
    }
}
