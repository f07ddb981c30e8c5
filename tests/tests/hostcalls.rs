//! Hostile arguments to every hostcall, in every phase: the simulator must answer what real Envoy answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use host_sim::goproxy::{Module, Server, Tree};
use modgate_tests::envoy::{Config, Envoy};
use modgate_tests::http;
use modgate_tests::process::Process;
use modgate_tests::serve::Serve;
use serde_json::json;

/// What an argument is, in the order in which a hostcall takes them.
#[derive(Clone, Copy)]
enum Takes {
    /// A number, harmless by itself.
    Number(i64),
    /// A number of 64 bits.
    Long(i64),
    /// Address and size of a text.
    Text,
    /// Address and size of a serialized map.
    Map,
    /// An address to write to.
    Out,
}
use Takes::{Long, Map, Number, Out, Text};

/// A hostcall, and whether it may be called with harmless arguments: one that ends the stream or gives
/// the guest to another context may not.
type Hostcall = (&'static str, bool, &'static [Takes]);

const HOSTCALLS: &[Hostcall] = &[
    ("proxy_log", true, &[Number(0), Text]),
    ("proxy_get_log_level", true, &[Out]),
    ("proxy_set_tick_period_milliseconds", true, &[Number(0)]),
    ("proxy_get_current_time_nanoseconds", true, &[Out]),
    ("proxy_get_property", true, &[Text, Out, Out]),
    ("proxy_set_property", true, &[Text, Text]),
    (
        "proxy_get_buffer_bytes",
        true,
        &[Number(0), Number(0), Number(16), Out, Out],
    ),
    ("proxy_get_buffer_status", true, &[Number(0), Out, Out]),
    (
        "proxy_set_buffer_bytes",
        true,
        &[Number(0), Number(0), Number(0), Text],
    ),
    ("proxy_get_header_map_pairs", true, &[Number(0), Out, Out]),
    ("proxy_set_header_map_pairs", false, &[Number(0), Map]),
    ("proxy_get_header_map_size", true, &[Number(0), Out]),
    (
        "proxy_get_header_map_value",
        true,
        &[Number(0), Text, Out, Out],
    ),
    ("proxy_add_header_map_value", true, &[Number(0), Text, Text]),
    (
        "proxy_replace_header_map_value",
        true,
        &[Number(0), Text, Text],
    ),
    ("proxy_remove_header_map_value", true, &[Number(0), Text]),
    (
        "proxy_send_local_response",
        false,
        &[Number(200), Text, Text, Map, Number(-1)],
    ),
    ("proxy_continue_stream", false, &[Number(0)]),
    ("proxy_close_stream", false, &[Number(0)]),
    ("proxy_get_shared_data", true, &[Text, Out, Out, Out]),
    ("proxy_set_shared_data", true, &[Text, Text, Number(0)]),
    ("proxy_register_shared_queue", true, &[Text, Out]),
    ("proxy_resolve_shared_queue", true, &[Text, Text, Out]),
    ("proxy_dequeue_shared_queue", true, &[Number(999), Out, Out]),
    ("proxy_enqueue_shared_queue", true, &[Number(999), Text]),
    (
        "proxy_http_call",
        true,
        &[Text, Map, Text, Map, Number(1000), Out],
    ),
    (
        "proxy_grpc_call",
        true,
        &[Text, Text, Text, Map, Text, Number(1000), Out],
    ),
    ("proxy_grpc_stream", true, &[Text, Text, Text, Map, Out]),
    ("proxy_grpc_send", true, &[Number(999), Text, Number(0)]),
    ("proxy_grpc_cancel", true, &[Number(999)]),
    ("proxy_grpc_close", true, &[Number(999)]),
    ("proxy_get_status", true, &[Out, Out, Out]),
    ("proxy_define_metric", true, &[Number(0), Text, Out]),
    ("proxy_increment_metric", true, &[Number(999), Long(1)]),
    ("proxy_record_metric", true, &[Number(999), Long(1)]),
    ("proxy_get_metric", true, &[Number(999), Out]),
    ("proxy_set_effective_context", false, &[Number(1)]),
    ("proxy_call_foreign_function", true, &[Text, Text, Out, Out]),
    ("args_sizes_get", true, &[Out, Out]),
    ("environ_sizes_get", true, &[Out, Out]),
    ("clock_time_get", true, &[Number(0), Long(0), Out]),
    ("fd_fdstat_get", true, &[Number(1), Out]),
    ("fd_seek", true, &[Number(1), Long(0), Number(0), Out]),
    ("fd_read", true, &[Number(0), Out, Number(0), Out]),
    ("fd_prestat_get", true, &[Number(3), Out]),
    ("fd_prestat_dir_name", true, &[Number(3), Text]),
    ("fd_close", true, &[Number(1)]),
];

