//! The gRPC hostcalls. They act for the root context, as those of HTTP callouts do.

use std::time::Duration;

use bytes::Bytes;

use super::call::{Call, Outcome};
use crate::effect::{CalloutToken, Effect, GrpcCallout};
use crate::grpc::{self, Service, Unusable};
use crate::host::{Action, GrpcEnd, GrpcKind, Host, PendingGrpc};
use crate::http::Headers;
use crate::memory::{GuestSlice, parse_pairs};
use crate::types::Status;

/// Tokens of calls are 1 and of streams 2 in their two lowest bits.
const KIND: u32 = 3;
const CALL: u32 = 1;
const STREAM: u32 = 2;

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn call(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    message: u32,
    message_size: u32,
    timeout_ms: u32,
    to: u32,
) -> Outcome {
    let message = call.copy(GuestSlice::new(message, message_size))?;
    let request = Request::read(
        call,
        GuestSlice::new(service, service_size),
        GuestSlice::new(name, name_size),
        GuestSlice::new(method, method_size),
        GuestSlice::new(metadata, metadata_size),
    )?;
    let timeout = Duration::from_millis(timeout_ms.into());
    let token = request.start(call.host(), Some(timeout), Some(&message))?;
    // As in Envoy, what cannot be determined has begun all the same.
    call.write(to, token)
}

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn stream(
    call: &mut Call<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    to: u32,
) -> Outcome {
    let request = Request::read(
        call,
        GuestSlice::new(service, service_size),
        GuestSlice::new(name, name_size),
        GuestSlice::new(method, method_size),
        GuestSlice::new(metadata, metadata_size),
    )?;
    let token = request.start(call.host(), None, None)?;
    call.write(to, token)
}

/// What the filter requests, and of which service.
struct Request {
    service: Bytes,
    name: Bytes,
    method: Bytes,
    metadata: Headers,
}

impl Request {
    fn read(
        call: &mut Call<'_>,
        service: GuestSlice,
        name: GuestSlice,
        method: GuestSlice,
        metadata: GuestSlice,
    ) -> Result<Self, Status> {
        let metadata = call.copy(metadata)?;
        let pairs = parse_pairs(&metadata).into_iter();
        let pairs = pairs.map(|(n, v)| (metadata.slice_ref(n), metadata.slice_ref(v)));
        Ok(Self {
            service: call.copy(service)?,
            name: call.copy(name)?,
            method: call.copy(method)?,
            metadata: Headers::from_pairs(pairs),
        })
    }

    /// The token of the request, which has begun; with its only `message` it has also ended.
    fn start(
        self,
        host: &mut Host,
        timeout: Option<Duration>,
        message: Option<&[u8]>,
    ) -> Result<u32, Status> {
        let proxy = host.proxy.clone();
        let service = Service::read(&self.service, |name| proxy.has_cluster(name));
        let service = service.map_err(|unusable| match unusable {
            Unusable::NoCluster => Status::ParseFailure,
            // Envoy itself ends here.
            Unusable::NoTarget => Status::BadArgument,
        })?;
        let kind = match message {
            Some(_) => GrpcKind::Call(None),
            None => GrpcKind::Stream {
                local_closed: false,
            },
        };
        let token = host.grpc.next_token(&kind);
        let root = host.contexts.acting_root();
        if !proxy.has_cluster(&service.cluster) {
            let end = GrpcEnd {
                status: grpc::Status::UNAVAILABLE,
                message: "Cluster not available".to_owned(),
            };
            host.actions.push(Action::GrpcClosed(root, token, end));
            return Err(Status::InternalFailure);
        }
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let (name, method) = (text(&self.name), text(&self.method));
        let mut headers = grpc::request_headers(&service, &name, &method, &self.metadata, timeout);
        // What Envoy's router adds to a request that comes from inside. No time means for ever.
        headers.set("x-envoy-internal", "true");
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        if let Some(timeout) = timeout {
            let expected = timeout.as_millis().to_string();
            headers.set("x-envoy-expected-rq-timeout-ms", expected);
        }
        let pending = PendingGrpc {
            root,
            kind,
            deadline: timeout.map(|timeout| proxy.now() + timeout),
            request_ended: false,
            begun: false,
            remote_closed: false,
            details: String::new(),
            decoder: grpc::Decoder::default(),
        };
        host.grpc.insert(token, pending);
        host.effects
            .push_back(Effect::GrpcCallout(Box::new(GrpcCallout {
                token: CalloutToken(token),
                cluster: service.cluster,
                headers,
                timeout,
            })));
        if let Some(message) = message {
            host.send_grpc(token, grpc::frame(message), true);
        }
        Ok(token)
    }
}

pub(super) fn send(
    call: &mut Call<'_>,
    token: u32,
    message: u32,
    size: u32,
    end_stream: u32,
) -> Outcome {
    let message = call.copy(GuestSlice::new(message, size))?;
    if token & KIND != STREAM {
        return Err(Status::BadArgument.into());
    }
    let host = call.host();
    if host.grpc.get(token).is_none() {
        return Err(Status::NotFound.into());
    }
    host.send_grpc(token, grpc::frame(&message), end_stream != 0);
    Ok(())
}

pub(super) fn cancel(call: &mut Call<'_>, token: u32) -> Outcome {
    if !matches!(token & KIND, CALL | STREAM) {
        return Err(Status::BadArgument.into());
    }
    if !call.host().drop_grpc(token) {
        return Err(Status::NotFound.into());
    }
    Ok(())
}

/// Ends the filter's side of a stream; of a call there is nothing more to end, so it is cancelled.
pub(super) fn close(call: &mut Call<'_>, token: u32) -> Outcome {
    if token & KIND != STREAM {
        return cancel(call, token);
    }
    let host = call.host();
    if host.grpc.get(token).is_none() {
        return Err(Status::NotFound.into());
    }
    host.send_grpc(token, Bytes::new(), true);
    if host.grpc.open(token).is_none() {
        host.drop_grpc(token);
    } else if let Some(pending) = host.grpc.get_mut(token) {
        pending.kind = GrpcKind::Stream { local_closed: true };
    }
    Ok(())
}

impl Host {
    /// Sends more of a request, unless it has ended, or its answer has.
    fn send_grpc(&mut self, token: u32, data: Bytes, end_stream: bool) {
        let pending = self.grpc.open(token);
        let Some(pending) = pending.filter(|pending| !pending.request_ended) else {
            return;
        };
        pending.request_ended = end_stream;
        self.effects.push_back(Effect::GrpcData {
            token: CalloutToken(token),
            data,
            end_stream,
        });
    }

    /// Forgets a request, and cancels it where its answer has not ended; whether there was one.
    pub(crate) fn drop_grpc(&mut self, token: u32) -> bool {
        let Some(pending) = self.grpc.remove(token) else {
            return false;
        };
        if !pending.remote_closed {
            self.effects
                .push_back(Effect::CancelCallout(CalloutToken(token)));
        }
        true
    }
}

/// How the last gRPC request of the root context ended, and, in its callback, what was said of it.
pub(super) fn get_status(call: &mut Call<'_>, to_code: u32, to: u32, to_size: u32) -> Outcome {
    let host = call.host();
    let root = host.contexts.acting_root();
    let (code, message) = host.contexts.root(root).map_or((0, String::new()), |root| {
        (root.status_code, root.status_message.clone())
    });
    call.write(to_code, code)?;
    call.hand_over(message.as_bytes(), to, to_size)
}
