//! Replies that do not come from an upstream, formed as Envoy forms them.

use bytes::Bytes;

use crate::grpc::status_of_http;
use crate::http::Headers;

/// A reply of the filter's or the proxy's own.
#[derive(Clone, Debug)]
pub(crate) struct LocalReply {
    pub status: u16,
    pub body: Bytes,
    pub headers: Vec<(Bytes, Bytes)>,
    /// Of use for gRPC requests only; derived from the status where there is none.
    pub grpc_status: Option<u32>,
    pub details: String,
}

impl LocalReply {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>, details: &str) -> Self {
        Self {
            status,
            body: body.into(),
            headers: Vec::new(),
            grpc_status: None,
            details: details.to_owned(),
        }
    }

    /// The response's headers and body. (`Utility::prepareLocalReply` in Envoy: a gRPC request is
    /// answered 200 with the error in the headers, an empty body has neither length nor type.)
    pub(crate) fn into_message(self, grpc: bool) -> (Headers, Bytes) {
        let mut headers = Headers::from_pairs([(":status", self.status.to_string())]);
        for (name, value) in self.headers {
            headers.add(name, value);
        }
        if grpc {
            let code = self.grpc_status.unwrap_or(status_of_http(self.status).0);
            headers.set(":status", "200");
            headers.set("content-type", "application/grpc");
            headers.set("grpc-status", code.to_string());
            if !self.body.is_empty() {
                headers.set("grpc-message", percent_encode(&self.body));
            }
            return (headers, Bytes::new());
        }
        if self.body.is_empty() {
            headers.remove("content-length");
            headers.remove("content-type");
        } else {
            headers.set("content-length", self.body.len().to_string());
            if headers.get("content-type").is_none() {
                headers.set("content-type", "text/plain");
            }
        }
        (headers, self.body)
    }
}

/// Whether a request is gRPC by its content type.
pub(crate) fn is_grpc_request(headers: &Headers) -> bool {
    headers
        .get("content-type")
        .and_then(|value| value.strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+')))
}

fn percent_encode(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_brings_its_length_and_a_type() {
        let (headers, body) = LocalReply::new(403, "no\n", "x").into_message(false);
        assert_eq!(headers.status(), Some(403));
        assert_eq!(headers.get("content-length").unwrap().as_ref(), b"3");
        assert_eq!(headers.get("content-type").unwrap().as_ref(), b"text/plain");
        assert_eq!(body.as_ref(), b"no\n");
    }

    #[test]
    fn an_empty_body_has_neither() {
        let mut reply = LocalReply::new(302, "", "x");
        reply.headers = vec![
            ("content-type".into(), "a/b".into()),
            ("location".into(), "/".into()),
        ];
        let (headers, _) = reply.into_message(false);
        assert_eq!(headers.len(), 2);
        assert!(headers.get("content-type").is_none());
    }

    #[test]
    fn grpc_has_its_error_in_the_headers() {
        let (headers, body) = LocalReply::new(503, "50% \n", "x").into_message(true);
        assert_eq!(headers.status(), Some(200));
        assert_eq!(headers.get("grpc-status").unwrap().as_ref(), b"14");
        assert_eq!(headers.get("grpc-message").unwrap().as_ref(), b"50%25 %0A");
        assert!(body.is_empty());
    }
}
