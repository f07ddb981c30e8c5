//! The functions of WASI.

use std::collections::BTreeSet;

use super::support::{Host, Setup, guest, on_request};
use envoy_wasm_host::{Effect, LogLevel};

fn answers(calls: &[&str]) -> Vec<String> {
    let instructions: Vec<String> = calls
        .iter()
        .map(|c| format!("(call $digits {c})"))
        .collect();
    let mut host = Host::new(&on_request(&instructions.join("\n")));
    host.get("/");
    assert!(host.worker.failure().is_none());
    host.lines()
}

#[test]
fn output_goes_to_the_log_one_line_for_each_write() {
    let binary = guest(
        r#"(data (i32.const 64) "hello world\0a")
        (data (i32.const 80) "\40\00\00\00\06\00\00\00\46\00\00\00\06\00\00\00")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (call $fd_write (i32.const 1) (i32.const 80) (i32.const 2) (i32.const 0)))
          (call $digits (i32.load (i32.const 0)))
          (call $digits (call $fd_write (i32.const 2) (i32.const 80) (i32.const 1) (i32.const 0)))
          (i32.const 0))"#,
    );
    let mut host = Host::new(&binary);
    host.get("/");
    let logs: Vec<_> = host
        .take()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Log(level, line) => Some((level, line)),
            _ => None,
        })
        .collect();
    assert_eq!(logs[0], (LogLevel::Info, "hello world".to_owned()));
    assert_eq!(logs[2], (LogLevel::Info, "12".to_owned()));
    assert_eq!(logs[3], (LogLevel::Error, "hello ".to_owned()));
}

#[test]
fn there_are_no_files() {
    assert_eq!(
        answers(&[
            "(call $fd_write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
            "(call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
            "(call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0))",
            "(call $fd_close (i32.const 1))",
            "(call $fd_fdstat_get (i32.const 1) (i32.const 0))",
            "(call $fd_fdstat_get (i32.const 3) (i32.const 0))",
            "(call $fd_prestat_get (i32.const 3) (i32.const 0))",
            "(call $fd_prestat_dir_name (i32.const 3) (i32.const 0) (i32.const 0))",
            "(call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))",
            "(call $sched_yield)",
            "(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        ]),
        [
            "08", "52", "00", "00", "00", "08", "08", "52", "44", "00", "00"
        ]
    );
}

#[test]
fn hostile_arguments_are_faults() {
    let calls = [
        "(call $fd_write (i32.const 1) (i32.const -16) (i32.const 4) (i32.const 0))",
        "(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0))",
        "(call $fd_write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const -1))",
        "(call $fd_fdstat_get (i32.const 1) (i32.const 131050))",
        "(call $environ_sizes_get (i32.const -1) (i32.const 0))",
        "(call $args_sizes_get (i32.const 0) (i32.const -1))",
        "(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const -4))",
        "(call $random_get (i32.const -4) (i32.const 8))",
        "(call $random_get (i32.const 0) (i32.const -1))",
        "(call $random_get (i32.const 0) (i32.const 65537))",
        "(call $random_get (i32.const 0) (i32.const 0))",
    ];
    let fault = "21";
    assert_eq!(
        answers(&calls),
        [
            fault, fault, fault, "00", fault, fault, fault, fault, "28", "28", "00"
        ]
    );
}

#[test]
fn the_environment_is_the_vms() {
    let mut setup = Setup::default();
    setup.vm.environment = vec![("A".into(), "1".into()), ("BC".into(), "23".into())];
    let binary = on_request(
        "(drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
         (call $digits (i32.load (i32.const 16)))
         (call $digits (i32.load (i32.const 20)))
         (drop (call $environ_get (i32.const 32) (i32.const 64)))
         (call $say (i32.const 64) (i32.load (i32.const 20)))
         (call $digits (i32.sub (i32.load (i32.const 36)) (i32.load (i32.const 32))))
         (call $digits (call $environ_get (i32.const 32) (i32.const 131070)))",
    );
    let mut host = setup.start(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["02", "10", "A=1\0BC=23\0", "04", "21"]);
}

#[test]
fn random_numbers_are_the_seeds() {
    let binary = on_request(
        "(drop (call $random_get (i32.const 16) (i32.const 8)))
         (call $digits (i32.rem_u (i32.load (i32.const 16)) (i32.const 100)))
         (call $digits (i32.rem_u (i32.load (i32.const 20)) (i32.const 100)))",
    );
    let run = |seed| {
        let mut setup = Setup::default();
        setup.proxy.seed = seed;
        let mut host = setup.start(&binary);
        host.get("/");
        host.lines()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn what_is_not_allowed_says_so() {
    let binary = on_request(
        "(call $digits (call $now (i32.const 0)))
         (call $digits (call $sched_yield))",
    );
    let mut setup = Setup::default();
    setup.vm.allowed_functions = Some(BTreeSet::from(["proxy_log".to_owned()]));
    let mut host = setup.start(&binary);
    host.get("/");
    let restricted = |name: &str| format!("attempted call to restricted capability: {name}");
    assert_eq!(
        host.lines(),
        [
            restricted("proxy_get_current_time_nanoseconds"),
            "10".to_owned(),
            restricted("sched_yield"),
            "76".to_owned()
        ]
    );
}
