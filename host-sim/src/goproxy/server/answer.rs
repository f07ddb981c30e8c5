//! One request, and its answer.

use super::Fault;
use super::files::{self, Found};
use super::record::{Recorded, State};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::channel::Channel;
use hyper::body::Incoming;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The bytes of one piece of a body: small enough that larger zips come in several.
const PIECE: usize = 64 << 10;

/// The time that the last piece gets to be written before the connection is cut.
const WRITTEN: Duration = Duration::from_millis(10);

type Body = Channel<Bytes, io::Error>;

/// Never an error: what goes wrong is an answer too, or a body that breaks off.
pub(super) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (head, _) = request.into_parts();
    state.record(Recorded {
        method: head.method.clone(),
        path: match head.uri.path_and_query() {
            Some(target) => target.as_str().to_owned(),
            None => head.uri.to_string(),
        },
        headers: head.headers,
    });
    let with_body = head.method == Method::GET;
    if !with_body && head.method != Method::HEAD {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, true);
        let allow = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allow);
        return Ok(refusal);
    }
    let Some(path) = files::decode(head.uri.path()) else {
        return Ok(text(StatusCode::BAD_REQUEST, with_body));
    };
    let fault = state.fault(&path);
    if let Some(Fault::Status(status)) = fault {
        return Ok(text(status, with_body));
    }
    // The disk is waited for elsewhere, so that other requests are served meanwhile.
    let found = tokio::task::spawn_blocking(move || files::find(state.root(), &path)).await;
    let Ok(Some(found)) = found else {
        return Ok(text(StatusCode::NOT_FOUND, with_body));
    };
    Ok(file(found, with_body, fault))
}

fn file(found: Found, with_body: bool, fault: Option<Fault>) -> Response<Body> {
    let breaks_at = match fault {
        Some(Fault::BreakOff { after }) if after < found.content.len() => Some(after),
        _ => None,
    };
    let length = found.content.len();
    let mut response = Response::new(match (with_body, breaks_at) {
        (false, _) => pieces(Bytes::new(), false),
        (true, None) => pieces(found.content, false),
        (true, Some(after)) => pieces(found.content.slice(..after), true),
    });
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(found.content_type));
    if let Some(date) = found.modified.and_then(http_date) {
        headers.insert(LAST_MODIFIED, date);
    }
    response
}

/// A status with a line that says it, as `go` prints it.
fn text(status: StatusCode, with_body: bool) -> Response<Body> {
    let line = format!("{}\n", status.canonical_reason().unwrap_or("no reason"));
    let length = line.len();
    let body = if with_body { line.into() } else { Bytes::new() };
    let mut response = Response::new(pieces(body, false));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, content_type);
    response
}

/// A body that comes in pieces, and at the end breaks where it should.
fn pieces(content: Bytes, breaks: bool) -> Body {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        let mut rest = content;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE));
            if sender.send_data(piece).await.is_err() {
                return; // The client has gone.
            }
        }
        if breaks {
            // hyper throws away what it has not written yet.
            tokio::time::sleep(WRITTEN).await;
            sender.abort(io::Error::other("broken off, as it was asked for"));
        }
    });
    body
}

/// RFC 9110, 5.6.7.
fn http_date(time: Timestamp) -> Option<HeaderValue> {
    let text = DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .ok()?;
    HeaderValue::from_str(&text).ok()
}
