//! Calls into the guest.

use std::fmt::Debug;

use wasmtime::{Store, Trap, TypedFunc, UnknownImportError, WasmParams, WasmResults};

use crate::abi;
use crate::effect::{Crossing, Effect, LogLevel};
use crate::host::{Host, VM_CONTEXT};
use crate::vm::{Budget, EPOCH, Exports, Module, ModuleError, StartError, VmFailure};

/// What came of a call into the guest.
pub(super) enum Called<R> {
    /// The module has no such export.
    Missing,
    /// The VM had failed before, or failed in this call.
    Failed,
    Returned(R),
}

impl<R> Called<R> {
    /// The result, or this where there is no such export, or `None` where the VM failed.
    pub(super) fn or(self, default: R) -> Option<R> {
        match self {
            Self::Missing => Some(default),
            Self::Failed => None,
            Self::Returned(result) => Some(result),
        }
    }
}

/// The module's instance and the state that its hostcalls act on.
pub(super) struct Guest {
    store: Store<Host>,
    exports: Exports,
}

impl Guest {
    /// An instance whose start section and entry function have run.
    ///
    /// # Errors
    /// An import that this host does not have, exports that do not fit the ABI, a trap.
    pub(super) fn start(module: &Module, host: Host) -> Result<Self, StartError> {
        let linker = abi::linker(module.engine(), &host.config)?;
        let pre = linker.instantiate_pre(module.inner()).map_err(unlinked)?;
        let mut store = Store::new(module.engine().inner(), host);
        store.limiter(|host| &mut host.limits);
        refill(&mut store);
        let instance = pre
            .instantiate(&mut store)
            .map_err(|error| failure(&store, "its start section", &error))?;
        let exports = Exports::of(instance, &mut store, module.abi())?;
        let host = store.data_mut();
        host.memory = Some(exports.memory);
        host.allocate = Some(exports.allocate.clone());
        let mut guest = Self { store, exports };
        let entry = guest.exports.entry.clone();
        guest.call("its entry function", VM_CONTEXT, entry, ());
        match guest.failure().cloned() {
            None => Ok(guest),
            Some(failure) => Err(guest.with_lines(failure).into()),
        }
    }

    pub(super) const fn exports(&self) -> &Exports {
        &self.exports
    }

    pub(super) fn state(&self) -> &Host {
        self.store.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Why it does not run any more.
    pub(super) fn failure(&self) -> Option<&VmFailure> {
        self.state().failure.as_ref()
    }

    /// In bytes.
    pub(super) fn memory_size(&self) -> usize {
        self.exports.memory.data_size(&self.store)
    }

    /// Calls an export for a context. What the guest requests meanwhile waits in the actions.
    pub(super) fn call<P: WasmParams + Debug, R: WasmResults + Debug>(
        &mut self,
        name: &'static str,
        context: u32,
        export: Option<TypedFunc<P, R>>,
        params: P,
    ) -> Called<R> {
        if self.failure().is_some() {
            return Called::Failed;
        }
        let Some(function) = export else {
            return Called::Missing;
        };
        let store = &mut self.store;
        let host = store.data_mut();
        let outer = host.contexts.enter(context);
        if host.config.trace {
            host.effects.push_back(Effect::Crossing(Crossing::Called {
                callback: name,
                context,
                arguments: format!("{params:?}"),
            }));
        }
        refill(store);
        let result = function.call(&mut *store, params);
        let fuel = used_fuel(store);
        let host = store.data_mut();
        if host.config.trace {
            let result = result.as_ref().ok();
            host.effects.push_back(Effect::Crossing(Crossing::Returned {
                callback: name,
                result: result.map(|result| format!("{result:?}")),
                fuel,
            }));
        }
        host.contexts.leave(outer);
        match result {
            Ok(result) => Called::Returned(result),
            Err(error) => {
                let failure = failure(store, name, &error);
                self.fail(failure);
                Called::Failed
            }
        }
    }

    fn fail(&mut self, failure: VmFailure) {
        let line = format!("Function: {} failed: {}", failure.callback, failure.reason);
        let host = self.state_mut();
        host.log(LogLevel::Critical, line);
        host.failure = Some(failure);
    }

    /// The failure with what the guest wrote before it, which nobody could read any more.
    fn with_lines(&mut self, mut failure: VmFailure) -> VmFailure {
        let own = LogLevel::Critical;
        let lines = self.state_mut().effects.drain(..);
        let lines = lines.filter_map(|effect| match effect {
            Effect::Log(level, line) if level != own => Some(line),
            _ => None,
        });
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            failure.reason = format!("{}; it wrote: {}", failure.reason, lines.join(" | "));
        }
        failure
    }
}

/// Gives the guest its budget for the next call.
fn refill(store: &mut Store<Host>) {
    match store.data().config.budget {
        Budget::Time(limit) => {
            let epoch = EPOCH.as_nanos().max(1);
            let ticks = u64::try_from(limit.as_nanos().div_ceil(epoch)).unwrap_or(u64::MAX / 2);
            // The first tick may come at once.
            store.set_epoch_deadline(ticks.saturating_add(1).min(u64::MAX / 2));
        }
        Budget::Fuel(units) => {
            store.set_epoch_deadline(u64::MAX / 2);
            // Fails only where fuel is not counted, which was checked at the start.
            _ = store.set_fuel(units);
        }
    }
}

/// What the last call used of its budget, where that is in fuel.
fn used_fuel(store: &Store<Host>) -> Option<u64> {
    match store.data().config.budget {
        Budget::Time(_) => None,
        Budget::Fuel(units) => Some(units.saturating_sub(store.get_fuel().ok()?)),
    }
}

fn failure(store: &Store<Host>, callback: &str, error: &wasmtime::Error) -> VmFailure {
    let reason = match (error.downcast_ref::<Trap>(), store.data().config.budget) {
        (Some(Trap::Interrupt), Budget::Time(limit)) => {
            format!("it ran for longer than {} ms", limit.as_millis())
        }
        (Some(Trap::OutOfFuel), Budget::Fuel(units)) => {
            format!("it used more than {units} units of fuel")
        }
        (Some(trap), _) => trap.to_string(),
        (None, _) => format!("{error:#}"),
    };
    VmFailure {
        callback: callback.to_owned(),
        reason,
    }
}

fn unlinked(error: wasmtime::Error) -> ModuleError {
    match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) => ModuleError::MissingImport {
            module: unknown.module().to_owned(),
            name: unknown.name().to_owned(),
        },
        None => ModuleError::Invalid(format!("{error:#}")),
    }
}
