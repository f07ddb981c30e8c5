//! A filter that makes the calls, and what it says came of them.

use std::collections::BTreeMap;

use super::calls::Takes::{Long, Map, Number, Out, Text};
use super::calls::{ANSWERS, Call, HOSTCALLS, TEXT};

/// Start of the VM, configuration, request headers, response headers, and the log at the end.
pub const PHASES: [char; 5] = ['V', 'C', 'Q', 'R', 'L'];

/// A filter that makes all calls in each of its callbacks, and says in one line of the log what came of
/// them, two digits each.
///
/// # Panics
/// Where it is no module.
pub fn of(calls: &[Call]) -> Vec<u8> {
    let mut imports = String::new();
    for (name, ..) in HOSTCALLS {
        let module = if name.starts_with("proxy_") {
            "env"
        } else {
            "wasi_snapshot_preview1"
        };
        let types = types(name).join(" ");
        imports +=
            &format!(r#"(import "{module}" "{name}" (func ${name} (param {types}) (result i32)))"#);
    }
    let mut all = String::new();
    for (i, (name, arguments)) in calls.iter().enumerate() {
        let arguments: Vec<String> = arguments
            .iter()
            .zip(types(name))
            .map(|(value, kind)| format!("({kind}.const {value})"))
            .collect();
        all += &format!(
            "(call $put (i32.const {}) (call ${name} {}))
",
            2 * i,
            arguments.join(" ")
        );
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
          (data (i32.const {text}) "x-test")
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
        text = TEXT.0,
        digits = ANSWERS + 2,
        colon = ANSWERS + 1,
        start = phase("proxy_on_vm_start", "(param i32 i32)", 'V', 1),
        configure = phase("proxy_on_configure", "(param i32 i32)", 'C', 1),
        request = phase("proxy_on_request_headers", "(param i32 i32 i32)", 'Q', 0),
        response = phase("proxy_on_response_headers", "(param i32 i32 i32)", 'R', 0),
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The types of a hostcall's arguments.
fn types(name: &str) -> Vec<&'static str> {
    let takes = HOSTCALLS.iter().find(|(known, ..)| *known == name);
    let takes = takes.map_or(&[][..], |(_, _, takes)| takes);
    let types = takes.iter().flat_map(|takes| match takes {
        Text | Map => &["i32", "i32"][..],
        Number(_) | Out => &["i32"],
        Long(_) => &["i64"],
    });
    types.copied().collect()
}

/// The answers by phase, those of the last VM that said them: a worker's. A host has others before.
pub fn answers(log: &str, calls: usize) -> BTreeMap<char, Vec<String>> {
    let mut all = BTreeMap::new();
    for phase in PHASES {
        for (at, mark) in log.match_indices(&format!("{phase}:")) {
            let from = at + mark.len();
            let digits = log.get(from..from + 2 * calls).unwrap_or_default();
            if digits.len() == 2 * calls && digits.bytes().all(|b| b.is_ascii_digit()) {
                let answers = digits.as_bytes().chunks(2);
                let answers = answers.map(|two| String::from_utf8_lossy(two).into_owned());
                all.insert(phase, answers.collect());
            }
        }
    }
    all
}
