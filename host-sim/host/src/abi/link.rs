//! Every import that a filter may have, by name.

use wasmtime::{Caller, Linker};

use super::call::{Call, Fault, Outcome};
use super::{
    buffers, effective_context, foreign, grpc, header_maps, http_callouts, log, metrics,
    properties, queues, shared_data, stream_control, timers, wasi,
};
use crate::effect::{Crossing, Effect, LogLevel};
use crate::host::Host;
use crate::types::Status;
use crate::vm::{Engine, ModuleError, VmConfig};

/// Links hostcalls: name, function, and the types of the arguments, all of them numbers. One that
/// the configuration does not allow is there too, but only says so.
macro_rules! hostcalls {
    ($linker:expr, $config:expr; $($name:literal => $function:path, ($($arg:ident: $type:ty),*);)*) => {
        $(
            let allowed = allows($config, $name);
            $linker.func_wrap("env", $name, move |caller: Caller<'_, Host>, $($arg: $type),*| {
                if !allowed {
                    return Ok(restricted(caller, $name, Status::InternalFailure as u32));
                }
                let arguments = || vec![$($arg.to_string()),*];
                answer(caller, $name, arguments, |call| $function(call, $($arg),*))
            })?;
        )*
    };
}

/// As `hostcalls!`, for the functions of WASI, which answer with an errno of their own.
macro_rules! wasi_calls {
    ($linker:expr, $config:expr; $($name:literal => $function:path, ($($arg:ident: $type:ty),*);)*) => {
        for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
            $(
                let allowed = allows($config, $name);
                $linker.func_wrap(module, $name, move |caller: Caller<'_, Host>, $($arg: $type),*| {
                    if !allowed {
                        return restricted(caller, $name, wasi::NOT_CAPABLE);
                    }
                    match Call::new(caller) {
                        Ok(mut call) => {
                            let errno = wasi::errno($function(&mut call, $($arg),*));
                            trace(&mut call, $name, || vec![$($arg.to_string()),*], Some(&errno));
                            errno
                        }
                        Err(_) => wasi::FAULT,
                    }
                })?;
            )*
        }
    };
}

/// Everything that a filter can import.
pub(crate) fn linker(engine: &Engine, config: &VmConfig) -> Result<Linker<Host>, ModuleError> {
    let mut linker = Linker::new(engine.inner());
    link_proxy_wasm(&mut linker, config)
        .and_then(|()| link_wasi(&mut linker, config))
        .and_then(|()| link_emscripten(&mut linker))
        .map_err(ModuleError::engine)?;
    Ok(linker)
}

fn link_proxy_wasm(linker: &mut Linker<Host>, config: &VmConfig) -> wasmtime::Result<()> {
    hostcalls! { linker, config;
        "proxy_log" => log::log, (level: u32, text: u32, size: u32);
        "proxy_get_log_level" => log::get_log_level, (to: u32);
        "proxy_set_tick_period_milliseconds" => timers::set_tick_period, (period: u32);
        "proxy_get_current_time_nanoseconds" => timers::get_current_time, (to: u32);
        "proxy_get_property" => properties::get_property, (path: u32, size: u32, to: u32, to_size: u32);
        "proxy_set_property" => properties::set_property, (path: u32, size: u32, value: u32, value_size: u32);
        "proxy_get_configuration" => buffers::get_configuration, (to: u32, to_size: u32);
        "proxy_get_buffer_bytes" => buffers::get_buffer, (buffer: u32, start: u32, length: u32, to: u32, to_size: u32);
        "proxy_get_buffer_status" => buffers::get_buffer_status, (buffer: u32, to_size: u32, to_flags: u32);
        "proxy_set_buffer_bytes" => buffers::set_buffer, (buffer: u32, start: u32, length: u32, data: u32, size: u32);
        "proxy_get_header_map_pairs" => header_maps::get_pairs, (map: u32, to: u32, to_size: u32);
        "proxy_set_header_map_pairs" => header_maps::set_pairs, (map: u32, pairs: u32, size: u32);
        "proxy_get_header_map_size" => header_maps::get_size, (map: u32, to: u32);
        "proxy_get_header_map_value" => header_maps::get_value, (map: u32, name: u32, size: u32, to: u32, to_size: u32);
        "proxy_add_header_map_value" => header_maps::add_value, (map: u32, name: u32, size: u32, value: u32, value_size: u32);
        "proxy_replace_header_map_value" => header_maps::replace_value, (map: u32, name: u32, size: u32, value: u32, value_size: u32);
        "proxy_remove_header_map_value" => header_maps::remove_value, (map: u32, name: u32, size: u32);
        "proxy_send_local_response" => stream_control::send_local_response, (status: u32, details: u32, details_size: u32, body: u32, body_size: u32, headers: u32, headers_size: u32, grpc_status: u32);
        "proxy_continue_stream" => stream_control::continue_stream, (stream: u32);
        "proxy_close_stream" => stream_control::close_stream, (stream: u32);
        "proxy_continue_request" => stream_control::continue_request, ();
        "proxy_continue_response" => stream_control::continue_response, ();
        "proxy_clear_route_cache" => stream_control::clear_route_cache, ();
        "proxy_get_shared_data" => shared_data::get, (key: u32, size: u32, to: u32, to_size: u32, to_cas: u32);
        "proxy_set_shared_data" => shared_data::set, (key: u32, size: u32, value: u32, value_size: u32, cas: u32);
        "proxy_register_shared_queue" => queues::register, (name: u32, size: u32, to: u32);
        "proxy_resolve_shared_queue" => queues::resolve, (vm: u32, vm_size: u32, name: u32, size: u32, to: u32);
        "proxy_dequeue_shared_queue" => queues::dequeue, (queue: u32, to: u32, to_size: u32);
        "proxy_enqueue_shared_queue" => queues::enqueue, (queue: u32, item: u32, size: u32);
        "proxy_http_call" => http_callouts::http_call, (cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32, trailers: u32, trailers_size: u32, timeout_ms: u32, to: u32);
        "proxy_grpc_call" => grpc::call, (service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32, metadata: u32, metadata_size: u32, message: u32, message_size: u32, timeout_ms: u32, to: u32);
        "proxy_grpc_stream" => grpc::stream, (service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32, metadata: u32, metadata_size: u32, to: u32);
        "proxy_grpc_send" => grpc::send, (token: u32, message: u32, size: u32, end_stream: u32);
        "proxy_grpc_cancel" => grpc::cancel, (token: u32);
        "proxy_grpc_close" => grpc::close, (token: u32);
        "proxy_get_status" => grpc::get_status, (to_code: u32, to: u32, to_size: u32);
        "proxy_define_metric" => metrics::define, (kind: u32, name: u32, size: u32, to: u32);
        "proxy_increment_metric" => metrics::increment, (metric: u32, offset: i64);
        "proxy_record_metric" => metrics::record, (metric: u32, value: u64);
        "proxy_get_metric" => metrics::get, (metric: u32, to: u32);
        "proxy_set_effective_context" => effective_context::set, (context: u32);
        "proxy_done" => effective_context::done, ();
        "proxy_call_foreign_function" => foreign::call, (name: u32, name_size: u32, argument: u32, argument_size: u32, to: u32, to_size: u32);
    }
    Ok(())
}