/// Those that may not be called with harmless arguments, and do nothing with a wrong number.
const BY_NUMBER: [&str; 3] = [
    "proxy_continue_stream",
    "proxy_close_stream",
    "proxy_set_effective_context",
];

/// Start of the VM, configuration, request headers, response headers, and the log at the end.
const PHASES: [char; 5] = ['V', 'C', 'Q', 'R', 'L'];

/// Where the guest has its text, `x-test`, an empty map, what hostcalls write, and its answers.
const TEXT: (i64, i64) = (1024, 6);
const MAP: (i64, i64) = (1040, 4);
const OUT: i64 = 64;
const ANSWERS: i64 = 4096;
/// Two pages.
const MEMORY: i64 = 131_072;

/// A hostcall with its arguments, as a person would write it.
type Call = (&'static str, Vec<i64>);

/// The harmless arguments, and every set with one of them made hostile.
fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for (name, is_harmless, takes) in HOSTCALLS {
        let mut good: Vec<i64> = Vec::new();
        let mut hostile: Vec<(usize, &[i64])> = Vec::new();
        for (i, takes) in takes.iter().enumerate() {
            let at = good.len();
            match takes {
                Number(n) => {
                    good.push(*n);
                    if *is_harmless || BY_NUMBER.contains(name) {
                        hostile.push((at, &[9, 999, -1]));
                    }
                }
                Long(n) => good.push(*n),
                Text | Map => {
                    let (address, size) = if matches!(takes, Text) { TEXT } else { MAP };
                    good.extend([address, size]);
                    hostile.push((at, &[-16, MEMORY - 1, MEMORY]));
                    hostile.push((at + 1, &[-1, 0x7fff_ffff, MEMORY]));
                }
                Out => {
                    good.push(OUT + 8 * i as i64);
                    hostile.push((at, &[-4, MEMORY - 1, MEMORY]));
                }
            }
        }
        if *is_harmless {
            calls.push((*name, good.clone()));
        }
        for (at, values) in hostile {
            for value in values {
                let mut arguments = good.clone();
                arguments[at] = *value;
                calls.push((*name, arguments));
            }
        }
    }
    calls
}

