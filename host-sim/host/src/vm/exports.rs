//! What a module exports for the host to call.

use wasmtime::{AsContextMut, Instance, Memory, TypedFunc, WasmParams, WasmResults};

use super::error::ModuleError;
use super::module::AbiVersion;

type Func<P, R = ()> = Option<TypedFunc<P, R>>;

/// `proxy_on_request_headers` or `proxy_on_response_headers`.
#[derive(Clone)]
pub(crate) enum HeadersCallback {
    /// Context and number of headers (0.1.0).
    WithoutEnd(TypedFunc<(u32, u32), u32>),
    /// Context, number of headers, end of stream.
    WithEnd(TypedFunc<(u32, u32, u32), u32>),
}

/// The exports that the ABI knows; all but memory and allocator may be missing.
#[derive(Clone)]
pub(crate) struct Exports {
    pub memory: Memory,
    pub allocate: TypedFunc<u32, u32>,
    /// `_initialize`, or else `_start`; a start section has run already.
    pub entry: Func<()>,
    pub on_context_create: Func<(u32, u32)>,
    pub on_vm_start: Func<(u32, u32), u32>,
    pub on_configure: Func<(u32, u32), u32>,
    pub on_tick: Func<u32>,
    pub on_queue_ready: Func<(u32, u32)>,
    pub on_request_headers: Option<HeadersCallback>,
    pub on_request_body: Func<(u32, u32, u32), u32>,
    pub on_request_trailers: Func<(u32, u32), u32>,
    pub on_response_headers: Option<HeadersCallback>,
    pub on_response_body: Func<(u32, u32, u32), u32>,
    pub on_response_trailers: Func<(u32, u32), u32>,
    pub on_http_call_response: Func<(u32, u32, u32, u32, u32)>,
    pub on_grpc_receive_initial_metadata: Func<(u32, u32, u32)>,
    pub on_grpc_receive: Func<(u32, u32, u32)>,
    pub on_grpc_receive_trailing_metadata: Func<(u32, u32, u32)>,
    pub on_grpc_close: Func<(u32, u32, u32)>,
    pub on_done: Func<u32, u32>,
    pub on_log: Func<u32>,
    pub on_delete: Func<u32>,
}

impl Exports {
    pub(crate) fn of(
        instance: Instance,
        store: &mut impl AsContextMut,
        abi: AbiVersion,
    ) -> Result<Self, ModuleError> {
        let mut module = Lookup { instance, store };
        let memory = module.memory()?;
        let allocate = match module.get("proxy_on_memory_allocate")? {
            Some(allocate) => allocate,
            None => module.get("malloc")?.ok_or_else(|| {
                ModuleError::Exports(
                    "neither proxy_on_memory_allocate nor malloc is there".to_owned(),
                )
            })?,
        };
        let entry = match module.get("_initialize")? {
            Some(initialize) => Some(initialize),
            None => module.get("_start")?,
        };
        Ok(Self {
            memory,
            allocate,
            entry,
            on_context_create: module.get("proxy_on_context_create")?,
            on_vm_start: module.get("proxy_on_vm_start")?,
            on_configure: module.get("proxy_on_configure")?,
            on_tick: module.get("proxy_on_tick")?,
            on_queue_ready: module.get("proxy_on_queue_ready")?,
            on_request_headers: module.headers("proxy_on_request_headers", abi)?,
            on_request_body: module.get("proxy_on_request_body")?,
            on_request_trailers: module.get("proxy_on_request_trailers")?,
            on_response_headers: module.headers("proxy_on_response_headers", abi)?,
            on_response_body: module.get("proxy_on_response_body")?,
            on_response_trailers: module.get("proxy_on_response_trailers")?,
            on_http_call_response: module.get("proxy_on_http_call_response")?,
            on_grpc_receive_initial_metadata: module
                .get("proxy_on_grpc_receive_initial_metadata")?,
            on_grpc_receive: module.get("proxy_on_grpc_receive")?,
            on_grpc_receive_trailing_metadata: module
                .get("proxy_on_grpc_receive_trailing_metadata")?,
            on_grpc_close: module.get("proxy_on_grpc_close")?,
            on_done: module.get("proxy_on_done")?,
            on_log: module.get("proxy_on_log")?,
            on_delete: module.get("proxy_on_delete")?,
        })
    }
}

struct Lookup<'a, S> {
    instance: Instance,
    store: &'a mut S,
}

impl<S: AsContextMut> Lookup<'_, S> {
    fn memory(&mut self) -> Result<Memory, ModuleError> {
        self.instance
            .get_memory(&mut *self.store, "memory")
            .ok_or_else(|| ModuleError::Exports("there is no memory".to_owned()))
    }

    /// The function of that name, where there is one; one of another type is an error.
    fn get<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
    ) -> Result<Func<P, R>, ModuleError> {
        let Some(function) = self.instance.get_func(&mut *self.store, name) else {
            return Ok(None);
        };
        let typed = function.typed(&*self.store);
        typed
            .map(Some)
            .map_err(|error| ModuleError::Exports(format!("{name}: {error:#}")))
    }

    fn headers(
        &mut self,
        name: &str,
        abi: AbiVersion,
    ) -> Result<Option<HeadersCallback>, ModuleError> {
        Ok(if abi == AbiVersion::V0_1_0 {
            self.get(name)?.map(HeadersCallback::WithoutEnd)
        } else {
            self.get(name)?.map(HeadersCallback::WithEnd)
        })
    }
}
