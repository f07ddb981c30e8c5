//! The filter's own requests.

use std::rc::Rc;

use bytes::Bytes;
use envoy_wasm_host::{Callout, CalloutAnswer, UpstreamFailure, http::Body};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::channel::{ChannelBody, Sender};
use super::convert;
use super::upstream::{Upstreams, body_failure};

/// An answer is not longer than this, whatever a server sends.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// Sends a callout and collects its answer; says when that has `begun`. The worker keeps the time.
pub(super) fn send(
    upstreams: &Rc<Upstreams>,
    callout: Callout,
    begun: impl FnOnce() + 'static,
) -> impl Future<Output = CalloutAnswer> + 'static {
    let empty = callout.body.is_empty() && callout.trailers.is_empty();
    let (sender, body) = if empty {
        (None, ChannelBody::empty())
    } else {
        let (sender, body) = ChannelBody::new();
        (Some(sender), body)
    };
    let response = upstreams.send(&callout.cluster, &callout.headers, body);
    async move {
        let Ok(response) = response else {
            return CalloutAnswer::Failed(UpstreamFailure::Protocol);
        };
        let (response, ()) = tokio::join!(response, feed(sender, callout));
        let response = match response {
            Ok(answer) => answer.response,
            Err(failure) => return CalloutAnswer::Failed(failure),
        };
        let headers = convert::response_headers(&response);
        begun();
        match collect(response.into_body()).await {
            Ok((body, trailers)) => CalloutAnswer::Response {
                headers,
                body,
                trailers,
            },
            Err(_) => CalloutAnswer::BrokenOff,
        }
    }
}

async fn feed(sender: Option<Sender>, callout: Callout) {
    let Some(sender) = sender else {
        return;
    };
    for chunk in callout.body.into_chunks() {
        if sender
            .send(Ok(http_body::Frame::data(chunk)))
            .await
            .is_err()
        {
            return;
        }
    }
    if let Ok(trailers) = convert::header_map(&callout.trailers)
        && !trailers.is_empty()
    {
        // Nobody wants them where the answer has come already.
        _ = sender.send(Ok(http_body::Frame::trailers(trailers))).await;
    }
}

async fn collect(
    mut incoming: Incoming,
) -> Result<(Body, Option<envoy_wasm_host::http::Headers>), UpstreamFailure> {
    let mut body = Body::new();
    let mut trailers = None;
    while !incoming.is_end_stream() {
        let Some(frame) = incoming.frame().await else {
            break;
        };
        match frame.map_err(|error| body_failure(&error))?.into_data() {
            Ok(data) => push(&mut body, data)?,
            Err(frame) => trailers = frame.trailers_ref().map(convert::trailers),
        }
    }
    Ok((body, trailers))
}

fn push(body: &mut Body, data: Bytes) -> Result<(), UpstreamFailure> {
    if body.len().saturating_add(data.len()) > LONGEST_ANSWER {
        return Err(UpstreamFailure::ConnectionTermination);
    }
    body.push(data);
    Ok(())
}
