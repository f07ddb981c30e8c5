//! `proxy_http_call`.

use std::time::Duration;

use super::call::{Call, Outcome};
use crate::effect::{Callout, Effect};
use crate::host::Host;
use crate::http::{Body, Headers};
use crate::memory::{GuestSlice, parse_pairs};
use crate::types::Status;

#[allow(clippy::too_many_arguments)] // the ABI's
pub(super) fn http_call(
    call: &mut Call<'_>,
    cluster: u32,
    cluster_size: u32,
    headers: u32,
    headers_size: u32,
    body: u32,
    body_size: u32,
    trailers: u32,
    trailers_size: u32,
    timeout_ms: u32,
    to: u32,
) -> Outcome {
    let cluster = call.copy(GuestSlice::new(cluster, cluster_size))?;
    let body = call.copy(GuestSlice::new(body, body_size))?;
    let headers = call.copy(GuestSlice::new(headers, headers_size))?;
    let trailers = call.copy(GuestSlice::new(trailers, trailers_size))?;
    // Before anything is sent it must be certain that the token can be handed over.
    call.write(to, 0_u32)?;
    let request = Request {
        cluster: String::from_utf8_lossy(&cluster).into_owned(),
        headers: map_of(&headers),
        body: Body::from(body),
        trailers: map_of(&trailers),
        timeout_ms,
    };
    let token = request.start(call.host())?;
    call.write(to, token)
}

struct Request {
    cluster: String,
    headers: Headers,
    body: Body,
    trailers: Headers,
    timeout_ms: u32,
}

impl Request {
    fn start(mut self, host: &mut Host) -> Result<u32, Status> {
        // The number is a signed one in Envoy.
        if self.timeout_ms > i32::MAX.unsigned_abs() {
            return Err(Status::BadArgument);
        }
        if !host.proxy.has_cluster(&self.cluster) {
            return Err(Status::BadArgument);
        }
        let required = [":path", ":method", ":authority"];
        if required.iter().any(|name| self.headers.get(name).is_none()) {
            return Err(Status::BadArgument);
        }
        if !self.body.is_empty() {
            self.headers
                .set("content-length", self.body.len().to_string());
        }
        // What Envoy's router adds to a request that comes from inside.
        self.headers.set("x-envoy-internal", "true");
        let timeout = (self.timeout_ms > 0).then(|| Duration::from_millis(self.timeout_ms.into()));
        if timeout.is_some() {
            let expected = self.timeout_ms.to_string();
            self.headers.set("x-envoy-expected-rq-timeout-ms", expected);
        }
        let root = host.contexts.acting_root();
        let deadline = timeout.map(|timeout| host.proxy.now() + timeout);
        let token = host.callouts.start(root, deadline);
        host.effects.push_back(Effect::Callout(Box::new(Callout {
            token,
            cluster: self.cluster,
            headers: self.headers,
            body: self.body,
            trailers: self.trailers,
            timeout,
        })));
        Ok(token.0)
    }
}

fn map_of(encoded: &bytes::Bytes) -> Headers {
    let pairs = parse_pairs(encoded).into_iter();
    Headers::from_pairs(pairs.map(|(n, v)| (encoded.slice_ref(n), encoded.slice_ref(v))))
}
