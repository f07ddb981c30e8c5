//! What becomes of messages on their way.

use std::io::Write;

use super::support::{Proxy, echo, read_to_end, read_until, upstream};

#[test]
fn a_request_goes_to_its_cluster_as_the_filter_left_it() {
    let proxy = Proxy::start(echo());
    let response = proxy.exchange(
        "GET /a%2Fb//../c?d=%zz HTTP/1.1\r\nHost: proxy\r\nAccept: x\r\nConnection: close, x-hop\r\n\
         X-Hop: 1\r\nx-backend-cluster: theirs\r\nx_under: 1\r\n\r\n",
    );
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    let head = response.split("\r\n\r\n").nth(1).unwrap().to_lowercase();
    assert!(
        head.starts_with("get /a%2fb//../c?d=%zz http/1.1\r\n"),
        "{head}"
    );
    for line in [
        "accept: x",
        "x-forwarded-proto: http",
        "x-forwarded-for: 127.0.0.1",
    ] {
        assert!(head.contains(line), "no {line} in {head}");
    }
    assert!(head.contains("x-request-id: "));
    for word in ["x-hop", "cluster", "x_under", "host: proxy", ":path"] {
        assert!(!head.contains(word), "{word} in {head}");
    }
    let record = &proxy.wait_for_records(1)[0];
    assert_eq!(record.path, "/a%2Fb//../c?d=%zz");
    assert_eq!(record.cluster.as_deref(), Some("up"));
    assert!(record.from_upstream);
}

#[test]
fn a_path_that_the_filter_sets_is_sent_byte_for_byte() {
    let proxy = Proxy::start(echo());
    assert!(proxy.get("/r").contains("GET /rewritten?x HTTP/1.1"));
}

#[test]
fn the_filters_answer_does_not_reach_the_upstream() {
    let proxy = Proxy::start(super::support::nobody());
    let response = proxy.get("/forbidden");
    assert!(
        response.starts_with("HTTP/1.1 403 Forbidden\r\n"),
        "{response}"
    );
    assert!(response.ends_with("\r\n\r\nno"), "{response}");
    let head = proxy.exchange("HEAD /forbidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(head.contains("content-length: 2\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn an_answer_before_the_request_has_ended_closes_the_connection() {
    let proxy = Proxy::start(super::support::nobody());
    let mut stream = proxy.connect();
    stream
        .write_all(b"POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        .unwrap();
    let response = read_to_end(&mut stream);
    assert!(response.contains("connection: close\r\n"), "{response}");
}

#[test]
fn a_request_without_a_filter_is_answered_as_envoy_does() {
    let proxy = Proxy::start(super::support::nobody());
    let rows = [
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "426"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "403"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            "403",
        ),
        ("nonsense\r\n\r\n", "400"),
        ("GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ];
    table_rows::check(rows, |(request, status)| {
        let response = proxy.exchange(request);
        let found = response.split(' ').nth(1).unwrap_or_default();
        assert_eq!(found, status, "{request}: {response}");
    });
    assert!(proxy.records.lock().unwrap().is_empty());
}

#[test]
fn an_absolute_target_names_the_host_and_the_path() {
    let proxy = Proxy::start(echo());
    let response =
        proxy.exchange("GET http://elsewhere/p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(response.contains("GET /p HTTP/1.1"), "{response}");
}

#[test]
fn bodies_stream_in_both_directions_with_chunks_and_trailers() {
    let up = upstream(|mut stream| {
        let head = read_until(&mut stream, "\r\n\r\n").to_lowercase();
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        // The answer begins when the first part is here, before the request ends.
        read_until(&mut stream, "first");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\none\r\n")
            .unwrap();
        read_until(&mut stream, "0\r\n\r\n");
        stream
            .write_all(b"3\r\ntwo\r\n0\r\nx-sum: 1\r\n\r\n")
            .unwrap();
    });
    let proxy = Proxy::start(up);
    let mut client = proxy.connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        .unwrap();
    let begun = read_until(&mut client, "one\r\n");
    assert!(begun.starts_with("HTTP/1.1 200 OK\r\n"), "{begun}");
    client.write_all(b"0\r\n\r\n").unwrap();
    let rest = read_until(&mut client, "\r\n\r\n");
    assert!(rest.contains("3\r\ntwo\r\n0\r\nx-sum: 1"), "{rest}");
    assert_eq!(proxy.wait_for_records(1)[0].response_bytes, 6);
}

#[test]
fn a_connection_serves_many_requests() {
    let proxy = Proxy::start(echo());
    let mut client = proxy.connect();
    for number in 0..3 {
        let request = format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let response = read_until(&mut client, "\r\n\r\n");
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        assert!(read_until(&mut client, "\r\n\r\n").starts_with(&format!("GET /{number} ")));
    }
}

#[test]
fn http2_carries_many_requests_on_one_connection() {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let proxy = Proxy::start(echo());
    let address = proxy.server.address();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http::<Empty<bytes::Bytes>>();
        let get = |path: String| {
            let client = client.clone();
            async move {
                let uri = format!("http://{address}{path}").parse().unwrap();
                let response = client.get(uri).await.unwrap();
                assert_eq!(response.version(), http::Version::HTTP_2);
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                (status, String::from_utf8(body.to_vec()).unwrap())
            }
        };
        let (first, second, third) = tokio::join!(
            get("/one?x".to_owned()),
            get("/forbidden".to_owned()),
            get("/other".to_owned())
        );
        assert_eq!(first.0, 200);
        assert!(
            first.1.starts_with("GET /one?x HTTP/1.1\r\n"),
            "{}",
            first.1
        );
        assert_eq!(second, (403, "no".to_owned()));
        assert!(third.1.starts_with("GET /other "), "{}", third.1);
    });
}
