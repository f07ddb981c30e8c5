//! Stream contexts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::half::Half;
use super::info::StreamInfo;
use crate::effect::Direction;
use crate::http::Headers;
use crate::local_reply::LocalReply;
use crate::property::Value;
use crate::proxy::{ProxyConfig, Route};

/// The client's protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2
    Http2,
}

impl Protocol {
    /// As `request.protocol` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// The certificate that a client showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Its subject, as in RFC 2253.
    pub subject: String,
    /// Its URI names.
    pub uri_sans: Vec<String>,
    /// Its DNS names.
    pub dns_sans: Vec<String>,
    /// Its SHA-256, in hexadecimal.
    pub sha256_digest: String,
}

/// The TLS of a client's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: String,
    /// The name that the client requested.
    pub requested_server_name: String,
    /// Where the client showed one.
    pub peer: Option<PeerCertificate>,
}

/// What is known of the client and its connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Downstream {
    /// `connection.id`
    pub connection_id: u64,
    /// `source.address`
    pub source: SocketAddr,
    /// `destination.address`
    pub local: SocketAddr,
    /// `request.protocol`
    pub protocol: Protocol,
    /// None for plain text.
    pub tls: Option<Tls>,
    /// `metadata.filter_metadata`: what other filters left, by their names.
    pub metadata: Vec<(String, Value)>,
}

impl Default for Downstream {
    fn default() -> Self {
        Self {
            connection_id: 0,
            source: SocketAddr::from(([127, 0, 0, 1], 40000)),
            local: SocketAddr::from(([127, 0, 0, 1], 8080)),
            protocol: Protocol::Http11,
            tls: None,
            metadata: Vec::new(),
        }
    }
}

/// A stream of a VM.
#[derive(Debug)]
pub(crate) struct Stream {
    pub root: u32,
    pub downstream: Downstream,
    pub request: Half,
    pub response: Half,
    pub info: StreamInfo,
    /// Whether the VM has created this context.
    pub created: bool,
    /// The cluster that the route gave last; outer `None` until it is requested again.
    pub route: Option<Option<String>>,
    /// A reply made while a request callback ran, to be sent when it has returned.
    pub prepared: Option<LocalReply>,
    /// The VM's failure was answered: no callback about this stream runs any more.
    pub failed: bool,
    /// It began when its VM had failed already, and passes for that.
    pub unfiltered: bool,
    /// `on_log` runs: maps are those of the access log.
    pub log_phase: bool,
    /// The response's headers went to the client.
    pub response_started: bool,
    /// The stream is being taken down; nothing that the filter says changes it.
    pub finishing: bool,
    pub filter_state: BTreeMap<Vec<u8>, Bytes>,
}

impl Stream {
    pub(crate) fn new(root: u32, downstream: Downstream, info: StreamInfo) -> Self {
        Self {
            root,
            downstream,
            info,
            request: Half::default(),
            response: Half::default(),
            created: false,
            route: None,
            prepared: None,
            failed: false,
            unfiltered: false,
            log_phase: false,
            response_started: false,
            finishing: false,
            filter_state: BTreeMap::new(),
        }
    }

    pub(crate) const fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        let headers = self.request.headers.as_ref();
        headers
            .and_then(|h| h.get(":method"))
            .is_some_and(|m| m == "HEAD")
    }

    /// The cluster that the proxy's one route gives, where it matches; a name that the request does
    /// not give is empty.
    pub(crate) fn cluster(&self, config: &ProxyConfig) -> Option<String> {
        if let Some(known) = &self.route {
            return known.clone();
        }
        let path = self.request.headers.as_ref().and_then(|h| h.get(":path"));
        match &config.route {
            // No route matches a request without a path.
            _ if path.is_none() => None,
            Route::None => None,
            Route::Cluster(name) => Some(name.clone()),
            Route::ClusterHeader(header) => {
                let value = self.request.headers.as_ref().and_then(|h| h.get(header));
                Some(value.map_or_else(String::new, |v| String::from_utf8_lossy(v).into_owned()))
            }
        }
    }

    /// A value that the filter set with `set_property`.
    pub(crate) fn state(&self, key: &str) -> Option<Value> {
        let value = self.filter_state.get(key.as_bytes())?;
        Some(Value::Bytes(value.to_vec()))
    }

    pub(crate) fn readable_request_headers(&self) -> Option<&Headers> {
        let readable = self.log_phase || self.request.headers_visible;
        self.request.headers.as_ref().filter(|_| readable)
    }

    pub(crate) fn readable_response_headers(&self) -> Option<&Headers> {
        let readable = self.log_phase || self.response.headers_visible;
        self.response.headers.as_ref().filter(|_| readable)
    }

    pub(crate) fn readable_response_trailers(&self) -> Option<&Headers> {
        let readable = self.log_phase || self.response.trailers_visible;
        self.response.trailers.as_ref().filter(|_| readable)
    }
}
