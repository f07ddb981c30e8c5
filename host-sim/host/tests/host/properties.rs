//! Properties.

use super::support::{Host, Setup, guest};
use envoy_wasm_host::http::Headers;
use envoy_wasm_host::{Downstream, PeerCertificate, PropertyValue, Tls};

/// A filter that shows the property at this path, parts parted by dots, in the request's headers
/// callback, the response's, and at the end.
fn show(path: &str) -> Vec<u8> {
    let escaped: String = path.replace('.', "\\00");
    let length = path.len();
    guest(&format!(
        r#"(data (i32.const 64) "{escaped}")
        (func $property
          (i64.store (i32.const 0) (i64.const 0))
          (call $digits (call $get_property (i32.const 64) (i32.const {length}) (i32.const 0) (i32.const 4)))
          (call $show))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $property) (i32.const 0))
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
          (call $property) (i32.const 0))
        (func (export "proxy_on_log") (param i32) (call $property))"#
    ))
}

/// What is shown at each of the three moments; `None` where there is nothing.
fn seen(path: &str) -> Vec<Option<String>> {
    let mut setup = Setup::default();
    setup.plugin.root_id = "root".to_owned();
    setup.vm.vm_id = "vm".to_owned();
    let mut host = setup.start(&show(path));
    let downstream = Downstream {
        connection_id: 7,
        tls: Some(Tls {
            version: "TLSv1.3".to_owned(),
            requested_server_name: "sni".to_owned(),
            peer: Some(PeerCertificate {
                subject: "CN=a".to_owned(),
                uri_sans: vec!["spiffe://a".to_owned()],
                ..PeerCertificate::default()
            }),
        }),
        ..Downstream::default()
    };
    let stream = host.worker.create_stream(host.root, downstream);
    let headers = Headers::from_pairs([
        (":authority", "proxy"),
        (":path", "/p?q=1"),
        (":method", "GET"),
        (":scheme", "http"),
        ("x-request-id", "id-1"),
    ]);
    host.worker.request_headers(stream, headers, true);
    host.clock.advance(std::time::Duration::from_nanos(5));
    host.respond(stream, &[(":status", "404")], true);
    let lines = host.lines();
    let chunks = lines.chunks(2);
    chunks
        .map(|shown| match shown[0].as_str() {
            "00" => Some(shown[1].clone()),
            "01" => None,
            "03" => Some("whole".to_owned()),
            status => panic!("{path}: status {status}"),
        })
        .collect()
}

fn number(n: u64) -> Option<String> {
    Some(String::from_utf8_lossy(&n.to_le_bytes()).into_owned())
}

#[test]
fn texts() {
    let rows = [
        ("plugin_root_id", "root"),
        ("plugin_vm_id", "vm"),
        ("xds.node.id", "host-sim"),
        ("xds.filter_chain_name", ""),
        ("xds.cluster_metadata", ""),
        ("xds.node.metadata", "\0\0\0\0"),
        ("metadata", ""),
        ("xds.node.cluster", "host-sim"),
        ("xds.cluster_name", "up"),
        ("xds.route_name", "default"),
        ("source.address", "127.0.0.1:40000"),
        ("request.protocol", "HTTP/1.1"),
        ("connection.tls_version", "TLSv1.3"),
        ("connection.subject_peer_certificate", "CN=a"),
        ("connection.uri_san_peer_certificate", "spiffe://a"),
    ];
    table_rows::check(rows, |(path, expected)| {
        assert_eq!(seen(path)[0].as_deref(), Some(expected), "{path}");
    });
}

#[test]
fn what_other_filters_left_is_found_by_its_path() {
    let path = "metadata\\00filter_metadata\\00envoy.filters.http.jwt_authn\\00payload\\00tenant";
    let length = path.replace("\\00", "0").len();
    let binary = guest(&format!(
        r#"(data (i32.const 64) "{path}")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $get_property (i32.const 64) (i32.const {length}) (i32.const 0) (i32.const 4)))
          (call $show) (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    let tenant = PropertyValue::Map(vec![("tenant".to_owned(), PropertyValue::text("acme"))]);
    let downstream = Downstream {
        metadata: vec![(
            "envoy.filters.http.jwt_authn".to_owned(),
            PropertyValue::Map(vec![("payload".to_owned(), tenant)]),
        )],
        ..Downstream::default()
    };
    let stream = host.worker.create_stream(host.root, downstream);
    host.worker.request_headers(stream, Headers::new(), true);
    assert_eq!(host.lines()[..2], ["00", "acme"]);
}

#[test]
fn a_requests_own_are_there_while_its_headers_are_and_at_the_end() {
    let rows = [
        ("request.path", "/p?q=1"),
        ("request.url_path", "/p"),
        ("request.query", "q=1"),
        ("request.host", "proxy"),
        ("request.method", "GET"),
        ("request.id", "id-1"),
        ("request.headers.x-request-id", "id-1"),
    ];
    table_rows::check(rows, |(path, expected)| {
        let seen = seen(path);
        assert_eq!(seen[0].as_deref(), Some(expected), "{path}");
        assert_eq!(seen[1], None, "{path}: the request has passed");
        assert_eq!(seen[2].as_deref(), Some(expected), "{path}");
    });
}

#[test]
fn numbers() {
    assert_eq!(seen("response.code"), [None, number(404), number(404)]);
    assert_eq!(seen("request.duration"), [None, None, number(5)]);
    assert_eq!(
        seen("response.backend_latency"),
        [None, number(5), number(5)]
    );
    assert_eq!(
        seen("upstream.request_attempt_count"),
        [number(0), number(1), number(1)]
    );
    assert_eq!(seen("source.port")[0], number(40000));
    assert_eq!(seen("connection.id")[0], number(7));
    assert_eq!(seen("connection_id")[0], number(7));
    assert_eq!(seen("response.flags")[2], number(0));
    assert_eq!(seen("connection.mtls")[0].as_deref(), Some("\u{1}"));
    assert_eq!(
        seen("response.code_details")[2].as_deref(),
        Some("via_upstream")
    );
}

#[test]
fn envoys_old_names_and_unknown_ones_are_not_found() {
    for path in [
        "cluster_name",
        "route_metadata",
        "request.nothing",
        "node",
        "node.id",
        "xds.nothing",
        "upstream.address",
        "source.address.deeper",
        "nothing",
    ] {
        assert_eq!(seen(path)[0], None, "{path}");
    }
}

#[test]
fn what_is_computed_by_its_members_cannot_be_had_whole() {
    for path in [
        "request",
        "response",
        "connection",
        "source",
        "filter_state",
    ] {
        assert_eq!(seen(path)[0].as_deref(), Some("whole"), "{path}");
    }
}

#[test]
fn a_value_that_was_set_is_found_by_its_name() {
    let binary = guest(
        r#"(data (i32.const 64) "mine")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $set_property (i32.const 64) (i32.const 4) (i32.const 65) (i32.const 2)))
          (call $digits (call $get_property (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 4)))
          (call $show) (i32.const 0))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (i32.eq (i32.const 1)
            (call $set_property (i32.const 64) (i32.const 4) (i32.const 65) (i32.const 2))))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["00", "00", "in"]);
}
