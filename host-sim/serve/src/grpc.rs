//! The filter's own gRPC requests, over HTTP/2.

use std::rc::Rc;

use bytes::Bytes;
use envoy_wasm_host::{GrpcCallout, GrpcPart, UpstreamFailure};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::channel::{ChannelBody, Reset, Sender};
use super::convert;
use super::upstream::{Upstreams, body_failure};

/// A request that has begun.
pub(super) struct GrpcRequest {
    /// What the filter sends of it, and whether it is the last. The filter is not held back.
    parts: mpsc::UnboundedSender<(Bytes, bool)>,
    task: AbortHandle,
}

impl GrpcRequest {
    /// Begins it. Each part of its answer is given to `tell`; behind the last, `ended` is called.
    pub(super) fn begin(
        upstreams: &Rc<Upstreams>,
        callout: GrpcCallout,
        tell: impl Fn(GrpcPart) + 'static,
        ended: impl FnOnce() + 'static,
    ) -> Self {
        let (sender, body) = ChannelBody::new();
        let (parts, incoming) = mpsc::unbounded_channel();
        let upstreams = Rc::clone(upstreams);
        let task = tokio::task::spawn_local(async move {
            let answer = answer(&upstreams, &callout, body, &tell);
            let feed = async {
                feed(sender, incoming).await;
                // The answer ends it.
                std::future::pending::<()>().await;
            };
            let failure = tokio::select! {
                result = answer => result.err(),
                () = feed => None,
            };
            if let Some(failure) = failure {
                tell(GrpcPart::Failed(failure));
            }
            ended();
        });
        Self {
            parts,
            task: task.abort_handle(),
        }
    }

    pub(super) fn send(&self, data: Bytes, end: bool) {
        // One whose answer has ended takes no more.
        _ = self.parts.send((data, end));
    }

    pub(super) fn cancel(&self) {
        self.task.abort();
    }
}

/// Sends what comes, until its end. A request that is given up ends without an end.
async fn feed(sender: Sender, mut parts: mpsc::UnboundedReceiver<(Bytes, bool)>) {
    while let Some((data, end)) = parts.recv().await {
        if !data.is_empty() && sender.send(Ok(Frame::data(data))).await.is_err() {
            return;
        }
        if end {
            return;
        }
    }
    // Nobody reads it where the connection has gone.
    _ = sender.send(Err(Reset)).await;
}

async fn answer(
    upstreams: &Upstreams,
    callout: &GrpcCallout,
    body: ChannelBody,
    tell: &impl Fn(GrpcPart),
) -> Result<(), UpstreamFailure> {
    let response = upstreams.send_http2(&callout.cluster, &callout.headers, body);
    let response = response.map_err(|_| UpstreamFailure::Protocol)?.await?;
    let headers = convert::response_headers(&response);
    let mut incoming = response.into_body();
    let mut ended = incoming.is_end_stream();
    tell(GrpcPart::Headers(headers, ended));
    while !ended {
        let Some(frame) = incoming.frame().await else {
            break;
        };
        ended = incoming.is_end_stream();
        match frame.map_err(|error| body_failure(&error))?.into_data() {
            Ok(data) => tell(GrpcPart::Data(data, ended)),
            Err(frame) => {
                if let Some(trailers) = frame.trailers_ref() {
                    tell(GrpcPart::Trailers(convert::trailers(trailers)));
                }
                return Ok(());
            }
        }
    }
    if !ended {
        tell(GrpcPart::Data(Bytes::new(), true));
    }
    Ok(())
}
