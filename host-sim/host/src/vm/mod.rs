//! The virtual machine: engine, compiled module, instance, limits.

mod config;
mod engine;
mod error;
mod exports;
mod module;

pub use config::{Budget, FailPolicy, RELOAD_BACK_OFF, VmConfig};
pub(crate) use engine::EPOCH;
pub use engine::{Engine, EngineOptions};
pub use error::{ModuleError, StartError, VmFailure};
pub(crate) use exports::{Exports, HeadersCallback};
pub use module::{AbiVersion, Module};
