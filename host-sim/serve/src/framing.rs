//! How long an answer of HTTP/1.1 is: what Envoy refuses of it and the HTTP library does not.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};

/// Whether an upstream's answer does not say in exactly one way, which everybody reads alike, how long it is: whoever
/// reads it another way sees another answer (RFC 9112, section 6.3).
pub(super) fn is_refused<B>(response: &Response<B>) -> bool {
    response.version() < Version::HTTP_2 && refused(response.status(), response.headers())
}

/// Whether headers say how long a body is; those of an interim answer, which has none, must not.
pub(super) fn has_length(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

fn refused(status: StatusCode, headers: &HeaderMap) -> bool {
    // One that is no answer yet: nobody requested another protocol.
    if status.is_informational() {
        return true;
    }
    let codings: Vec<&HeaderValue> = headers.get_all(TRANSFER_ENCODING).iter().collect();
    let lengths: Vec<&HeaderValue> = headers.get_all(CONTENT_LENGTH).iter().collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => false,
        ([], [length]) if status == StatusCode::NO_CONTENT => *length != "0",
        ([], [length]) => !is_length(length.as_bytes()),
        ([coding], []) if status != StatusCode::NO_CONTENT => {
            !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
        }
        _ => true,
    }
}

fn is_length(value: &[u8]) -> bool {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value);
    digits && text.is_ok_and(|text| text.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_coding_says_how_long_an_answer_is_or_one_length() {
        let said_by = |status, pairs: &[(&'static str, &'static str)]| {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in pairs {
                response.headers_mut().append(*name, value.parse().unwrap());
            }
            is_refused(&response)
        };
        let said = |pairs: &[(&'static str, &'static str)]| said_by(200, pairs);
        let (coding, length) = ("transfer-encoding", "content-length");
        assert!(!said(&[]));
        assert!(!said(&[(length, "5")]));
        assert!(!said(&[(coding, "Chunked")]));
        assert!(said(&[(coding, "chunked"), (length, "5")]));
        assert!(said(&[(coding, "gzip, chunked")]));
        assert!(said(&[(coding, "chunked"), (coding, "chunked")]));
        assert!(said(&[(coding, "identity")]));
        assert!(said(&[(length, "5"), (length, "5")]));
        for odd in ["", "+5", "5, 5", "0x5", "5.0", "18446744073709551616"] {
            assert!(said(&[(length, odd)]), "{odd}");
        }
        assert!(!said_by(204, &[(length, "0")]));
        assert!(said_by(204, &[(length, "5")]));
        assert!(said_by(204, &[(coding, "chunked")]));
        assert!(!said_by(304, &[(length, "5")]));
        assert!(said_by(101, &[]));
    }
}
