//! What comes in: a request's frames, an upstream's headers and frames.

use std::pin::Pin;

use bytes::Bytes;
use envoy_wasm_host::UpstreamFailure;
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::upstream;

pub(super) type Answer = Result<upstream::Answer, UpstreamFailure>;

/// Where the upstream's half stands.
pub(super) enum Upstream {
    /// Not begun, or done with.
    Idle,
    Waiting(Pin<Box<dyn Future<Output = Answer>>>),
    Answering(Incoming),
}

/// What comes from an upstream next.
pub(super) enum FromUpstream {
    Headers(Answer),
    Frame(Option<Result<Frame<Bytes>, hyper::Error>>),
}

pub(super) async fn answer_of(upstream: &mut Upstream) -> FromUpstream {
    match upstream {
        Upstream::Idle => std::future::pending().await,
        Upstream::Waiting(answer) => FromUpstream::Headers(answer.await),
        Upstream::Answering(body) => FromUpstream::Frame(body.frame().await),
    }
}

pub(super) async fn next_frame(
    body: Option<&mut Incoming>,
) -> Option<Result<Frame<Bytes>, hyper::Error>> {
    match body {
        Some(body) => body.frame().await,
        None => std::future::pending().await,
    }
}
