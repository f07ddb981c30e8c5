//! Answers to the filter's own gRPC requests, read as Envoy's client reads them
//! (`source/common/grpc/async_client_impl.cc`, `source/extensions/common/wasm/context.cc`).

use std::time::Duration;

use bytes::Bytes;

use super::Worker;
use super::streams::UpstreamFailure;
use crate::effect::{CalloutToken, Effect};
use crate::grpc::{Status, message_of, status_of_http};
use crate::host::{CurrentGrpc, GrpcEnd, GrpcKind, PendingGrpc};
use crate::http::Headers;

/// A part of the answer to a gRPC request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcPart {
    /// The headers, `:status` among them, and whether nothing comes behind them.
    Headers(Headers, bool),
    /// Some of the body, cut anywhere, and whether it is the last.
    Data(Bytes, bool),
    /// The trailers.
    Trailers(Headers),
    /// None, or no more.
    Failed(UpstreamFailure),
}

impl Worker {
    /// Hands a part of an answer to the filter: `on_grpc_receive` and its kin on its root context. The
    /// filter gets of a call its message alone where all went well, else its status alone.
    pub fn grpc_answered(&mut self, token: CalloutToken, part: GrpcPart) {
        let token = token.0;
        let profile = self.proxy().config().profile;
        let Some(pending) = self.open_grpc(token) else {
            return;
        };
        let begun = pending.begun;
        match part {
            GrpcPart::Headers(headers, end) => {
                pending.begun = true;
                "via_upstream".clone_into(&mut pending.details);
                self.grpc_headers(token, headers, end);
            }
            GrpcPart::Data(data, end) => self.grpc_data(token, &data, end),
            GrpcPart::Trailers(trailers) => self.grpc_ends(token, trailers),
            GrpcPart::Failed(failure) if begun => {
                pending.details = failure.details_after_start();
                self.grpc_breaks(token, Status::INTERNAL, true);
            }
            // The router's own answer, which is an answer of gRPC.
            GrpcPart::Failed(failure) => {
                let reply = failure.reply(503, profile);
                pending.details.clone_from(&reply.details);
                let (headers, _) = reply.into_message(true);
                self.grpc_headers(token, headers, true);
            }
        }
    }

    pub(super) fn time_out_grpc(&mut self, now: Duration) {
        for token in self.host().grpc.late(now) {
            let token = CalloutToken(token);
            self.host().effects.push_back(Effect::CancelCallout(token));
            self.grpc_answered(token, GrpcPart::Failed(UpstreamFailure::Timeout));
        }
    }

    /// A request whose answer has not ended.
    fn open_grpc(&mut self, token: u32) -> Option<&mut PendingGrpc> {
        self.host().grpc.open(token)
    }

    fn grpc_headers(&mut self, token: u32, headers: Headers, end: bool) {
        let status = headers.status();
        let ok = status == Some(200);
        if self.is_grpc_stream(token) {
            let shown = if ok && !end {
                headers.clone()
            } else {
                Headers::new()
            };
            self.grpc_metadata(token, CurrentGrpc::InitialMetadata(shown));
        }
        if end && (ok || Status::of(&headers).is_some()) {
            return self.grpc_ends(token, headers);
        }
        if !ok {
            self.grpc_breaks(token, status_of_http(status.unwrap_or(0)), end);
        }
    }

    fn grpc_data(&mut self, token: u32, data: &[u8], end: bool) {
        let Some(pending) = self.open_grpc(token) else {
            return;
        };
        let Ok(frames) = pending.decoder.decode(data) else {
            return self.grpc_breaks(token, Status::INTERNAL, end);
        };
        for frame in frames {
            let Some(pending) = self.open_grpc(token) else {
                return;
            };
            if frame.compressed && !frame.message.is_empty() {
                return self.grpc_breaks(token, Status::INTERNAL, end);
            }
            match &mut pending.kind {
                GrpcKind::Call(last) => *last = Some(frame.message),
                GrpcKind::Stream { .. } => {
                    let root = pending.root;
                    self.grpc_message(root, token, frame.message);
                }
            }
        }
        if end {
            // Without trailers there is no status.
            self.grpc_breaks(token, Status::UNKNOWN, true);
        }
    }

