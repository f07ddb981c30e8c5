//! Every hostcall and every function of WASI that Envoy has, with harmless and with hostile arguments.

/// What an argument is, in the order in which a hostcall takes them.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
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
pub type Hostcall = (&'static str, bool, &'static [Takes]);

/// All of them.
pub const HOSTCALLS: &[Hostcall] = &[
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
    ("fd_write", true, &[Number(1), Out, Number(0), Out]),
    (
        "path_open",
        true,
        &[
            Number(3),
            Number(0),
            Text,
            Number(0),
            Long(0),
            Long(0),
            Number(0),
            Out,
        ],
    ),
    ("args_get", true, &[Out, Out]),
    ("environ_get", true, &[Out, Out]),
    ("random_get", true, &[Out, Number(8)]),
    ("sched_yield", true, &[]),
    ("poll_oneoff", true, &[Out, Out, Number(1), Out]),
    ("proxy_done", true, &[]),
];
/// Those that may not be called with harmless arguments, and do nothing with a wrong number.
const BY_NUMBER: [&str; 3] = [
    "proxy_continue_stream",
    "proxy_close_stream",
    "proxy_set_effective_context",
];

/// Where the guest has its text, `x-test`, an empty map, what hostcalls write.
pub const TEXT: (i64, i64) = (2048, 6);
const MAP: (i64, i64) = (2064, 4);
const OUT: i64 = 64;
/// Where the guest leaves its answers.
pub const ANSWERS: i64 = 4096;
/// Two pages, the guest's memory.
pub const MEMORY: i64 = 131_072;

/// A hostcall with its arguments, as a person would write it.
pub type Call = (&'static str, Vec<i64>);

/// The harmless arguments, and every set with one of them made hostile.
pub fn all() -> Vec<Call> {
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
