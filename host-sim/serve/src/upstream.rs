//! The clients of the upstreams.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::{UpstreamFailure, http::Headers};
use http::header::{HOST, PROXY_AUTHORIZATION, TE};
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpInfo;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::backends::Backends;
use super::channel::ChannelBody;
use super::config::Upstream;
use super::connect::{Connector, Proxies, connector, tls_config};
use super::convert;
use super::error::ServeError;
use super::framing;
use crate::clusters::Clusters;

/// How long an idle connection is kept.
const KEEP: Duration = Duration::from_secs(60);

/// How long to wait before a backend that took no connection is tried once more.
const PAUSE: Duration = Duration::from_millis(25);

/// What it takes to make the clients of each worker.
#[derive(Clone)]
pub(super) struct UpstreamConfig {
    tls: rustls::ClientConfig,
    origins: HashMap<String, Uri>,
    connect_timeout: Duration,
    proxies: Arc<Proxies>,
    backends: Backends,
}

impl UpstreamConfig {
    pub(super) fn new(
        upstreams: &[Upstream],
        connect_timeout: Duration,
        ca_files: &[PathBuf],
        backends: Backends,
    ) -> Result<Self, ServeError> {
        let mut origins = HashMap::new();
        for upstream in upstreams {
            let known = origins.insert(upstream.name.clone(), upstream.url.clone());
            if known.is_some() {
                return Err(ServeError::DuplicateUpstream(upstream.name.clone()));
            }
        }
        Ok(Self {
            tls: tls_config(
                origins
                    .values()
                    .any(|url| url.scheme_str() == Some("https")),
                ca_files,
            )?,
            origins,
            connect_timeout,
            proxies: Proxies::of_environment()
                .map(Arc::new)
                .map_err(ServeError::System)?,
            backends,
        })
    }
}

/// The upstreams, as one worker sees them, with its own connections.
pub(super) struct Upstreams {
    origins: HashMap<String, Uri>,
    client: Client<Connector, ChannelBody>,
    /// For what is sent once more: it keeps no connections, so each is a new one.
    anew: Client<Connector, ChannelBody>,
    /// For gRPC, which is HTTP/2 from the first byte.
    http2: Client<Connector, ChannelBody>,
    proxies: Arc<Proxies>,
    backends: Backends,
}

/// What an upstream answers with.
pub(super) struct Answer {
    pub response: Response<Incoming>,
    /// The backend that it is, where several stand in for each other.
    pub backend: Option<String>,
    /// How many were tried, it included.
    pub attempts: u64,
}

impl Upstreams {
    pub(super) fn new(config: &UpstreamConfig) -> Self {
        let proxies = Arc::clone(&config.proxies);
        let https = connector(config.tls.clone(), config.connect_timeout, proxies);
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(KEEP);
        let client = builder.build(https.clone());
        let anew = builder
            .clone()
            .pool_max_idle_per_host(0)
            .build(https.clone());
        let http2 = builder.http2_only(true).build(https);
        Self {
            origins: config.origins.clone(),
            client,
            anew,
            http2,
            proxies: Arc::clone(&config.proxies),
            backends: config.backends.clone(),
        }
    }

    /// The response's headers, with its body to come; or why there are none, for Envoy's words and
    /// for the log. Where several backends are fallbacks of each other they are tried one after the other,
    /// as the retries of Envoy's routes do: the next where the one before
    /// gave no answer, or one of 500 and above.
    ///
    /// A backend without a fallback that is left and that gave no answer is tried once more, over a new
    /// connection: it may have closed the kept one just as it was used.
    ///
    /// # Errors
    /// What about the request cannot be sent, as half a sentence.
    pub(super) fn send(
        self: &Rc<Self>,
        cluster: &str,
        headers: &Headers,
        body: ChannelBody,
    ) -> Result<impl Future<Output = Result<Answer, UpstreamFailure>> + use<>, String> {
        let needs = self.backends.now();
        let members: Vec<(String, Option<String>)> = needs
            .members(cluster)
            .into_iter()
            .map(|(cluster, backend)| (cluster.to_owned(), backend.map(ToOwned::to_owned)))
            .collect();
        // A body goes out as it comes, so it can be sent only once.
        let is_whole = body.is_end_stream();
        let method = headers.get(":method").map(Bytes::as_ref);
        let is_safe = is_whole && matches!(method, Some(b"GET" | b"HEAD"));
        let mut members = members.into_iter();
        let (mut cluster, mut backend) = members.next().ok_or("its cluster is empty")?;
        let request = self.request(&needs, &cluster, headers, body)?;
        let (this, headers) = (Rc::clone(self), headers.clone());
        Ok(async move {
            let again = |cluster: &str| {
                let next = this.request(&needs, cluster, &headers, ChannelBody::empty());
                next.map_err(|_| UpstreamFailure::Protocol)
            };
            let mut attempts = 1;
            let mut response = send(&this.client, request).await;
            for (next, its_backend) in members.take_while(|_| is_whole) {
                if matches!(&response, Ok(response) if response.status().as_u16() < 500) {
                    break;
                }
                (cluster, backend) = (next, its_backend);
                attempts += 1;
                response = send(&this.client, again(&cluster)?).await;
            }
            if is_safe && let Err(failure) = &response {
                if let UpstreamFailure::Connect(_) = failure {
                    tokio::time::sleep(PAUSE).await;
                }
                attempts += 1;
                response = send(&this.anew, again(&cluster)?).await;
            }
            Ok(Answer {
                response: response?,
                backend,
                attempts,
            })
        })
    }

