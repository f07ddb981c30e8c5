//! A proxy-wasm host with the semantics of Envoy: it loads a compiled filter and drives it as Envoy
//! would.
//!
//! In reading order:
//!
//! - [`Engine`] and [`Module`]: a filter, compiled once and shared by all workers.
//! - [`Proxy`]: what the workers of one proxy share: clusters, metrics, shared data, the clock.
//! - [`Worker`]: one VM with its plugins and streams. Events go in as calls, what they bring about
//!   comes out as [`Effect`]s; there is no I/O, no thread and no global state, and with a
//!   [`clock::VirtualClock`] no time passes that the caller does not let pass.
//! - [`stats`]: metrics as Envoy and Prometheus name them.
//!
//! A filter that answers every request, driven by hand:
//!
//! ```
//! use envoy_wasm_host::http::Headers;
//! use envoy_wasm_host::{
//!     Downstream, Effect, Engine, EngineOptions, Module, PluginConfig, Proxy, ProxyConfig,
//!     StreamEffect, VmConfig, Worker,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let teapot = wat::parse_str(r#"(module
//!   (import "env" "proxy_send_local_response"
//!     (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
//!   (memory (export "memory") 1)
//!   (data (i32.const 0) "short and stout")
//!   (func (export "proxy_abi_version_0_2_1"))
//!   (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
//!   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//!     (call $reply (i32.const 418) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 15)
//!       (i32.const 0) (i32.const 0) (i32.const -1))))"#)?;
//!
//! let engine = Engine::new(&EngineOptions::default())?;
//! let module = Module::new(&engine, &teapot)?;
//! let proxy = Proxy::new(ProxyConfig::default());
//! let mut worker = Worker::new(&module, VmConfig::default(), proxy)?;
//! let plugin = worker.start_plugin(PluginConfig::default())?;
//!
//! let stream = worker.create_stream(plugin, Downstream::default());
//! let request = [(":method", "GET"), (":path", "/"), (":authority", "pot")];
//! worker.request_headers(stream, Headers::from_pairs(request), true);
//!
//! let answer = worker.effects().find_map(|effect| match effect {
//!     Effect::Stream(_, StreamEffect::DownstreamHeaders { headers, .. }) => headers.status(),
//!     _ => None,
//! });
//! assert_eq!(answer, Some(418));
//! # Ok(())
//! # }
//! ```

pub mod clock;
pub mod grpc;
pub mod http;
pub mod rng;
pub mod stats;

mod abi;
mod context;
mod effect;
mod host;
mod memory;
mod profile;
mod properties;
mod proxy;
mod shared;
mod vm;
mod worker;

pub use context::{Downstream, PeerCertificate, PluginConfig, Protocol, Tls};
pub use effect::{
    Callout, CalloutToken, Crossing, Direction, Effect, GrpcCallout, LogLevel, Part, RootId,
    StreamEffect, StreamId, StreamSummary,
};
pub use profile::Profile;
pub use properties::Value as PropertyValue;
pub use proxy::{DEFAULT_BUFFER_LIMIT, ForeignFunction, Proxy, ProxyConfig, Route};
pub use vm::{
    AbiVersion, Budget, Engine, EngineOptions, FailPolicy, Module, ModuleError, RELOAD_BACK_OFF,
    StartError, VmConfig, VmFailure,
};
pub use worker::{CalloutAnswer, GrpcPart, UpstreamFailure, Waker, Worker};
