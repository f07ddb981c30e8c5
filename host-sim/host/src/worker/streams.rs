//! The events of streams.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Worker;
use crate::context::{Downstream, Flags, Stream, StreamInfo};
use crate::effect::{Direction, RootId, StreamEffect, StreamId};
use crate::host::VM_CONTEXT;
use crate::http::{Body, Headers};
use crate::local_reply::LocalReply;
use crate::profile::Profile;
use crate::property::Value;

/// Why an upstream gives no answer, or no whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No connection could be made; why, in a few words, for the log only.
    Connect(String),
    /// The connection ended.
    ConnectionTermination,
    /// The upstream reset the request.
    RemoteReset,
    /// What it sent is not HTTP.
    Protocol,
    /// It took too long.
    Timeout,
}

impl UpstreamFailure {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "remote connection failure",
            Self::ConnectionTermination => "connection termination",
            Self::RemoteReset => "remote reset",
            Self::Protocol => "protocol error",
            Self::Timeout => "timeout",
        }
    }

    const fn flag(&self) -> Flags {
        match self {
            Self::Connect(_) => Flags::UPSTREAM_CONNECTION_FAILURE,
            Self::ConnectionTermination => Flags::UPSTREAM_CONNECTION_TERMINATION,
            Self::RemoteReset => Flags::UPSTREAM_REMOTE_RESET,
            Self::Protocol => Flags::UPSTREAM_PROTOCOL_ERROR,
            Self::Timeout => Flags::UPSTREAM_TIMEOUT,
        }
    }

    /// Envoy's details of a response that had begun.
    pub(super) fn details_after_start(&self) -> String {
        if *self == Self::Timeout {
            return "response_timeout".to_owned();
        }
        let reason = self.reason().replace(' ', "_");
        format!("upstream_reset_after_response_started{{{reason}}}")
    }

    /// The reply that Envoy's router makes of it, where no response has begun.
    pub(super) fn reply(&self, unreachable_status: u16, profile: Profile) -> LocalReply {
        if *self == Self::Timeout {
            return LocalReply::new(504, "upstream request timeout", "response_timeout");
        }
        let reason = self.reason();
        let mut text = format!(
            "upstream connect error or disconnect/reset before headers. reset reason: {reason}"
        );
        if let Self::Connect(transport) = self
            && profile.tells_transport_failures()
            && !transport.is_empty()
        {
            text = format!("{text}, transport failure reason: {transport}");
        }
        let status = match self {
            Self::Protocol => 502,
            _ => unreachable_status,
        };
        let transport = match self {
            Self::Connect(transport) if !transport.is_empty() => format!("|{transport}"),
            _ => String::new(),
        };
        let details = format!("upstream_reset_before_response_started{{{reason}{transport}}}");
        let details = details.replace(char::is_whitespace, "_");
        LocalReply::new(status, text, &details)
    }
}

impl Worker {
    /// A stream for this plugin; the VM hears of it with its headers.
    pub fn create_stream(&mut self, root: RootId, downstream: Downstream) -> StreamId {
        let proxy = self.proxy();
        let info = StreamInfo {
            start: proxy.now(),
            start_wall: proxy.config().clock.wall(),
            ..StreamInfo::default()
        };
        let mut stream = Stream::new(root.0, downstream, info);
        stream.unfiltered = self.passes_unfiltered();
        StreamId(self.host().contexts.add_stream(stream))
    }

    /// A stream that no filter sees: Envoy makes such ones where a worker's VM has not taken the
    /// configuration, whatever the policy for failures (seen on 1.40).
    pub fn create_unfiltered_stream(&mut self, downstream: Downstream) -> StreamId {
        let stream = self.create_stream(RootId(VM_CONTEXT), downstream);
        if let Some(stream) = self.live(stream.0) {
            stream.unfiltered = true;
        }
        stream
    }

    /// The request's headers have come. Pseudo-headers are among them.
    pub fn request_headers(&mut self, stream: StreamId, headers: Headers, end_stream: bool) {
        let id = stream.0;
        let Some(stream) = self.live(id).filter(|s| s.request.headers.is_none()) else {
            return;
        };
        let path = headers.get(":path").cloned().unwrap_or_default();
        stream.info.original_path = path.to_vec();
        stream.request.headers = Some(headers);
        stream.request.complete = end_stream;
        if path.contains(&b'#') {
            // Envoy refuses it before any filter sees it.
            stream.info.flags.set(Flags::DOWNSTREAM_PROTOCOL_ERROR);
            let reply = LocalReply::new(400, "", "path_normalization_failed");
            return self.send_direct(id, reply);
        }
        self.create_in_vm(id);
        self.filter_headers(id, Direction::Request, end_stream);
    }

    /// A part of the request's body has come; an empty one is of use only where it is the last.
    pub fn request_body(&mut self, stream: StreamId, data: Bytes, end_stream: bool) {
        let Some(live) = self.live(stream.0) else {
            return;
        };
        live.info.request_bytes += data.len() as u64;
        if !accepts(live, Direction::Request) || live.response.complete {
            return;
        }
        live.request.complete = end_stream;
        self.filter_data(stream.0, Direction::Request, Body::from(data), end_stream);
    }

