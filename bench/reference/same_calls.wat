;; The calls that Modgate's filter makes for a small request that is allowed, in their order, with no work
;; between them: what is left if deciding cost nothing.
(module
  (import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
  (import "env" "proxy_get_header_map_pairs" (func $get_pairs (param i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $set_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define_metric (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))
  (import "env" "proxy_record_metric" (func $record_metric (param i32 i64) (result i32)))

  ;; One page for what stands here, the second for what the host asks memory for, afresh in each callback.
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (data (i32.const 64) ":path")
  (data (i32.const 80) "/example.com/module/@v/v1.2.3.info")
  (data (i32.const 128) "x-modgate-cluster")
  (data (i32.const 160) "upstream")
  (data (i32.const 192) "reference_counter")
  (data (i32.const 224) "reference_histogram")

  (func $counter (result i32) (i32.load (i32.const 8)))
  (func $histogram (result i32) (i32.load (i32.const 12)))
  (func $count (drop (call $increment_metric (call $counter) (i64.const 1))))

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    global.get $heap
    (global.set $heap (i32.add (global.get $heap) (local.get $size))))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $define_metric (i32.const 0) (i32.const 192) (i32.const 17) (i32.const 8)))
    (drop (call $define_metric (i32.const 2) (i32.const 224) (i32.const 19) (i32.const 12)))
    i32.const 1)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $heap (i32.const 65536))
    (drop (call $now (i32.const 16)))
    (drop (call $get_pairs (i32.const 0) (i32.const 24) (i32.const 28)))
    call $count
    (drop (call $set_header (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 34)))
    (drop (call $set_header (i32.const 0) (i32.const 128) (i32.const 17) (i32.const 160) (i32.const 8)))
    i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (global.set $heap (i32.const 65536))
    (drop (call $get_pairs (i32.const 2) (i32.const 24) (i32.const 28)))
    call $count
    i32.const 0)
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_log") (param i32)
    (drop (call $now (i32.const 16)))
    call $count
    (drop (call $record_metric (call $histogram) (i64.const 1)))
    call $count)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_delete") (param i32)))