fn link_wasi(linker: &mut Linker<Host>, config: &VmConfig) -> wasmtime::Result<()> {
    wasi_calls! { linker, config;
        "args_get" => wasi::environment::args_get, (list: u32, texts: u32);
        "args_sizes_get" => wasi::environment::args_sizes_get, (count: u32, size: u32);
        "environ_get" => wasi::environment::environ_get, (list: u32, texts: u32);
        "environ_sizes_get" => wasi::environment::environ_sizes_get, (count: u32, size: u32);
        "clock_time_get" => wasi::system::clock_time_get, (clock: u32, precision: u64, to: u32);
        "random_get" => wasi::system::random_get, (to: u32, size: u32);
        "sched_yield" => wasi::system::sched_yield, ();
        "poll_oneoff" => wasi::system::poll_oneoff, (from: u32, to: u32, count: u32, to_count: u32);
        "fd_write" => wasi::files::fd_write, (fd: u32, vectors: u32, count: u32, to: u32);
        "fd_read" => wasi::files::fd_read, (fd: u32, vectors: u32, count: u32, to: u32);
        "fd_seek" => wasi::files::fd_seek, (fd: u32, offset: i64, whence: u32, to: u32);
        "fd_close" => wasi::files::fd_close, (fd: u32);
        "fd_fdstat_get" => wasi::files::fd_fdstat_get, (fd: u32, to: u32);
        "fd_prestat_get" => wasi::files::fd_prestat_get, (fd: u32, to: u32);
        "fd_prestat_dir_name" => wasi::files::fd_prestat_dir_name, (fd: u32, to: u32, size: u32);
        "path_open" => wasi::files::path_open, (fd: u32, lookup: u32, path: u32, size: u32, open: u32, rights: u64, inherited: u64, flags: u32, to: u32);
    }
    // Envoy only notes it; what follows in the guest is a trap.
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        linker.func_wrap(module, "proc_exit", |_: Caller<'_, Host>, _code: u32| ())?;
    }
    Ok(())
}

/// What modules of the C++ SDK import besides.
fn link_emscripten(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap("env", "pthread_equal", |a: u32, b: u32| u32::from(a == b))?;
    linker.func_wrap("env", "emscripten_notify_memory_growth", |_memory: u32| ())?;
    Ok(())
}

fn allows(config: &VmConfig, name: &str) -> bool {
    let allowed = config.allowed_functions.as_ref();
    allowed.is_none_or(|names| names.contains(name))
}

fn answer(
    caller: Caller<'_, Host>,
    name: &'static str,
    arguments: impl FnOnce() -> Vec<String>,
    hostcall: impl FnOnce(&mut Call<'_>) -> Outcome,
) -> wasmtime::Result<u32> {
    let mut call = match Call::new(caller) {
        Ok(call) => call,
        Err(status) => return Ok(status as u32),
    };
    let status = match hostcall(&mut call) {
        Ok(()) => Ok(0),
        Err(Fault::Status(status)) => Ok(status as u32),
        Err(Fault::Trap(trap)) => Err(trap),
    };
    trace(&mut call, name, arguments, status.as_ref().ok());
    status
}

/// Tells of a hostcall, where that is requested.
fn trace(
    call: &mut Call<'_>,
    name: &'static str,
    arguments: impl FnOnce() -> Vec<String>,
    status: Option<&u32>,
) {
    let host = call.host();
    if host.config.trace {
        host.effects.push_back(Effect::Crossing(Crossing::Hostcall {
            name,
            arguments: arguments(),
            status: status.copied(),
        }));
    }
}

fn restricted(mut caller: Caller<'_, Host>, name: &str, answer: u32) -> u32 {
    let line = format!("attempted call to restricted capability: {name}");
    caller.data_mut().log(LogLevel::Error, line);
    answer
}
