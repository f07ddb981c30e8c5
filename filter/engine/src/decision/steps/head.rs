//! First step: the request line and the headers are those of a Go command.

use super::Context;
use crate::reply::LocalReply;
use modgate_go::goproxy::RequestError;
use modgate_go::http::HeaderValue;

/// The method, GET or HEAD, and the path as received.
pub(in crate::decision) struct RequestLine<'r> {
    pub(in crate::decision) method: &'r [u8],
    pub(in crate::decision) path: &'r [u8],
}

pub(in crate::decision) fn head<'r>(
    context: &Context<'_, 'r>,
) -> Result<RequestLine<'r>, LocalReply> {
    let head = context.head;
    let (HeaderValue::Single(method), HeaderValue::Single(path)) = (head.method, head.path) else {
        return Err(context.bad(RequestError::MalformedHead));
    };
    if !matches!(method, b"GET" | b"HEAD") {
        return Err(LocalReply::method_not_allowed(context.footer));
    }
    if head.has_line_break {
        return Err(context.bad(RequestError::HeaderValue));
    }
    // The Go command never sends one, and servers disagree on where it ends.
    if head.has_body {
        return Err(context.bad(RequestError::Body));
    }
    Ok(RequestLine { method, path })
}
