//! Modules for the ABI's other versions, and for other kinds of start.

use super::support::{Host, PRELUDE, assemble};

#[test]
fn the_first_abi_has_headers_callbacks_without_the_end() {
    let binary = assemble(
        r#"(module
          (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
          (import "env" "proxy_get_configuration" (func $configuration (param i32 i32) (result i32)))
          (import "env" "proxy_continue_request" (func $continue_request (result i32)))
          (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 64) "none")
          (func (export "malloc") (param i32) (result i32) (i32.const 4096))
          (func (export "proxy_abi_version_0_1_0"))
          (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (drop (call $configuration (i32.const 0) (i32.const 4)))
            (drop (call $log (i32.const 2) (i32.load (i32.const 0)) (i32.load (i32.const 4))))
            (i32.const 1))
          (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
            ;; A header that is not there is empty.
            (call $get_header (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 4))))"#,
    );
    let setup = super::support::Setup {
        plugin: envoy_wasm_host::PluginConfig {
            configuration: b"conf".to_vec(),
            ..envoy_wasm_host::PluginConfig::default()
        },
        ..super::support::Setup::default()
    };
    let mut host = setup.start(&binary);
    assert_eq!(host.lines(), ["conf"]);
    host.get("/");
    assert_eq!(host.story(), ["to up: / end"]);
}

#[test]
fn any_entry_function_is_accepted() {
    let rows = [
        (
            "0_2_0",
            r#"(func (export "_start") (call $digits (i32.const 1)))"#,
        ),
        (
            "0_2_1",
            r#"(func (export "_initialize") (call $digits (i32.const 1)))
                     (func (export "_start") unreachable)"#,
        ),
        (
            "0_2_1",
            "(func $begin (call $digits (i32.const 1))) (start $begin)",
        ),
    ];
    table_rows::check(rows, |(version, entry)| {
        let binary = assemble(&format!(
            r#"(module {PRELUDE} (func (export "proxy_abi_version_{version}")) {entry})"#
        ));
        let mut host = Host::new(&binary);
        assert_eq!(host.lines(), ["01"], "{version}: {entry}");
    });
}
