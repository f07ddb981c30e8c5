//! The clients of the upstreams.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::channel::ChannelBody;
use super::config::Upstream;
use super::error::ServeError;
use crate::worker::UpstreamFailure;

/// How long an idle connection is kept.
const KEEP: Duration = Duration::from_secs(60);

/// What it takes to make the clients of each worker.
#[derive(Clone)]
pub(super) struct UpstreamConfig {
    tls: rustls::ClientConfig,
    origins: HashMap<String, Uri>,
    connect_timeout: Duration,
}

impl UpstreamConfig {
    pub(super) fn new(
        upstreams: &[Upstream],
        connect_timeout: Duration,
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
            )?,
            origins,
            connect_timeout,
        })
    }
}

/// The machine's own certificates, which a company's proxy may stand behind, and Mozilla's where
/// the machine has none.
fn tls_config(needed: bool) -> Result<rustls::ClientConfig, ServeError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ServeError::System(error.to_string()))?;
    if !needed {
        return Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth());
    }
    let config = match builder.clone().with_native_roots() {
        Ok(native) => native,
        Err(_) => builder.with_webpki_roots(),
    };
    Ok(config.with_no_client_auth())
}

/// The upstreams, as one worker sees them, with its own connections.
pub(super) struct Upstreams {
    origins: HashMap<String, Uri>,
    client: Client<HttpsConnector<HttpConnector>, ChannelBody>,
}

impl Upstreams {
    pub(super) fn new(config: &UpstreamConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(config.connect_timeout));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config.tls.clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(KEEP)
            .build(https);
        Self {
            origins: config.origins.clone(),
            client,
        }
    }

    pub(super) fn origin(&self, cluster: &str) -> Option<&Uri> {
        self.origins.get(cluster)
    }

    /// The response's headers, with its body to come; or why there are none, for Envoy's words and
    /// for the log.
    pub(super) fn send(
        &self,
        request: Request<ChannelBody>,
    ) -> impl Future<Output = Result<Response<Incoming>, UpstreamFailure>> + 'static {
        let response = self.client.request(request);
        async move { response.await.map_err(|error| classify(&error)) }
    }
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

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
