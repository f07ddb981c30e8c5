//! What a worker wants done, or wants known: it does no I/O of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::http::{Body, Headers};

/// A root context: one plugin with one configuration in one VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub(crate) u32);

/// An HTTP stream, a request with its response, in one VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub(crate) u32);

/// The number that names a callout of one VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CalloutToken(pub(crate) u32);

impl CalloutToken {
    /// The number that the filter knows it by.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The two halves of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

/// Where in a half of a stream something stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// At the headers.
    Headers,
    /// In the body.
    Body,
    /// At the trailers.
    Trailers,
}

/// The levels of a log line, as the ABI numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// 0
    Trace,
    /// 1
    Debug,
    /// 2
    Info,
    /// 3
    Warn,
    /// 4
    Error,
    /// 5
    Critical,
}

impl LogLevel {
    pub(crate) const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Critical,
    ];

    /// The level's word in a log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request that the filter sends on its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// To be named in the answer.
    pub token: CalloutToken,
    /// The cluster that it goes to; it exists.
    pub cluster: String,
    /// `:method`, `:path` and `:authority` are there.
    pub headers: Headers,
    /// The whole body.
    pub body: Body,
    /// Empty where there are none.
    pub trailers: Headers,
    /// The worker answers with 504 itself when this time is over; `None` waits for ever.
    pub timeout: Option<Duration>,
}

/// A gRPC call or stream of the filter's own, over HTTP/2. Its messages come as [`Effect::GrpcData`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcCallout {
    /// To be named with each part of the answer.
    pub token: CalloutToken,
    /// The cluster that it goes to; it exists.
    pub cluster: String,
    /// `:method`, `:path` and `:authority` are there.
    pub headers: Headers,
    /// The worker ends it itself when this time is over; `None` waits for ever.
    pub timeout: Option<Duration>,
}

/// What became of a stream, reported when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// The request's headers as they were at the end; empty where none came.
    pub request_headers: Headers,
    /// The path as the client sent it.
    pub original_path: Vec<u8>,
    /// The status that went to the client; `None` where none did.
    pub status: Option<u16>,
    /// Why the response is what it is, in Envoy's words (`response.code_details`).
    pub code_details: String,
    /// The cluster that the request was sent to.
    pub cluster: Option<String>,
    /// Whether the response came from an upstream.
    pub from_upstream: bool,
    /// The bytes of the request's body that came.
    pub request_bytes: u64,
    /// The bytes of the response's body that went to the client.
    pub response_bytes: u64,
    /// Envoy's response flags, as bits (`response.flags`).
    pub flags: u64,
    /// From the request's headers to the end.
    pub duration: Duration,
    /// What the filter left with `proxy_set_property`, by Envoy's name for it: `wasm.` and the
    /// filter's.
    pub filter_state: BTreeMap<Vec<u8>, Bytes>,
}

/// One thing that a stream wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEffect {
    /// Send a request to this cluster, which exists.
    UpstreamHeaders {
        /// The cluster's name.
        cluster: String,
        /// The headers as the filter left them.
        headers: Headers,
        /// Whether neither body nor trailers follow.
        end_stream: bool,
    },
    /// Send this much of the request's body on.
    UpstreamData {
        /// May be empty where it ends the stream.
        data: Body,
        /// Whether it is the last.
        end_stream: bool,
    },
    /// Send the request's trailers on; they end the stream.
    UpstreamTrailers {
        /// At least one.
        trailers: Headers,
    },
    /// Send the response's headers to the client.
    DownstreamHeaders {
        /// `:status` is there.
        headers: Headers,
        /// Whether neither body nor trailers follow.
        end_stream: bool,
        /// The request has not ended: an HTTP/1 connection cannot be used again.
        request_unfinished: bool,
    },
    /// Send this much of the response's body to the client.
    DownstreamData {
        /// May be empty where it ends the stream.
        data: Body,
        /// Whether it is the last.
        end_stream: bool,
    },
    /// Send the response's trailers to the client; they end the stream.
    DownstreamTrailers {
        /// At least one.
        trailers: Headers,
    },
    /// Close the stream towards the client without an orderly end.
    DownstreamReset,
    /// The filter holds this half of the stream. For the driver this changes nothing.
    Paused {
        /// Which half.
        direction: Direction,
        /// Where.
        at: Part,
    },
    /// The filter lets a half go on that it held.
    Resumed {
        /// Which half.
        direction: Direction,
    },
    /// What is held is over the limit: read no more of this half until it is resumed.
    StopReading {
        /// Which half.
        direction: Direction,
    },
    /// Read this half again.
    ResumeReading {
        /// Which half.
        direction: Direction,
    },
    /// The stream is over and forgotten; an upstream request that has not ended is to be cancelled.
    Ended {
        /// What became of it.
        summary: Box<StreamSummary>,
    },
}

/// One thing that a worker wants done, or wants known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Of one stream.
    Stream(StreamId, StreamEffect),
    /// Send this request and give its answer to [`Worker::callout_answered`](crate::Worker::callout_answered).
    Callout(Box<Callout>),
    /// Begin this request, and give the parts of its answer to
    /// [`Worker::grpc_answered`](crate::Worker::grpc_answered).
    GrpcCallout(Box<GrpcCallout>),
    /// Send this much of a gRPC request that has begun: frames, as they go over the wire.
    GrpcData {
        /// Which request.
        token: CalloutToken,
        /// May be empty where it ends the request.
        data: Bytes,
        /// Whether it is the last.
        end_stream: bool,
    },
    /// Nobody waits for this callout, or gRPC request, any more.
    CancelCallout(CalloutToken),
    /// The filter, or the host on its behalf, wrote a line.
    Log(LogLevel, String),
    /// The filter was called, or called; only where [`VmConfig::trace`](crate::VmConfig) asks for it.
    Crossing(Crossing),
}

/// One step over the border between host and guest. Arguments are as the ABI has them: numbers,
/// addresses among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// The host calls an export of the guest.
    Called {
        /// The export.
        callback: &'static str,
        /// The context that it is called for.
        context: u32,
        /// The arguments, as Rust shows them.
        arguments: String,
    },
    /// The export has returned, or failed.
    Returned {
        /// The export.
        callback: &'static str,
        /// What it returned, as Rust shows it; `None` where it failed.
        result: Option<String>,
        /// What the call used, where the budget is in fuel.
        fuel: Option<u64>,
    },
    /// The guest has called the host. What the call brought about stands before it.
    Hostcall {
        /// The import.
        name: &'static str,
        /// The arguments.
        arguments: Vec<String>,
        /// The ABI's status, or the errno of WASI; `None` where the guest failed meanwhile.
        status: Option<u32>,
    },
}
