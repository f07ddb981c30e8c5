//! A request's headers, read in one pass.

use super::upstream_headers::goes_upstream;
use modgate_go::http::{Header, HeaderValue};
use modgate_policy::model::route::Host;
use modgate_policy::model::{Backend, Policy};

/// What the engine needs of a request's headers.
#[derive(Debug, Default)]
pub(super) struct RequestHead<'a> {
    pub(super) method: HeaderValue<'a>,
    pub(super) path: HeaderValue<'a>,
    /// The requested host, if there is exactly one and it is valid.
    pub(super) host: Option<Host>,
    pub(super) request_id: Option<&'a str>,
    /// Whether a value has a byte that some servers take for the end of a line.
    pub(super) has_line_break: bool,
    /// Whether the request declares a length other than zero.
    pub(super) has_body: bool,
    /// The identity headers that the request has.
    identity: Vec<(&'a str, HeaderValue<'a>)>,
    /// The headers of split assignments that the request has.
    split: Vec<(&'a str, HeaderValue<'a>)>,
    /// All headers.
    pub(super) headers: &'a [Header],
}

impl<'a> RequestHead<'a> {
    /// Reads the headers in one pass.
    pub(super) fn read(policy: &'a Policy, headers: &'a [Header]) -> Self {
        let mut head = Self {
            headers,
            ..Self::default()
        };
        let mut authority = HeaderValue::Absent;
        for (name, value) in headers {
            // Without an early exit, so that the compiler vectorizes it.
            head.has_line_break |= value.iter().fold(false, |found, byte| {
                found | matches!(byte, b'\r' | b'\n' | 0)
            });
            match name.as_str() {
                ":method" => head.method.add(value),
                ":path" => head.path.add(value),
                ":authority" => authority.add(value),
                "x-request-id" => head.request_id = std::str::from_utf8(value).ok(),
                "content-length" => head.has_body |= value != b"0",
                name if name.starts_with(':') => {}
                name => {
                    head.read_identity(policy, name, value);
                    head.read_split(policy, name, value);
                }
            }
        }
        match authority {
            HeaderValue::Single(authority) if policy.routes_by_host => {
                head.host = Host::read(authority);
            }
            _ => {}
        }
        head
    }

    /// The names of the headers that this backend must not receive, each once.
    pub(super) fn kept_from(&self, policy: &Policy, backend: &Backend) -> Vec<String> {
        let mut kept: Vec<String> = Vec::new();
        for (name, _) in self.headers {
            if !goes_upstream(name, policy, backend) && !kept.contains(name) {
                kept.push(name.clone());
            }
        }
        kept
    }

    fn read_identity(&mut self, policy: &'a Policy, name: &str, value: &'a [u8]) {
        // A similar name with an underscore identifies nobody.
        let mut known = policy.identity_headers.iter();
        if let Some(known) = known.find(|known| known.as_str() == name) {
            add(&mut self.identity, known, value);
        }
    }

    fn read_split(&mut self, policy: &'a Policy, name: &str, value: &'a [u8]) {
        let mut wanted = policy.splits.headers.iter();
        if let Some(known) = wanted.find(|known| known.as_str() == name) {
            add(&mut self.split, known, value);
        }
    }

    /// The value of a header that splits use.
    pub(super) fn split_header(&self, name: &str) -> HeaderValue<'a> {
        value_in(&self.split, name)
    }

    /// The value of an identity header.
    pub(super) fn identity(&self, name: &str) -> HeaderValue<'a> {
        value_in(&self.identity, name)
    }
}

fn add<'a>(all: &mut Vec<(&'a str, HeaderValue<'a>)>, name: &'a str, value: &'a [u8]) {
    match all.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => known.add(value),
        None => all.push((name, HeaderValue::Single(value))),
    }
}

fn value_in<'a>(all: &[(&'a str, HeaderValue<'a>)], name: &str) -> HeaderValue<'a> {
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).unwrap_or_default()
}