/// A filter that makes all calls in each of its callbacks, and says in one line of the log what came of
/// them, two digits each.
fn guest(calls: &[Call]) -> Vec<u8> {
    let mut imports = String::new();
    for (name, _, takes) in HOSTCALLS {
        let module = if name.starts_with("proxy_") {
            "env"
        } else {
            "wasi_snapshot_preview1"
        };
        let types: Vec<&str> = takes
            .iter()
            .flat_map(|takes| match takes {
                Text | Map => vec!["i32", "i32"],
                Number(_) | Out => vec!["i32"],
                Long(_) => vec!["i64"],
            })
            .collect();
        let types = types.join(" ");
        writeln!(
            imports,
            r#"(import "{module}" "{name}" (func ${name} (param {types}) (result i32)))"#
        )
        .unwrap();
    }
    let mut all = String::new();
    for (i, (name, arguments)) in calls.iter().enumerate() {
        let is_long = |at: usize| {
            let (_, _, takes) = HOSTCALLS.iter().find(|(known, ..)| known == name).unwrap();
            at == 1 && matches!(takes.get(1), Some(Long(_)))
        };
        let arguments: Vec<String> = arguments
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let kind = if is_long(at) { "i64" } else { "i32" };
                format!("({kind}.const {value})")
            })
            .collect();
        writeln!(
            all,
            "(call $put (i32.const {}) (call ${name} {}))",
            2 * i,
            arguments.join(" ")
        )
        .unwrap();
    }
    let size = 2 * calls.len() + 2;
    let phase = |export: &str, params: &str, letter: char, result: i32| {
        let code = u32::from(letter);
        format!(
            r#"(func (export "{export}") {params} (result i32)
              (call $run (i32.const {code})) (i32.const {result}))"#
        )
    };
    let text = format!(
        r#"(module
          {imports}
          (memory (export "memory") 2)
          (data (i32.const 1024) "x-test")
          (func (export "proxy_abi_version_0_2_1"))
          ;; What the host asks memory for is given up again by the next one.
          (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
          (func $put (param $at i32) (param $n i32)
            (i32.store8 (i32.add (i32.const {digits}) (local.get $at))
              (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 10))))
            (i32.store8 (i32.add (i32.const {digits} ) (i32.add (local.get $at) (i32.const 1)))
              (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
          (func $run (param $phase i32)
            (i32.store8 (i32.const {ANSWERS}) (local.get $phase))
            (i32.store8 (i32.const {colon}) (i32.const 58))
            {all}
            (drop (call $proxy_log (i32.const 4) (i32.const {ANSWERS}) (i32.const {size}))))
          (func (export "proxy_on_context_create") (param i32 i32))
          {start} {configure} {request} {response}
          (func (export "proxy_on_log") (param i32) (call $run (i32.const 76))))"#,
        digits = ANSWERS + 2,
        colon = ANSWERS + 1,
        start = phase("proxy_on_vm_start", "(param i32 i32)", 'V', 1),
        configure = phase("proxy_on_configure", "(param i32 i32)", 'C', 1),
        request = phase("proxy_on_request_headers", "(param i32 i32 i32)", 'Q', 0),
        response = phase("proxy_on_response_headers", "(param i32 i32 i32)", 'R', 0),
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The answers by phase, those of the last VM that said them: a worker's. A host has others before.
fn answers(log: &str, calls: usize) -> BTreeMap<char, String> {
    let mut all = BTreeMap::new();
    for phase in PHASES {
        for (at, mark) in log.match_indices(&format!("{phase}:")) {
            let from = at + mark.len();
            let digits = log.get(from..from + 2 * calls).unwrap_or_default();
            if digits.len() == 2 * calls && digits.bytes().all(|b| b.is_ascii_digit()) {
                all.insert(phase, digits.to_owned());
            }
        }
    }
    all
}

#[test]
fn hostile_arguments_get_the_answers_of_envoy() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(
        dir.path().join("tree"),
        &[Module::new("example.org/m", "v1.0.0")],
    )
    .unwrap();
    let server = Server::start(dir.path().join("tree")).unwrap();
    let calls = calls();
    let file = dir.path().join("hostile.wasm");
    std::fs::write(&file, guest(&calls)).unwrap();
    let policy = json!({});
    let clusters: [(&str, SocketAddr); 1] = [("backend", server.address())];

    let mut config = Config::new(policy.clone(), &clusters);
    config.module = file.clone();
    let mut envoy = Envoy::start(&config);
    let wasm = format!("--wasm={}", file.display());
    let mut serve = Serve::start_with(&policy, &clusters, &[wasm]);
    let told = |address: SocketAddr, process: &mut Process| {
        http::get(address, "/example.org/m/@v/list");
        let start = Instant::now();
        loop {
            let answers = answers(&process.log(), calls.len());
            if answers.len() == PHASES.len() {
                return answers;
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{:?}",
                answers.keys()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let wanted = told(envoy.address(), envoy.process());
    let seen = told(serve.address(), serve.process());

    let mut wrong = Vec::new();
    for phase in PHASES {
        for (i, (name, arguments)) in calls.iter().enumerate() {
            let at = 2 * i..2 * i + 2;
            let (envoy, simulator) = (&wanted[&phase][at.clone()], &seen[&phase][at]);
            if envoy != simulator {
                let call = format!("{phase} {name} {arguments:?}");
                wrong.push(format!("{call}: Envoy {envoy}, the simulator {simulator}"));
            }
        }
    }
    let all = calls.len() * PHASES.len();
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // Not all the same, and good ones among them.
    let kinds: BTreeSet<&[u8]> = wanted[&'Q'].as_bytes().chunks(2).collect();
    assert!(
        all > 2000 && kinds.len() >= 6 && kinds.contains(&b"00"[..]),
        "{all} {kinds:?}"
    );
}
