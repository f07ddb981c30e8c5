//! Between the messages of `http` and those of the filter.

mod request;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};

pub(crate) use request::{Refusal, request_headers};

use crate::channel::ChannelBody;

/// What concerns one connection only and is not handed on.
const HOP_BY_HOP: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// An upstream's headers as Envoy shows them: `transfer-encoding` is among them.
pub(crate) fn response_headers<B>(response: &Response<B>) -> Headers {
    let mut headers = Headers::new();
    headers.add(":status", response.status().as_str().to_owned());
    let hop = connection_options(response.headers());
    for (name, value) in response.headers() {
        if name == TRANSFER_ENCODING || !is_hop_by_hop(name.as_str(), &hop) {
            headers.add(name_bytes(name), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    headers
}

/// Trailers, in either direction.
pub(crate) fn trailers(map: &HeaderMap) -> Headers {
    Headers::from_pairs(
        map.iter()
            .map(|(name, value)| (name_bytes(name), Bytes::copy_from_slice(value.as_bytes()))),
    )
}

/// The request that goes upstream: to the upstream's own host, with the path byte for byte as the
/// filter left it.
///
/// # Errors
/// What about it cannot be sent, as half a sentence.
pub(crate) fn upstream_request(
    origin: &Uri,
    headers: &Headers,
    body: ChannelBody,
) -> Result<Request<ChannelBody>, String> {
    let method = headers
        .get(":method")
        .map(Bytes::as_ref)
        .unwrap_or_default();
    let method =
        Method::from_bytes(method).map_err(|_| "its method is not a valid token".to_owned())?;
    let path = headers.get(":path").cloned().unwrap_or_default();
    let target = PathAndQuery::from_maybe_shared(path.clone())
        .ok()
        .filter(|parsed| parsed.as_str().as_bytes() == path && path.starts_with(b"/"));
    let target = target.ok_or("its path has a byte that cannot be sent unescaped")?;
    let mut parts = origin.clone().into_parts();
    parts.path_and_query = Some(target);
    let uri = Uri::from_parts(parts).map_err(|error| error.to_string())?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.headers_mut() = header_map(headers)?;
    if let Some(authority) = uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|e| e.to_string())?;
        request.headers_mut().insert(HOST, host);
    }
    *request.uri_mut() = uri;
    Ok(request)
}

/// The response that goes to the client.
///
/// # Errors
/// What about it cannot be sent, as half a sentence.
pub(crate) fn client_response(
    headers: &Headers,
    body: ChannelBody,
    close: bool,
) -> Result<Response<ChannelBody>, String> {
    let status = headers.status().filter(|status| *status >= 200);
    let status = status.ok_or("its status is not a final response status")?;
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(|e| e.to_string())?;
    *response.headers_mut() = header_map(headers)?;
    if close {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}

/// Everything but pseudo-headers and what concerns a connection.
pub(crate) fn header_map(headers: &Headers) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter() {
        if name.starts_with(b":") || HOP_BY_HOP.iter().any(|hop| name == hop) {
            continue;
        }
        let parsed = HeaderName::from_bytes(name).map_err(|_| {
            format!(
                "its header name `{}` is not a valid token",
                String::from_utf8_lossy(name)
            )
        })?;
        let value = HeaderValue::from_maybe_shared(value.clone())
            .map_err(|_| format!("its header `{parsed}` has an invalid value"))?;
        map.append(parsed, value);
    }
    // Two lengths that differ were joined with a comma and are none.
    if map
        .get(CONTENT_LENGTH)
        .is_some_and(|v| v.as_bytes().contains(&b','))
    {
        return Err("it has several content lengths".to_owned());
    }
    Ok(map)
}

fn name_bytes(name: &HeaderName) -> Bytes {
    Bytes::copy_from_slice(name.as_str().as_bytes())
}

/// The names that `connection` lists, in lower case.
fn connection_options(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|option| option.trim().to_ascii_lowercase())
        .collect()
}

fn is_hop_by_hop(name: &str, options: &[String]) -> bool {
    HOP_BY_HOP.contains(&name) || (options.iter().any(|option| option == name) && name != "te")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_upstream_byte_for_byte_or_not_at_all() {
        let origin: Uri = "http://up:1".parse().unwrap();
        let send = |path: &str| {
            let mut headers = Headers::from_pairs([(":method", "GET"), (":authority", "x")]);
            headers.add(":path", path.to_owned());
            upstream_request(&origin, &headers, ChannelBody::empty())
        };
        for path in ["/", "//a/../b", "/a%2Fb;c?d=%zz|{}", "/ü"] {
            let request = send(path).unwrap();
            assert_eq!(request.uri().path_and_query().unwrap().as_str(), path);
            assert_eq!(request.headers()[HOST], "up:1");
        }
        for path in ["", "*", "a", "/a#b", "/a b", "/a\n"] {
            assert!(send(path).is_err(), "{path:?} was sent");
        }
    }

    #[test]
    fn a_header_cannot_break_out() {
        let headers = Headers::from_pairs([(":status", "200"), ("a", "b\r\nc: d")]);
        assert!(client_response(&headers, ChannelBody::empty(), false).is_err());
    }
}
