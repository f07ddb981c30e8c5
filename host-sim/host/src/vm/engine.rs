//! The compiler and its settings.

use std::path::PathBuf;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config};

use super::error::ModuleError;

/// How often the engine looks whether a guest has run for too long.
pub(crate) const EPOCH: Duration = Duration::from_millis(50);

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Count fuel, for budgets that are the same on every run. Costs speed.
    pub fuel: bool,
    /// Keep compiled modules in this directory, so that the next start finds them.
    pub cache: Option<PathBuf>,
}

/// Compiles modules and runs them. Clones are one engine.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: wasmtime::Engine,
    fuel: bool,
}

impl Engine {
    /// An engine with these settings.
    ///
    /// # Errors
    /// A cache directory that cannot be used.
    pub fn new(options: &EngineOptions) -> Result<Self, ModuleError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        config.consume_fuel(options.fuel);
        if let Some(directory) = &options.cache {
            let mut settings = CacheConfig::new();
            settings.with_directory(directory);
            let cache = Cache::new(settings).map_err(|error| ModuleError::Cache {
                directory: directory.clone(),
                reason: format!("{error:#}"),
            })?;
            config.cache(Some(cache));
        }
        let inner = wasmtime::Engine::new(&config).map_err(ModuleError::engine)?;
        start_ticker(&inner)?;
        Ok(Self {
            inner,
            fuel: options.fuel,
        })
    }

    pub(crate) const fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    pub(crate) const fn counts_fuel(&self) -> bool {
        self.fuel
    }
}

/// The thread that makes time pass for guests; it ends with its engine.
fn start_ticker(engine: &wasmtime::Engine) -> Result<(), ModuleError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("wasm-epoch".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(EPOCH);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
        .map(|_| ())
        .map_err(|error| ModuleError::engine(error.into()))
}
