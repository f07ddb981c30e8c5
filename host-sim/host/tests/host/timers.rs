//! Ticks and clocks.

use std::time::Duration;

use super::support::{Host, guest, on_request};

#[test]
fn a_tick_comes_each_period_until_it_is_stopped() {
    let binary = guest(
        r#"(global $ticks (mut i32) (i32.const 0))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick (i32.const 100))) (i32.const 1))
        (func (export "proxy_on_tick") (param i32)
          (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
          (call $digits (global.get $ticks))
          (if (i32.eq (global.get $ticks) (i32.const 2))
            (then (drop (call $set_tick (i32.const 0))))))"#,
    );
    let mut host = Host::new(&binary);
    assert_eq!(
        host.worker.next_deadline(),
        Some(Duration::from_millis(100))
    );
    host.advance(Duration::from_millis(99));
    assert!(host.lines().is_empty());
    host.advance(Duration::from_millis(1));
    assert_eq!(host.lines(), ["01"]);
    host.advance(Duration::from_secs(60));
    assert_eq!(host.lines(), ["02"], "none is made up for");
    assert_eq!(host.worker.next_deadline(), None);
}

#[test]
fn time_is_the_clocks() {
    let binary = on_request(
        "(drop (call $now (i32.const 0)))
         (call $digits (i64.eq (i64.load (i32.const 0)) (i64.const 1704067200000000000)))
         (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 16)))
         (call $digits (i64.eq (i64.load (i32.const 0)) (i64.load (i32.const 16))))
         (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 16)))
         ;; Go's runtime takes 0 for a broken clock.
         (call $digits (i64.eq (i64.load (i32.const 16)) (i64.const 1000000000)))
         (call $digits (call $clock_time_get (i32.const 2) (i64.const 0) (i32.const 16)))",
    );
    let mut host = Host::new(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["01", "01", "01", "58"]);
}