    /// As [`Upstreams::send`], over HTTP/2 and to the first of several backends: what goes out as it comes
    /// goes out once.
    ///
    /// # Errors
    /// What about the request cannot be sent, as half a sentence.
    pub(super) fn send_http2(
        &self,
        cluster: &str,
        headers: &Headers,
        body: ChannelBody,
    ) -> Result<impl Future<Output = Result<Response<Incoming>, UpstreamFailure>> + use<>, String>
    {
        let needs = self.backends.now();
        let members = needs.members(cluster);
        let (first, _) = *members.first().ok_or("its cluster is empty")?;
        let mut request = self.request(&needs, first, headers, body)?;
        // It concerns a connection of HTTP/1, and is the mark of gRPC (RFC 9113, section 8.2.2).
        request
            .headers_mut()
            .insert(TE, HeaderValue::from_static("trailers"));
        *request.version_mut() = http::Version::HTTP_2;
        let response = self.http2.request(request);
        Ok(async move { response.await.map_err(|error| classify(&error)) })
    }

    fn request(
        &self,
        needs: &Clusters,
        cluster: &str,
        headers: &Headers,
        body: ChannelBody,
    ) -> Result<Request<ChannelBody>, String> {
        let origin = self.origins.get(cluster).ok_or("its cluster is gone")?;
        let mut request = convert::upstream_request(origin, headers, body)?;
        let authority = headers.get(":authority").map(Bytes::as_ref);
        let of_cluster = needs.authorities.get(cluster);
        let is_asked = |known: &&String| Some(known.as_bytes()) == authority;
        if let Some(host) = of_cluster.and_then(|known| known.iter().find(is_asked)) {
            let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
            request.headers_mut().insert(HOST, host);
        }
        if let Some(value) = self.proxies.authorization(origin) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        for (name, value) in self.backends.headers(cluster)? {
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

async fn send(
    client: &Client<Connector, ChannelBody>,
    request: Request<ChannelBody>,
) -> Result<Response<Incoming>, UpstreamFailure> {
    let mut request = request;
    let has_odd_interim = Arc::new(AtomicBool::new(false));
    let notes = Arc::clone(&has_odd_interim);
    hyper::ext::on_informational(&mut request, move |interim| {
        if framing::has_length(interim.headers()) {
            notes.store(true, Ordering::Relaxed);
        }
    });
    let response = client.request(request).await;
    let response = response.map_err(|error| classify(&error))?;
    if has_odd_interim.load(Ordering::Relaxed) || framing::is_refused(&response) {
        return Err(UpstreamFailure::Protocol);
    }
    Ok(response)
}

/// The address that answered.
pub(super) fn peer_of(response: &Response<Incoming>) -> Option<SocketAddr> {
    let info = response.extensions().get::<HttpInfo>();
    info.map(HttpInfo::remote_addr)
}

fn classify(error: &ClientError) -> UpstreamFailure {
    if error.is_connect() {
        return UpstreamFailure::Connect(innermost(error).to_string());
    }
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<hyper::Error>());
    source.map_or(UpstreamFailure::ConnectionTermination, body_failure)
}

/// What an error in the middle of a message is in Envoy's terms.
pub(super) fn body_failure(error: &hyper::Error) -> UpstreamFailure {
    if error.is_parse() {
        return UpstreamFailure::Protocol;
    }
    let reset = error
        .source()
        .and_then(|source| source.downcast_ref::<h2::Error>());
    if reset.is_some_and(|reset| reset.is_reset() && reset.is_remote()) {
        return UpstreamFailure::RemoteReset;
    }
    UpstreamFailure::ConnectionTermination
}

/// What lies at the bottom of an error.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
