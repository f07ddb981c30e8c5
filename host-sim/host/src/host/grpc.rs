//! The gRPC requests of a VM.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::grpc::{Decoder, Status};
use crate::http::Headers;

/// A gRPC call or stream that the filter can name.
#[derive(Debug)]
pub(crate) struct PendingGrpc {
    pub root: u32,
    pub kind: GrpcKind,
    pub deadline: Option<Duration>,
    /// All of the request is out.
    pub request_ended: bool,
    /// The answer's headers have come.
    pub begun: bool,
    /// The answer has ended.
    pub remote_closed: bool,
    /// Why the answer is what it is, in Envoy's words.
    pub details: String,
    /// Of the answer.
    pub decoder: Decoder,
}

/// What a gRPC request is to the filter.
#[derive(Debug)]
pub(crate) enum GrpcKind {
    /// One message, and one for it: the last that has come.
    Call(Option<Bytes>),
    /// Messages in both directions.
    Stream {
        /// The filter has closed it, and knows it until the answer has ended.
        local_closed: bool,
    },
}

/// How a gRPC request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcEnd {
    pub status: Status,
    pub message: String,
}

/// What a gRPC callback is about; it is there for its root context only.
#[derive(Debug)]
pub(crate) enum CurrentGrpc {
    InitialMetadata(Headers),
    Message(Bytes),
    TrailingMetadata(Headers),
}

/// The gRPC requests of a VM that the filter can name, and what it can read of an answer.
#[derive(Debug)]
pub(crate) struct GrpcRequests {
    pending: BTreeMap<u32, PendingGrpc>,
    last_call: u32,
    last_stream: u32,
    /// With the root context that it is for.
    current: Option<(u32, CurrentGrpc)>,
}

impl Default for GrpcRequests {
    fn default() -> Self {
        Self {
            pending: BTreeMap::new(),
            last_call: 1,
            last_stream: 2,
            current: None,
        }
    }
}

impl GrpcRequests {
    /// The next token of a call, 5, 9, 13, or of a stream, 6, 10, 14.
    pub(crate) const fn next_token(&mut self, kind: &GrpcKind) -> u32 {
        let last = match kind {
            GrpcKind::Call(_) => &mut self.last_call,
            GrpcKind::Stream { .. } => &mut self.last_stream,
        };
        *last = last.wrapping_add(4);
        *last
    }

    pub(crate) fn insert(&mut self, token: u32, request: PendingGrpc) {
        self.pending.insert(token, request);
    }

    pub(crate) fn get(&self, token: u32) -> Option<&PendingGrpc> {
        self.pending.get(&token)
    }

    pub(crate) fn get_mut(&mut self, token: u32) -> Option<&mut PendingGrpc> {
        self.pending.get_mut(&token)
    }

    /// One whose answer has not ended.
    pub(crate) fn open(&mut self, token: u32) -> Option<&mut PendingGrpc> {
        self.get_mut(token).filter(|pending| !pending.remote_closed)
    }

    pub(crate) fn remove(&mut self, token: u32) -> Option<PendingGrpc> {
        self.pending.remove(&token)
    }

    /// The tokens of a root context's requests.
    pub(crate) fn of_root(&self, root: u32) -> impl Iterator<Item = u32> {
        let pending = self.pending.iter();
        let of_root = pending.filter(move |(_, pending)| pending.root == root);
        of_root.map(|(token, _)| *token)
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.pending.values().filter_map(|one| one.deadline).min()
    }

    /// Those whose answers should have ended by now, as they were begun.
    pub(crate) fn late(&self, now: Duration) -> Vec<u32> {
        let open = self.pending.iter().filter(|(_, one)| !one.remote_closed);
        let late = open.filter(|(_, one)| one.deadline.is_some_and(|deadline| deadline <= now));
        late.map(|(token, _)| *token).collect()
    }

    /// What this root context can read from now on.
    pub(crate) fn show(&mut self, root: u32, current: CurrentGrpc) {
        self.current = Some((root, current));
    }

    /// Nobody can read anything any more.
    pub(crate) fn hide(&mut self) {
        self.current = None;
    }

    /// What this root context can read.
    pub(crate) fn shown_to(&self, root: u32) -> Option<&CurrentGrpc> {
        let (of, current) = self.current.as_ref()?;
        (*of == root).then_some(current)
    }
}
