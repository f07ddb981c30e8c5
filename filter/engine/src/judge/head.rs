//! A request's headers, read once.

use crate::policy::identity::HeaderValue;
use crate::policy::paths::{is_reserved_header, is_same_header};
use crate::policy::{Backend, Policy};
use crate::route::Host;

/// A header as hosts hand it over: the name in lower case, the value in bytes.
pub type Header = (String, Vec<u8>);

/// The first value of a header.
pub fn value_of<'h>(headers: &'h [Header], name: &str) -> Option<&'h [u8]> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_slice())
}

impl Policy {
    /// The client's headers as they go to a backend, with the request itself and with every question
    /// that is asked for its sake. Pseudo-headers are not among them.
    pub fn upstream_headers(&self, headers: &[Header], backend: &Backend) -> Vec<Header> {
        let removed = Head::read(self, headers).kept_from(backend);
        let goes_up = |name: &str| {
            let mut removed = removed.iter();
            !name.starts_with(':') && !removed.any(|removed| removed == name)
        };
        let kept = headers.iter().filter(|(name, _)| goes_up(name));
        kept.cloned().collect()
    }
}

/// What the engine needs of a request's headers.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) method: HeaderValue<'a>,
    pub(super) path: HeaderValue<'a>,
    /// The host that is asked for, where it is asked for once and can be one.
    pub(super) host: Option<Host>,
    /// The headers that the proxy gives to some backend, and that the client sent.
    added: Vec<&'a str>,
    pub(super) request_id: Option<&'a str>,
    /// Whether a value has what some servers take for the end of a line.
    pub(super) has_line_break: bool,
    /// Whether a length is declared that is not nothing.
    pub(super) has_body: bool,
    /// The identity headers that are there, with the place of their source.
    identity: Vec<(&'a str, HeaderValue<'a>)>,
    /// The headers that splits ask for and that are there.
    split: Vec<(&'a str, HeaderValue<'a>)>,
    /// The names of headers that must not go upstream.
    pub(super) remove: Vec<String>,
}

impl<'a> Head<'a> {
    /// Reads the headers in one pass.
    pub(super) fn read(policy: &'a Policy, headers: &'a [Header]) -> Self {
        let mut head = Self::default();
        let mut authority = HeaderValue::Absent;
        for (name, value) in headers {
            // Without a way out of the loop, so that many bytes are looked at at once.
            head.has_line_break |= value.iter().fold(false, |found, byte| {
                found | matches!(byte, b'\r' | b'\n' | 0)
            });
            match name.as_str() {
                ":method" => head.method.meet(value),
                ":path" => head.path.meet(value),
                ":authority" => authority.meet(value),
                "x-request-id" => head.request_id = std::str::from_utf8(value).ok(),
                "content-length" => head.has_body |= value != b"0",
                name if name.starts_with(':') => {}
                name => {
                    head.read_identity(policy, name, value);
                    head.read_split(policy, name, value);
                    head.read_added(policy, name);
                }
            }
        }
        match authority {
            HeaderValue::Once(authority) if policy.routes_by_host => {
                head.host = Host::read(authority);
            }
            _ => {}
        }
        head
    }

    fn read_added(&mut self, policy: &Policy, name: &'a str) {
        let mut added = policy.added_headers.iter();
        if added.any(|known| is_same_header(known, name)) && !self.added.contains(&name) {
            self.added.push(name);
        }
    }

    /// The names of the client's headers that do not go to this backend: the one place that says so.
    pub(super) fn kept_from(&self, backend: &Backend) -> Vec<String> {
        let mut removed = self.remove.clone();
        removed.extend(self.replaced(backend));
        removed
    }

    /// The client's headers that stand where the proxy puts its own for this backend.
    fn replaced(&self, backend: &Backend) -> Vec<String> {
        let is_replaced = |name: &str| {
            let mut added = backend.headers.iter();
            added.any(|header| is_same_header(&header.name, name))
                && !self.remove.iter().any(|removed| removed == name)
        };
        let replaced = self.added.iter().filter(|name| is_replaced(name));
        replaced.map(|name| (*name).to_owned()).collect()
    }

    fn read_identity(&mut self, policy: &'a Policy, name: &str, value: &'a [u8]) {
        let mut claims_identity = is_reserved_header(name)
            || (policy.hides_authorization && is_same_header("authorization", name));
        for known in &policy.identity_headers {
            if !is_same_header(known, name) {
                continue;
            }
            claims_identity = true;
            // A look-alike with an underscore is removed, but says nothing.
            if known != name {
                continue;
            }
            meet(&mut self.identity, known, value);
        }
        if claims_identity && !self.remove.iter().any(|removed| removed == name) {
            self.remove.push(name.to_owned());
        }
    }

    fn read_split(&mut self, policy: &'a Policy, name: &str, value: &'a [u8]) {
        let mut wanted = policy.splits.headers.iter();
        if let Some(known) = wanted.find(|known| known.as_str() == name) {
            meet(&mut self.split, known, value);
        }
    }

    /// What a header says that splits ask for.
    pub(super) fn split_header(&self, name: &str) -> HeaderValue<'a> {
        value_in(&self.split, name)
    }

    /// What an identity header says.
    pub(super) fn identity(&self, name: &str) -> HeaderValue<'a> {
        value_in(&self.identity, name)
    }
}

fn meet<'a>(all: &mut Vec<(&'a str, HeaderValue<'a>)>, name: &'a str, value: &'a [u8]) {
    match all.iter_mut().find(|(met, _)| *met == name) {
        Some((_, met)) => met.meet(value),
        None => all.push((name, HeaderValue::Once(value))),
    }
}

fn value_in<'a>(all: &[(&'a str, HeaderValue<'a>)], name: &str) -> HeaderValue<'a> {
    let met = all.iter().find(|(known, _)| *known == name);
    met.map(|(_, value)| *value).unwrap_or_default()
}

impl<'a> HeaderValue<'a> {
    fn meet(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }
}
