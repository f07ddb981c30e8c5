//! A compiled module, shared by every worker.

use std::path::Path;

use super::engine::Engine;
use super::error::ModuleError;
use crate::files;

/// The most bytes of a module's file.
const FILE_LIMIT: u64 = 256 << 20;

/// The versions of the proxy-wasm ABI that a module can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbiVersion {
    /// 0.1.0: headers callbacks without `end_of_stream`.
    V0_1_0,
    /// 0.2.0
    V0_2_0,
    /// 0.2.1
    V0_2_1,
}

impl AbiVersion {
    const EXPORTS: [(&'static str, Self); 3] = [
        ("proxy_abi_version_0_1_0", Self::V0_1_0),
        ("proxy_abi_version_0_2_0", Self::V0_2_0),
        ("proxy_abi_version_0_2_1", Self::V0_2_1),
    ];
}

/// A module, compiled. Clones are one module.
#[derive(Clone, Debug)]
pub struct Module {
    engine: Engine,
    inner: wasmtime::Module,
    abi: AbiVersion,
}

impl Module {
    /// Compiles a binary module.
    ///
    /// # Errors
    /// Bytes that are no WebAssembly, or no proxy-wasm filter.
    pub fn new(engine: &Engine, binary: &[u8]) -> Result<Self, ModuleError> {
        let inner = wasmtime::Module::from_binary(engine.inner(), binary)
            .map_err(|error| ModuleError::Invalid(format!("{error:#}")))?;
        let abi = AbiVersion::EXPORTS
            .iter()
            .find(|(export, _)| inner.get_export(export).is_some())
            .map(|(_, abi)| *abi)
            .ok_or(ModuleError::NoAbiVersion)?;
        Ok(Self {
            engine: engine.clone(),
            inner,
            abi,
        })
    }

    /// Compiles the module in a file.
    ///
    /// # Errors
    /// As [`Module::new`], and a file that cannot be read.
    pub fn from_file(engine: &Engine, path: &Path) -> Result<Self, ModuleError> {
        let binary = files::regular(path, FILE_LIMIT).map_err(|source| ModuleError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::new(engine, &binary)
    }

    /// The ABI that the module was made for.
    pub const fn abi(&self) -> AbiVersion {
        self.abi
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) const fn inner(&self) -> &wasmtime::Module {
        &self.inner
    }
}
