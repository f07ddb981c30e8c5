//! The administrator's listener: `/metrics` and `/ready`. It is a listener of its own, so that no
//! module path can ever reach it.

use std::convert::Infallible;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use envoy_wasm_host::{LogLevel, stats};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use super::shared::Shared;
use super::thread::ACCEPT_PAUSE;

/// Answers until the proxy stops.
pub(super) fn run(shared: &Arc<Shared>, listener: TcpListener, stop: &watch::Receiver<bool>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, serve(shared, listener, stop))
    });
    if let Err(error) = served {
        let line = format!("cannot serve the metrics: {error}");
        shared.log(LogLevel::Error, &line);
    }
}

async fn serve(
    shared: &Arc<Shared>,
    listener: TcpListener,
    stop: &watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        };
        let Ok((stream, _)) = accepted else {
            // The workers say so, who see the same.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = Arc::clone(shared);
        let mut stopping = stop.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| {
                let response = answer(&shared, &request);
                async { Ok::<_, Infallible>(response) }
            });
            let mut serving =
                pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                _ = serving.as_mut() => {}
                _ = stopping.wait_for(|stop| *stop) => serving.as_mut().graceful_shutdown(),
            }
        });
    }
}

fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET only\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match request.uri().path() {
        "/metrics" => {
            let body = stats::render(shared.proxy.stats());
            let mut response = Response::new(Full::from(body));
            let kind = HeaderValue::from_static(stats::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        "/ready" => text(StatusCode::OK, "LIVE\n"),
        _ => text(StatusCode::NOT_FOUND, "not found; use /metrics or /ready\n"),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
