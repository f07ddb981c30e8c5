//! The VM that a worker thread's new requests are for, and its replacement where it fails.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use envoy_wasm_host::{LogLevel, PluginConfig, RELOAD_BACK_OFF, StartError};

use super::shared::Shared;
use super::upstream::Upstreams;
use super::vm::Vm;

/// The VM that new requests are for. Those that run on a VM that was replaced keep it.
pub(super) struct Slot {
    vm: Rc<Vm>,
    plugin: PluginConfig,
    last_replaced: Option<Instant>,
    shared: Arc<Shared>,
    upstreams: Rc<Upstreams>,
}

impl Slot {
    pub(super) fn start(
        shared: &Arc<Shared>,
        upstreams: &Rc<Upstreams>,
        plugin: PluginConfig,
    ) -> Result<Self, StartError> {
        Ok(Self {
            vm: Vm::start(shared, upstreams, plugin.clone())?,
            plugin,
            last_replaced: None,
            shared: Arc::clone(shared),
            upstreams: Rc::clone(upstreams),
        })
    }

    /// The VM for a new request: where the last one has failed and the back-off is over, a new one.
    pub(super) fn vm(&mut self) -> Rc<Vm> {
        let due = self
            .last_replaced
            .is_none_or(|at| at.elapsed() >= RELOAD_BACK_OFF);
        if self.vm.has_failed() && due {
            self.replace();
        }
        Rc::clone(&self.vm)
    }

    pub(super) fn reconfigure(&mut self, plugin: PluginConfig) {
        self.plugin = plugin.clone();
        if self.vm.has_failed() {
            return self.replace();
        }
        if let Err(error) = self.vm.reconfigure(plugin) {
            let line = format!("a worker rejected the new policy: {error}");
            self.shared.log(LogLevel::Error, &line);
        }
    }

    /// The proxy stops: the plugin is retired.
    pub(super) fn retire(&self) {
        let root = self.vm.root();
        self.vm.with(|worker| worker.retire_plugin(root));
    }

    fn replace(&mut self) {
        self.last_replaced = Some(Instant::now());
        match Vm::start(&self.shared, &self.upstreams, self.plugin.clone()) {
            Ok(vm) => {
                self.shared
                    .log(LogLevel::Warn, "the filter's VM failed and was replaced");
                self.vm = vm;
            }
            Err(error) => {
                let line = format!("the filter's VM failed and cannot be replaced: {error}");
                self.shared.log(LogLevel::Error, &line);
            }
        }
    }
}
