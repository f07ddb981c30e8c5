//! The headers of a request.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use super::Service;
use crate::http::Headers;

/// The largest number that `grpc-timeout` has room for.
const LARGEST_TIMEOUT: u128 = 99_999_999;

/// The headers with which a call begins: Envoy's, then those of the service, then the filter's.
pub(crate) fn request_headers(
    service: &Service,
    name: &str,
    method: &str,
    metadata: &Headers,
    timeout: Option<Duration>,
) -> Headers {
    let authority = if service.authority.is_empty() {
        &service.cluster
    } else {
        &service.authority
    };
    let mut headers = Headers::from_pairs([
        (":method", "POST".to_owned()),
        (":path", format!("/{name}/{method}")),
        (":authority", authority.clone()),
        ("te", "trailers".to_owned()),
    ]);
    if let Some(timeout) = timeout {
        headers.add("grpc-timeout", timeout_text(timeout));
    }
    headers.add("content-type", "application/grpc");
    for (name, value) in &service.metadata {
        headers.add(name.clone(), value.clone());
    }
    for (name, value) in metadata.iter() {
        headers.add(name.clone(), value.clone());
    }
    escape_binary(headers)
}

/// Values of headers that end in `-bin` go out in base64.
fn escape_binary(headers: Headers) -> Headers {
    let escaped = headers.iter().map(|(name, value)| {
        let value = if name.ends_with(b"-bin") {
            Bytes::from(BASE64_STANDARD.encode(value))
        } else {
            value.clone()
        };
        (name.clone(), value)
    });
    Headers::from_pairs(escaped)
}

/// In milliseconds where there is room for them, else in the next larger unit.
fn timeout_text(timeout: Duration) -> String {
    let mut number = timeout.as_millis();
    let mut unit = 'm';
    for (larger, times) in [('S', 1000), ('M', 60), ('H', 60)] {
        if number <= LARGEST_TIMEOUT {
            break;
        }
        number /= times;
        unit = larger;
    }
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_takes_the_smallest_unit_with_room() {
        let text = |ms| timeout_text(Duration::from_millis(ms));
        assert_eq!(text(1500), "1500m");
        assert_eq!(text(99_999_999), "99999999m");
        assert_eq!(text(100_000_000), "100000S");
    }
}
