//! Between the messages of `http` and those of the filter.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version};

use modgate_engine::wire::CLUSTER_HEADER;

use super::channel::ChannelBody;
use crate::http::Headers;

/// What concerns one connection only and is not handed on.
const HOP_BY_HOP: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Why a request is answered before any filter sees it, as Envoy answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 426: HTTP/1.0.
    OldVersion,
    /// 400: no host, or a target that is none.
    BadRequest,
    /// 403: an upgrade, or CONNECT.
    Upgrade,
}

impl Refusal {
    pub(super) fn response(self) -> Response<ChannelBody> {
        let status = match self {
            Self::OldVersion => 426,
            Self::BadRequest => 400,
            Self::Upgrade => 403,
        };
        let mut response = Response::new(ChannelBody::empty());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response
    }
}

/// A client's headers as Envoy shows them: `:authority :path :method :scheme`, the client's own,
/// then what the proxy adds.
pub(super) fn request_headers<B>(
    request: &Request<B>,
    client: SocketAddr,
    id: String,
) -> Result<Headers, Refusal> {
    if request.version() < Version::HTTP_11 {
        return Err(Refusal::OldVersion);
    }
    if request.method() == Method::CONNECT || is_upgrade(request.headers()) {
        return Err(Refusal::Upgrade);
    }
    let authority = match request.uri().authority() {
        Some(authority) => Bytes::copy_from_slice(authority.as_str().as_bytes()),
        None => match request.headers().get(HOST) {
            Some(host) => Bytes::copy_from_slice(host.as_bytes()),
            None => return Err(Refusal::BadRequest),
        },
    };
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    if authority.is_empty() || !path.starts_with('/') {
        return Err(Refusal::BadRequest);
    }
    let mut headers = Headers::new();
    headers.add(":authority", authority);
    headers.add(":path", Bytes::copy_from_slice(path.as_bytes()));
    headers.add(":method", request.method().as_str().to_owned());
    headers.add(":scheme", "http");
    let hop = connection_options(request.headers());
    for (name, value) in request.headers() {
        let te = name == TE && value != "trailers";
        if name != HOST
            && !te
            && !is_forbidden(name.as_str())
            && !is_hop_by_hop(name.as_str(), &hop)
        {
            headers.add(name_bytes(name), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    headers.add("x-forwarded-for", client.ip().to_string());
    headers.set("x-forwarded-proto", "http");
    if headers.get("x-request-id").is_none() {
        headers.add("x-request-id", id);
    }
    Ok(headers)
}

/// An upstream's headers as Envoy shows them: `transfer-encoding` is there, `date` and `server`
/// are not.
pub(super) fn response_headers<B>(response: &Response<B>) -> Headers {
    let mut headers = Headers::new();
    headers.add(":status", response.status().as_str().to_owned());
    let hop = connection_options(response.headers());
    for (name, value) in response.headers() {
        let own = name == "date" || name == "server";
        if name == TRANSFER_ENCODING || (!own && !is_hop_by_hop(name.as_str(), &hop)) {
            headers.add(name_bytes(name), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    headers
}

/// Trailers, in either direction.
pub(super) fn trailers(map: &HeaderMap) -> Headers {
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
pub(super) fn upstream_request(
    origin: &Uri,
    headers: &Headers,
    body: ChannelBody,
) -> Result<Request<ChannelBody>, String> {
    let method = headers
        .get(":method")
        .map(Bytes::as_ref)
        .unwrap_or_default();
    let method = Method::from_bytes(method).map_err(|_| "its method is no token".to_owned())?;
    let path = headers.get(":path").cloned().unwrap_or_default();
    let target = PathAndQuery::from_maybe_shared(path.clone())
        .ok()
        .filter(|parsed| parsed.as_str().as_bytes() == path && path.starts_with(b"/"));
    let target = target.ok_or("its path has a byte that cannot be sent as it is")?;
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
pub(super) fn client_response(
    headers: &Headers,
    body: ChannelBody,
    close: bool,
) -> Result<Response<ChannelBody>, String> {
    let status = headers.status().filter(|status| *status >= 200);
    let status = status.ok_or("its status is none that ends a response")?;
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
pub(super) fn header_map(headers: &Headers) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter() {
        if name.starts_with(b":") || HOP_BY_HOP.iter().any(|hop| name == hop) {
            continue;
        }
        let parsed = HeaderName::from_bytes(name).map_err(|_| {
            format!(
                "its header name `{}` is no token",
                String::from_utf8_lossy(name)
            )
        })?;
        let value = HeaderValue::from_maybe_shared(value.clone())
            .map_err(|_| format!("its header `{parsed}` has a value that cannot be sent"))?;
        map.append(parsed, value);
    }
    // Two lengths that differ were joined with a comma and are none.
    if map
        .get(CONTENT_LENGTH)
        .is_some_and(|v| v.as_bytes().contains(&b','))
    {
        return Err("it has several lengths".to_owned());
    }
    Ok(map)
}

/// What no client may send, as the shipped configuration of Envoy has it: the header that chooses
/// the cluster, and names with `_`, which some servers take for `-`.
fn is_forbidden(name: &str) -> bool {
    name == CLUSTER_HEADER || name.contains('_')
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

/// An upgrade that is asked for in earnest. `h2c` is not: the client goes on with HTTP/1.1.
fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get("upgrade").and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| !value.eq_ignore_ascii_case("h2c"))
        && connection_options(headers).iter().any(|o| o == "upgrade")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &Headers) -> Vec<String> {
        headers
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    fn client() -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], 5))
    }

    fn request(target: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().uri(target);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn a_request_is_shown_in_envoys_order() {
        let request = request(
            "/a?b",
            &[
                ("host", "x"),
                ("Accept", "*"),
                ("connection", "keep-alive, x-hop"),
                ("x-hop", "1"),
                ("transfer-encoding", "chunked"),
                (CLUSTER_HEADER, "theirs"),
                ("x_modgate_tenant", "theirs"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-for", "1.2.3.4"),
            ],
        );
        let headers = request_headers(&request, client(), "id".into()).unwrap();
        assert_eq!(
            names(&headers),
            [
                ":authority",
                ":path",
                ":method",
                ":scheme",
                "accept",
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-request-id"
            ]
        );
        assert_eq!(
            headers.get("x-forwarded-for").unwrap().as_ref(),
            b"1.2.3.4,10.0.0.1"
        );
        assert_eq!(headers.get("x-forwarded-proto").unwrap().as_ref(), b"http");
        assert_eq!(headers.get(":path").unwrap().as_ref(), b"/a?b");
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        let request = request("http://other/p", &[("host", "x")]);
        let headers = request_headers(&request, client(), "id".into()).unwrap();
        assert_eq!(headers.get(":authority").unwrap().as_ref(), b"other");
        assert_eq!(headers.get(":path").unwrap().as_ref(), b"/p");
    }

    #[test]
    fn what_envoy_refuses_is_refused() {
        let refusal =
            |request: &Request<()>| request_headers(request, client(), String::new()).unwrap_err();
        assert_eq!(refusal(&request("/", &[])), Refusal::BadRequest);
        assert_eq!(
            refusal(&request("*", &[("host", "x")])),
            Refusal::BadRequest
        );
        let upgrade = [
            ("host", "x"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
        ];
        assert_eq!(refusal(&request("/", &upgrade)), Refusal::Upgrade);
        let mut old = request("/", &[("host", "x")]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(refusal(&old), Refusal::OldVersion);
    }

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
