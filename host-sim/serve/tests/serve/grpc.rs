//! gRPC calls of the filter to an upstream that speaks HTTP/2.

use std::net::SocketAddr;

use envoy_wasm_serve::ModuleSource;
use http::{HeaderMap, HeaderValue, Response};

use super::support::Proxy;

const PRELUDE: &str = include_str!("../../../host/tests/host/prelude.wat");

/// Asks `up` with every request, and answers with what it hears.
const FILTER: &str = r#"
  (data (i32.const 64) "upServiceMethodquestion")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_request_headers") (param $ctx i32) (param i32 i32) (result i32)
    (i32.store (i32.const 20) (local.get $ctx))
    (drop (call $grpc_call (i32.const 64) (i32.const 2) (i32.const 66) (i32.const 7) (i32.const 73) (i32.const 6)
      (i32.const 0) (i32.const 0) (i32.const 79) (i32.const 8) (i32.const 5000) (i32.const 16)))
    (i32.const 1))
  (func $answer (param $status i32)
    (drop (call $set_context (i32.load (i32.const 20))))
    (drop (call $reply (local.get $status) (i32.const 0) (i32.const 0) (i32.load (i32.const 0)) (i32.load (i32.const 4))
      (i32.const 0) (i32.const 0) (i32.const -1))))
  (func (export "proxy_on_grpc_receive") (param i32 i32) (param $size i32)
    (drop (call $get_buffer (i32.const 5) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (call $answer (i32.const 200)))
  (func (export "proxy_on_grpc_close") (param i32 i32) (param $status i32)
    (drop (call $get_status (i32.const 12) (i32.const 0) (i32.const 4)))
    (call $answer (i32.add (i32.const 500) (local.get $status))))"#;

fn proxy(upstream: SocketAddr) -> Proxy {
    let module = wat::parse_str(format!("(module {PRELUDE} {FILTER})")).unwrap();
    Proxy::with(upstream, |config| {
        config.module = ModuleSource::Bytes(module)
    })
}

/// Answers one call of gRPC for each connection, with the message that came and this status.
fn server(status: &'static str) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        tokio::spawn(async move {
                            assert_eq!(request.uri().path(), "/Service/Method");
                            assert_eq!(request.headers()["te"], "trailers");
                            assert_eq!(request.headers()["content-type"], "application/grpc");
                            let mut body = request.into_body();
                            let message = body.data().await.unwrap().unwrap();
                            let mut answer =
                                respond.send_response(Response::new(()), false).unwrap();
                            // In two pieces, as a network may.
                            let half = message.len() / 2;
                            answer.send_data(message.slice(..half), false).unwrap();
                            answer.send_data(message.slice(half..), false).unwrap();
                            let mut trailers = HeaderMap::new();
                            trailers.insert("grpc-status", HeaderValue::from_static(status));
                            answer.send_trailers(trailers).unwrap();
                        });
                    }
                });
            }
        });
    });
    address
}

#[test]
fn a_call_goes_over_http2_and_its_message_comes_back() {
    let proxy = proxy(server("0"));
    for _ in 0..2 {
        let response = proxy.get("/");
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        assert!(response.ends_with("\r\n\r\nquestion"), "{response}");
    }
}

#[test]
fn a_call_that_fails_is_its_status() {
    let response = proxy(server("7")).get("/");
    assert!(response.starts_with("HTTP/1.1 507"), "{response}");
    let response = proxy(super::support::nobody()).get("/");
    assert!(response.starts_with("HTTP/1.1 514"), "{response}");
    assert!(response.contains("remote connection failure"), "{response}");
}
