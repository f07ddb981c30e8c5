//! What can go wrong with a module and its VM.

use std::path::PathBuf;

/// Why a module cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The file cannot be read.
    #[error("cannot read the module {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no WebAssembly that can be compiled.
    #[error("the module is not valid WebAssembly: {0}")]
    Invalid(String),
    /// It exports no `proxy_abi_version_…`.
    #[error(
        "the module is not a proxy-wasm filter: it exports none of proxy_abi_version_0_1_0, proxy_abi_version_0_2_0, proxy_abi_version_0_2_1"
    )]
    NoAbiVersion,
    /// It imports something that this host does not have.
    #[error("the module imports `{name}` from `{module}`, which this host does not have")]
    MissingImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// An export has another type than the ABI says, or memory or allocator are missing.
    #[error("the module's exports do not fit the ABI: {0}")]
    Exports(String),
    /// The directory for compiled modules cannot be used.
    #[error("cannot keep compiled modules in {}: {reason}", directory.display())]
    Cache {
        /// The directory.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine does not run on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}

impl ModuleError {
    #[allow(clippy::needless_pass_by_value)] // for map_err
    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }
}

/// The VM failed: a trap, a limit that was reached, or an exit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter failed in {callback}: {reason}")]
pub struct VmFailure {
    /// The export that was running.
    pub callback: String,
    /// The trap, in the engine's words.
    pub reason: String,
}

/// Why a VM or a plugin does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The module cannot be used.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The VM failed.
    #[error(transparent)]
    Failed(#[from] VmFailure),
    /// `on_vm_start` answered false.
    #[error("the filter refused to start (on_vm_start)")]
    Refused,
    /// `on_configure` answered false. The filter's log says why.
    #[error("the filter refused its configuration (on_configure)")]
    ConfigurationRefused,
    /// A budget in fuel needs an engine that counts fuel.
    #[error("the VM's limit is in fuel, but the engine does not count fuel")]
    NoFuel,
}