    /// The request's trailers have come; they end it.
    pub fn request_trailers(&mut self, stream: StreamId, trailers: Headers) {
        let Some(live) = self.live(stream.0) else {
            return;
        };
        if !accepts(live, Direction::Request) || live.response.complete {
            return;
        }
        live.request.complete = true;
        live.request.trailers = Some(trailers);
        self.filter_trailers(stream.0, Direction::Request);
    }

    /// The address of the upstream that the request was sent to.
    pub fn upstream_address(&mut self, stream: StreamId, address: SocketAddr) {
        if let Some(stream) = self.live(stream.0) {
            stream.info.upstream_address = Some(address);
        }
    }

    /// What the upstream's host says of itself (`xds.upstream_host_metadata`), by namespace, and how many
    /// upstreams were tried before it answered, itself included.
    pub fn upstream_host(
        &mut self,
        stream: StreamId,
        metadata: Vec<(String, Value)>,
        attempts: u64,
    ) {
        if let Some(stream) = self.live(stream.0) {
            stream.info.upstream_metadata = metadata;
            stream.info.upstream_attempts = attempts;
        }
    }

    /// The upstream's headers have come. `:status` is among them.
    pub fn response_headers(&mut self, stream: StreamId, headers: Headers, end_stream: bool) {
        let now = self.proxy().now();
        let Some(live) = self.live(stream.0) else {
            return;
        };
        if live.response.headers.is_some() || live.info.upstream_started.is_none() {
            return;
        }
        live.info.from_upstream = true;
        live.info.code_details = "via_upstream".to_owned();
        live.info.upstream_last_byte = end_stream.then_some(now);
        live.info.status = headers.status();
        live.response.headers = Some(headers);
        live.response.complete = end_stream;
        self.filter_headers(stream.0, Direction::Response, end_stream);
    }

    /// A part of the response's body has come.
    pub fn response_body(&mut self, stream: StreamId, data: Bytes, end_stream: bool) {
        let now = self.proxy().now();
        let Some(live) = self.live(stream.0) else {
            return;
        };
        if !live.info.from_upstream || !accepts(live, Direction::Response) {
            return;
        }
        live.info.upstream_last_byte = end_stream.then_some(now);
        live.response.complete = end_stream;
        self.filter_data(stream.0, Direction::Response, Body::from(data), end_stream);
    }

    /// The response's trailers have come; they end it.
    pub fn response_trailers(&mut self, stream: StreamId, trailers: Headers) {
        let now = self.proxy().now();
        let Some(live) = self.live(stream.0) else {
            return;
        };
        if !live.info.from_upstream || !accepts(live, Direction::Response) {
            return;
        }
        live.info.upstream_last_byte = Some(now);
        live.response.complete = true;
        live.response.trailers = Some(trailers);
        self.filter_trailers(stream.0, Direction::Response);
    }

    /// The upstream gives no answer, or no whole one.
    pub fn upstream_failed(&mut self, stream: StreamId, failure: &UpstreamFailure) {
        let config = self.proxy().config();
        let (unreachable_status, profile) = (config.unreachable_status, config.profile);
        let id = stream.0;
        let Some(stream) = self.live(id) else {
            return;
        };
        if stream.info.upstream_started.is_none() || stream.response.complete {
            return;
        }
        stream.info.flags.set(failure.flag());
        if let UpstreamFailure::Connect(reason) = failure {
            stream.info.transport_failure.clone_from(reason);
        }
        if !stream.response_started {
            let mut reply = failure.reply(unreachable_status, profile);
            if stream.response.headers.is_some() {
                // The filter holds its headers, so the client can still be answered.
                reply.details = failure.details_after_start();
            }
            return self.send_local_reply(id, reply);
        }
        stream.info.code_details = failure.details_after_start();
        self.host().emit(id, StreamEffect::DownstreamReset);
        self.finish(id);
    }

    /// The client has gone.
    pub fn downstream_closed(&mut self, stream: StreamId) {
        let id = stream.0;
        let Some(stream) = self.live(id) else {
            return;
        };
        stream.info.flags.set(Flags::DOWNSTREAM_TERMINATION);
        stream.info.code_details = "downstream_remote_disconnect".to_owned();
        self.finish(id);
    }

    /// Nothing has moved for longer than the idle time-out allows.
    pub fn idle_timeout(&mut self, stream: StreamId) {
        let id = stream.0;
        let Some(stream) = self.live(id) else {
            return;
        };
        stream.info.flags.set(Flags::STREAM_IDLE_TIMEOUT);
        let status = if stream.request.complete { 504 } else { 408 };
        let reply = LocalReply::new(status, "stream timeout", "stream_idle_timeout");
        self.send_local_reply(id, reply);
    }
}

/// Whether a half can take more: it has begun and has not ended.
fn accepts(stream: &mut Stream, direction: Direction) -> bool {
    let half = stream.half(direction);
    half.headers.is_some() && !half.complete
}
