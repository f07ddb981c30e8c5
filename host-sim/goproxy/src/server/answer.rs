//! One request, and its answer.

use super::Fault;
use super::files::{self, Found};
use super::record::{Recorded, State};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::channel::Channel;
use hyper::body::{Frame, Incoming};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The time that the last piece gets to be written before the connection is cut.
const WRITTEN: Duration = Duration::from_millis(10);

type Body = Channel<Bytes, io::Error>;

/// Never an error: what goes wrong is an answer too, or a body that is cut off.
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
    if let Some(Fault::Redirect(place)) = fault {
        let mut answer = text(StatusCode::FOUND, with_body);
        answer.headers_mut().insert(LOCATION, place);
        return Ok(answer);
    }
    // The disk is waited for elsewhere, so that other requests are served meanwhile.
    let found = tokio::task::spawn_blocking(move || files::find(state.root(), &path)).await;
    let Ok(Some(found)) = found else {
        return Ok(text(StatusCode::NOT_FOUND, with_body));
    };
    Ok(file(found, with_body, fault))
}

fn file(found: Found, with_body: bool, fault: Option<Fault>) -> Response<Body> {
    let length = found.length;
    let headers = headers(&found);
    let breaks_at = match fault {
        Some(Fault::BreakOff { after }) if (after as u64) < length => Some(after as u64),
        _ => None,
    };
    let mut response = Response::new(if with_body {
        pieces(found, breaks_at)
    } else {
        line(Bytes::new())
    });
    *response.headers_mut() = headers;
    response
}

fn headers(found: &Found) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.length));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(found.content_type));
    let Some(modified) = found.modified else {
        return headers;
    };
    if let Some(date) = http_date(modified) {
        headers.insert(LAST_MODIFIED, date);
    }
    let tag = format!("\"{:x}-{:x}\"", modified.as_nanosecond(), found.length);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    headers
}

/// A status with a line that says it, as `go` prints it.
fn text(status: StatusCode, with_body: bool) -> Response<Body> {
    let reason = format!("{}\n", status.canonical_reason().unwrap_or("no reason"));
    let length = reason.len();
    let mut response = Response::new(line(if with_body {
        reason.into()
    } else {
        Bytes::new()
    }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, content_type);
    response
}

/// A body that is there already.
fn line(content: Bytes) -> Body {
    let (mut sender, body) = Channel::new(1);
    if !content.is_empty() {
        // One frame always fits.
        _ = sender.try_send(Frame::data(content));
    }
    body
}

/// A file's body, read as fast as the client takes it; it breaks after that many bytes.
fn pieces(found: Found, breaks_at: Option<u64>) -> Body {
    let (mut sender, body) = Channel::new(1);
    let mut left = breaks_at.unwrap_or(found.length);
    let mut file = found.rest;
    let mut piece = found.first;
    tokio::spawn(async move {
        loop {
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left = left.saturating_sub(piece.len() as u64);
            if !piece.is_empty() && sender.send_data(piece).await.is_err() {
                return; // The client has gone.
            }
            if left == 0 {
                break;
            }
            let read = move || files::piece(&mut file).map(|piece| (file, piece));
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok((next, more))) if !more.is_empty() => (file, piece) = (next, more),
                // Shorter than it was, or no longer to be read.
                _ => return sender.abort(io::Error::other("the file has changed")),
            }
        }
        if breaks_at.is_some() {
            // hyper throws away what it has not written yet.
            tokio::time::sleep(WRITTEN).await;
            sender.abort(io::Error::other("cut off on request"));
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
