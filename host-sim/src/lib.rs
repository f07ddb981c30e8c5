//! A proxy-wasm host with the semantics of Envoy.

pub mod cli;
pub mod clock;
pub mod export;
pub mod goproxy;
pub mod http;
pub mod serve;
pub mod stats;

mod abi;
mod context;
mod effect;
mod host;
mod memory;
mod properties;
mod proxy;
mod rng;
mod shared;
mod vm;
mod worker;

pub use context::{Downstream, PeerCertificate, PluginConfig, Protocol, Tls};
pub use effect::{
    Callout, CalloutToken, Direction, Effect, LogLevel, Part, RootId, StreamEffect, StreamId,
    StreamSummary,
};
pub use properties::Value as PropertyValue;
pub use proxy::{DEFAULT_BUFFER_LIMIT, ForeignFunction, Proxy, ProxyConfig, Route};
pub use vm::{
    AbiVersion, Budget, Engine, EngineOptions, FailPolicy, Module, ModuleError, StartError,
    VmConfig, VmFailure,
};
pub use worker::{CalloutAnswer, UpstreamFailure, Waker, Worker};