    /// The answer ends with these trailers.
    fn grpc_ends(&mut self, token: u32, trailers: Headers) {
        let end = GrpcEnd {
            status: Status::of(&trailers).unwrap_or(Status::UNKNOWN),
            message: message_of(&trailers),
        };
        self.grpc_close(token, trailers, end, true);
    }

    /// The answer ends as none should; `over` where nothing more of it can come.
    fn grpc_breaks(&mut self, token: u32, status: Status, over: bool) {
        let end = GrpcEnd {
            status,
            message: String::new(),
        };
        self.grpc_close(token, Headers::new(), end, over);
    }

    fn grpc_close(&mut self, token: u32, trailers: Headers, mut end: GrpcEnd, over: bool) {
        if self.is_grpc_stream(token) {
            self.grpc_metadata(token, CurrentGrpc::TrailingMetadata(trailers));
        }
        let Some(pending) = self.open_grpc(token) else {
            return;
        };
        pending.remote_closed = true;
        // Envoy adds why the response is what it is (`response.code_details`).
        end.message = match &*end.message {
            "" => std::mem::take(&mut pending.details),
            message => format!("{message}{{{}}}", pending.details),
        };
        let root = pending.root;
        let cancelled = !(over && pending.request_ended);
        let message = match &mut pending.kind {
            GrpcKind::Call(message) => Some(message.take()),
            GrpcKind::Stream { .. } => None,
        };
        if cancelled {
            let token = CalloutToken(token);
            self.host().effects.push_back(Effect::CancelCallout(token));
        }
        match message {
            Some(Some(message)) if end.status == Status::OK => {
                self.grpc_message(root, token, message);
            }
            // All is well, but there is no message.
            Some(None) if end.status == Status::OK => {
                let end = GrpcEnd {
                    status: Status::INTERNAL,
                    message: String::new(),
                };
                self.grpc_closed(root, token, end);
            }
            _ => self.grpc_closed(root, token, end),
        }
        // A call is over; a stream stays until the filter has closed it too.
        let forgotten = |pending: &PendingGrpc| match pending.kind {
            GrpcKind::Call(_) => true,
            GrpcKind::Stream { local_closed } => local_closed,
        };
        if self.host().grpc.get(token).is_some_and(forgotten) {
            self.host().grpc.remove(token);
        }
    }

    fn is_grpc_stream(&mut self, token: u32) -> bool {
        self.open_grpc(token)
            .is_some_and(|pending| matches!(pending.kind, GrpcKind::Stream { .. }))
    }

    fn grpc_metadata(&mut self, token: u32, metadata: CurrentGrpc) {
        let Some(root) = self.open_grpc(token).map(|pending| pending.root) else {
            return;
        };
        let (name, export, count) = match &metadata {
            CurrentGrpc::TrailingMetadata(map) => (
                "proxy_on_grpc_receive_trailing_metadata",
                &self.guest.exports().on_grpc_receive_trailing_metadata,
                map.len(),
            ),
            CurrentGrpc::InitialMetadata(map) => (
                "proxy_on_grpc_receive_initial_metadata",
                &self.guest.exports().on_grpc_receive_initial_metadata,
                map.len(),
            ),
            CurrentGrpc::Message(_) => return,
        };
        let export = export.clone();
        self.host().grpc.show(root, metadata);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.guest.call(name, root, export, (root, token, count));
        self.host().grpc.hide();
        self.run_actions();
    }

    fn grpc_message(&mut self, root: u32, token: u32, message: Bytes) {
        let size = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let current = CurrentGrpc::Message(message);
        self.host().grpc.show(root, current);
        let export = self.guest.exports().on_grpc_receive.clone();
        self.guest
            .call("proxy_on_grpc_receive", root, export, (root, token, size));
        self.host().grpc.hide();
        self.run_actions();
    }

    pub(super) fn grpc_closed(&mut self, root: u32, token: u32, end: GrpcEnd) {
        let export = self.guest.exports().on_grpc_close.clone();
        let Some(context) = self
            .host()
            .contexts
            .root_mut(root)
            .filter(|_| export.is_some())
        else {
            return;
        };
        let status = end.status.0;
        context.status_code = status;
        context.status_message = end.message;
        self.guest
            .call("proxy_on_grpc_close", root, export, (root, token, status));
        if let Some(context) = self.host().contexts.root_mut(root) {
            context.status_message.clear();
        }
        self.run_actions();
    }
}
