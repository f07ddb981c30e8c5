//! From a client's request to what the filter sees of it.

use std::net::SocketAddr;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use http::header::{CONNECTION, HOST, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};

use super::{connection_options, is_hop_by_hop, name_bytes};
use crate::channel::ChannelBody;

/// Why a request is answered before any filter sees it, as Envoy answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 426: HTTP/1.0.
    OldVersion,
    /// 400: no host, a target that is none, or two lengths.
    BadRequest,
    /// 403: an upgrade, or CONNECT.
    Upgrade,
}

impl Refusal {
    pub(crate) fn response(self) -> Response<ChannelBody> {
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
pub(crate) fn request_headers<B>(
    request: &Request<B>,
    client: SocketAddr,
    id: String,
    cluster_header: Option<&str>,
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
            && !is_forbidden(name.as_str(), cluster_header)
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

/// What no client may send: the header that chooses
/// the cluster, names with `_`, which some servers take for `-`, and what Envoy says of a client.
fn is_forbidden(name: &str, cluster_header: Option<&str>) -> bool {
    let by_envoy = matches!(name, "x-envoy-external-address" | "x-envoy-internal");
    cluster_header == Some(name) || name.contains('_') || by_envoy
}

/// An upgrade that is requested in earnest. `h2c` is not: the client goes on with HTTP/1.1.
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
                ("x-cluster", "theirs"),
                ("x_tenant", "theirs"),
                ("x-envoy-internal", "true"),
                ("x-envoy-external-address", "10.0.0.1"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-for", "1.2.3.4"),
            ],
        );
        let headers = request_headers(&request, client(), "id".into(), Some("x-cluster")).unwrap();
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
        let headers = request_headers(&request, client(), "id".into(), Some("x-cluster")).unwrap();
        assert_eq!(headers.get(":authority").unwrap().as_ref(), b"other");
        assert_eq!(headers.get(":path").unwrap().as_ref(), b"/p");
    }

    #[test]
    fn what_envoy_refuses_is_refused() {
        let refusal = |request: &Request<()>| {
            request_headers(request, client(), String::new(), None).unwrap_err()
        };
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
}
