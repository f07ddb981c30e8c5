//! Calls into the guest.

use std::fmt::Debug;

use wasmtime::{Store, Trap, TypedFunc, WasmParams, WasmResults};

use super::Worker;
use crate::effect::{Crossing, Effect, LogLevel};
use crate::host::{Host, VM_CONTEXT};
use crate::vm::{Budget, EPOCH, VmFailure};

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

impl Worker {
    /// Calls an export for a context. What the guest asked for meanwhile waits in the actions.
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
        let outer = (host.current, host.effective);
        (host.current, host.effective) = (context, None);
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
        (host.current, host.effective) = outer;
        match result {
            Ok(result) => Called::Returned(result),
            Err(error) => {
                let failure = failure(store, name, &error);
                self.fail(failure);
                Called::Failed
            }
        }
    }

    pub(super) fn call_entry(&mut self) {
        let entry = self.exports.entry.clone();
        self.call("its entry function", VM_CONTEXT, entry, ());
    }

    fn fail(&mut self, failure: VmFailure) {
        let line = format!("Function: {} failed: {}", failure.callback, failure.reason);
        self.log(LogLevel::Critical, line);
        self.host().failure = Some(failure);
    }
}

/// Gives the guest its budget for the next call.
pub(super) fn refill(store: &mut Store<Host>) {
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

pub(super) fn failure(store: &Store<Host>, callback: &str, error: &wasmtime::Error) -> VmFailure {
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
