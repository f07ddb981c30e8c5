//! Header maps.

use super::support::{Host, guest, on_request, tell, text};
use envoy_wasm_host::{Effect, StreamEffect};

/// The headers that went upstream, as `name: value`.
fn upstream_headers(host: &mut Host) -> Vec<String> {
    for effect in host.take() {
        if let Effect::Stream(_, StreamEffect::UpstreamHeaders { headers, .. }) = effect {
            return headers
                .iter()
                .map(|(n, v)| format!("{}: {}", text(n), text(v)))
                .collect();
        }
    }
    Vec::new()
}

const DATA: &str = r#"(data (i32.const 64) "X-Added:pathvalue/new?q")"#;

#[test]
fn values_are_added_replaced_and_removed() {
    let binary = guest(&format!(
        r#"{DATA}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          ;; X-Added: value
          (drop (call $add_header (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 76) (i32.const 5)))
          ;; :path = /new?q
          (drop (call $set_header (i32.const 0) (i32.const 71) (i32.const 5) (i32.const 81) (i32.const 6)))
          ;; the second "x-added" is added, not joined
          (drop (call $add_header (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 81) (i32.const 4)))
          (drop (call $get_header (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 0) (i32.const 4)))
          (call $show)
          (i32.const 0))"#
    ));
    let mut host = Host::new(&binary);
    host.request(&[(":method", "GET"), (":path", "/old"), ("a", "1")], true);
    let effects = host.take();
    assert_eq!(tell(&effects[0]), "value");
    let Effect::Stream(_, StreamEffect::UpstreamHeaders { headers, .. }) = &effects[1] else {
        panic!("{effects:?}");
    };
    let pairs: Vec<_> = headers
        .iter()
        .map(|(n, v)| format!("{}: {}", text(n), text(v)))
        .collect();
    assert_eq!(
        pairs,
        [
            ":authority: proxy",
            ":scheme: http",
            ":method: GET",
            ":path: /new?q",
            "a: 1",
            "x-added: value",
            "x-added: /new"
        ]
    );
}

#[test]
fn a_map_can_be_set_whole() {
    let binary = guest(
        r#"(data (i32.const 64) "\02\00\00\00\05\00\00\00\01\00\00\00\07\00\00\00\03\00\00\00:path\00/\00:method\00PUT\00")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $set_pairs (i32.const 0) (i32.const 64) (i32.const 40)))
          (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/old");
    // Without :authority it cannot be sent.
    assert_eq!(
        host.story(),
        [
            "00",
            "client: 503",
            "client: missing required header: :authority end",
            "ended filter_removed_required_request_headers{missing_required_header:_:authority}"
        ]
    );
}

#[test]
fn pairs_come_in_envoys_encoding() {
    let binary = on_request(
        "(drop (call $get_pairs (i32.const 0) (i32.const 0) (i32.const 4))) (call $show)",
    );
    let mut host = Host::new(&binary);
    host.request(&[(":method", "GET"), (":path", "/")], true);
    let lines = host.lines();
    let bytes = lines[0].as_bytes();
    assert_eq!(bytes[..12], [4, 0, 0, 0, 10, 0, 0, 0, 5, 0, 0, 0]);
    assert!(lines[0].ends_with(":authority\0proxy\0:scheme\0http\0:method\0GET\0:path\0/\0"));
}

#[test]
fn writing_a_header_picks_the_route_again() {
    let data = r#"(data (i32.const 64) "x-backend-clusterother")"#;
    let binary = guest(&format!(
        r#"{data}
        (data (i32.const 128) "xds\00cluster_name")
        (func $cluster
          (call $digits (call $get_property (i32.const 128) (i32.const 16) (i32.const 0) (i32.const 4))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $cluster)
          (drop (call $add_header (i32.const 0) (i32.const 64) (i32.const 17) (i32.const 81) (i32.const 5)))
          (call $cluster) (call $show)
          (i32.const 0))"#
    ));
    let mut setup = super::support::Setup::default();
    setup.proxy.route = envoy_wasm_host::Route::ClusterHeader("x-backend-cluster".to_owned());
    let mut host = setup.start(&binary);
    host.get("/");
    assert_eq!(host.story(), ["01", "00", "other", "to other: / end"]);
    host.get("/");
    let sent = upstream_headers(&mut host);
    assert!(
        !sent.iter().any(|h| h.contains("x-backend-cluster")),
        "{sent:?}"
    );
}

#[test]
fn a_request_without_a_cluster_is_refused() {
    let mut setup = super::support::Setup::default();
    setup.proxy.route = envoy_wasm_host::Route::ClusterHeader("x-cluster".to_owned());
    let mut host = setup.start(&guest(""));
    host.get("/");
    assert_eq!(host.story(), ["client: 503 end", "ended cluster_not_found"]);
    host.request(
        &[(":method", "GET"), (":path", "/"), ("x-cluster", "nope")],
        true,
    );
    assert_eq!(host.story(), ["client: 503 end", "ended cluster_not_found"]);
    let mut setup = super::support::Setup::default();
    setup.proxy.route = envoy_wasm_host::Route::None;
    let mut host = setup.start(&guest(""));
    host.get("/");
    assert_eq!(host.story(), ["client: 404 end", "ended route_not_found"]);
}

#[test]
fn values_are_bytes() {
    let binary = guest(
        r#"(data (i32.const 64) "x\ff\fe\00")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $add_header (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 65) (i32.const 3)))
          (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/");
    let effects = host.take();
    let Effect::Stream(_, StreamEffect::UpstreamHeaders { headers, .. }) = &effects[0] else {
        panic!("{effects:?}");
    };
    assert_eq!(headers.get("x").unwrap().as_ref(), b"\xff\xfe\0");
}
