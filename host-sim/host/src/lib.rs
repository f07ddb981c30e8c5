#![doc = include_str!("../README.md")]
//!
//! ## The types
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
//! Layers, lowest first: types, rng, clock, files, profile, stats, memory, property, http, grpc, local_reply, effect,
//! shared, proxy, context, properties, vm, host, abi, worker.

pub mod clock;
pub mod files;
pub mod grpc;
pub mod http;
pub mod rng;
pub mod stats;

mod abi;
mod context;
mod effect;
mod host;
mod local_reply;
mod memory;
mod profile;
mod properties;
mod property;
mod proxy;
mod shared;
mod types;
mod vm;
mod worker;

pub use context::{Downstream, PeerCertificate, PluginConfig, Protocol, Tls};
pub use effect::{
    Callout, CalloutToken, Crossing, Direction, Effect, GrpcCallout, LogLevel, Part, RootId,
    StreamEffect, StreamId, StreamSummary,
};
pub use profile::Profile;
pub use property::Value as PropertyValue;
pub use proxy::{DEFAULT_BUFFER_LIMIT, ForeignFunction, Proxy, ProxyConfig, Route};
pub use vm::{
    AbiVersion, Budget, Engine, EngineOptions, FailPolicy, Module, ModuleError, RELOAD_BACK_OFF,
    StartError, VmConfig, VmFailure,
};
pub use worker::{CalloutAnswer, GrpcPart, UpstreamFailure, Waker, Worker};
