//! A worker's VM on its thread: calls in, effects out to whom they concern.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use envoy_wasm_host::{
    CalloutToken, Effect, PluginConfig, RootId, StartError, StreamEffect, StreamId, Worker,
};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::callout;
use super::grpc::GrpcRequest;
use super::shared::Shared;
use super::upstream::Upstreams;

/// A VM, and who waits for what it brings about.
pub(super) struct Vm {
    worker: RefCell<Worker>,
    /// The plugin that new streams are for.
    root: Cell<RootId>,
    streams: RefCell<HashMap<StreamId, mpsc::UnboundedSender<StreamEffect>>>,
    callouts: RefCell<HashMap<CalloutToken, AbortHandle>>,
    grpc: RefCell<HashMap<CalloutToken, GrpcRequest>>,
    /// The next deadline may have changed, or another worker has left something.
    wake: Arc<Notify>,
    upstreams: Rc<Upstreams>,
    shared: Arc<Shared>,
}

impl Vm {
    /// A VM with its plugin, and the task that drives its timers.
    pub(super) fn start(
        shared: &Arc<Shared>,
        upstreams: &Rc<Upstreams>,
        plugin: PluginConfig,
    ) -> Result<Rc<Self>, StartError> {
        let wake = Arc::new(Notify::new());
        let waker = Arc::clone(&wake);
        let waker = Box::new(move || waker.notify_one());
        let (worker, root) = shared.new_worker(plugin, Some(waker))?;
        let vm = Rc::new(Self {
            worker: RefCell::new(worker),
            root: Cell::new(root),
            streams: RefCell::default(),
            callouts: RefCell::default(),
            grpc: RefCell::default(),
            wake,
            upstreams: Rc::clone(upstreams),
            shared: Arc::clone(shared),
        });
        tokio::task::spawn_local(run_timers(Rc::downgrade(&vm)));
        // What the start brought about: lines, callouts, a tick.
        vm.with(|_| ());
        Ok(vm)
    }

    /// Calls the worker and hands on what comes of it.
    pub(super) fn with<R>(self: &Rc<Self>, call: impl FnOnce(&mut Worker) -> R) -> R {
        let (result, effects) = {
            let mut worker = self.worker.borrow_mut();
            let result = call(&mut worker);
            worker.fail_streams();
            let effects: Vec<_> = worker.effects().collect();
            (result, effects)
        };
        for effect in effects {
            self.dispatch(effect);
        }
        self.wake.notify_one();
        result
    }

    pub(super) fn has_failed(&self) -> bool {
        self.worker.borrow().failure().is_some()
    }

    pub(super) fn root(&self) -> RootId {
        self.root.get()
    }

    /// New streams get the new configuration; those that run keep theirs.
    pub(super) fn reconfigure(self: &Rc<Self>, plugin: PluginConfig) -> Result<(), StartError> {
        let new = self.with(|worker| worker.start_plugin(plugin))?;
        let old = self.root.replace(new);
        self.with(|worker| worker.retire_plugin(old));
        Ok(())
    }

    /// Where a stream's effects go from now on.
    pub(super) fn register(&self, stream: StreamId) -> mpsc::UnboundedReceiver<StreamEffect> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.streams.borrow_mut().insert(stream, sender);
        receiver
    }

    fn dispatch(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Stream(id, effect) => {
                let ended = matches!(effect, StreamEffect::Ended { .. });
                if let Some(mailbox) = self.streams.borrow().get(&id) {
                    // A task that has gone does not want it.
                    _ = mailbox.send(effect);
                }
                if ended {
                    self.streams.borrow_mut().remove(&id);
                }
            }
            Effect::Log(level, line) => self.shared.log(level, &line),
            Effect::Callout(request) => {
                let token = request.token;
                let vm = Rc::clone(self);
                let answer = callout::send(&self.upstreams, *request, {
                    let vm = Rc::clone(&vm);
                    move || vm.with(|worker| worker.callout_begun(token))
                });
                let task = tokio::task::spawn_local(async move {
                    let answer = answer.await;
                    vm.callouts.borrow_mut().remove(&token);
                    vm.with(|worker| worker.callout_answered(token, answer));
                });
                self.callouts
                    .borrow_mut()
                    .insert(token, task.abort_handle());
            }
            Effect::GrpcCallout(callout) => {
                let token = callout.token;
                let (vm, of) = (Rc::clone(self), Rc::clone(self));
                let request = GrpcRequest::begin(
                    &self.upstreams,
                    *callout,
                    move |part| vm.with(|worker| worker.grpc_answered(token, part)),
                    move || _ = of.grpc.borrow_mut().remove(&token),
                );
                self.grpc.borrow_mut().insert(token, request);
            }
            Effect::GrpcData {
                token,
                data,
                end_stream,
            } => {
                if let Some(request) = self.grpc.borrow().get(&token) {
                    request.send(data, end_stream);
                }
            }
            // Never asked for here.
            Effect::Crossing(_) => {}
            Effect::CancelCallout(token) => {
                if let Some(task) = self.callouts.borrow_mut().remove(&token) {
                    task.abort();
                }
                if let Some(request) = self.grpc.borrow_mut().remove(&token) {
                    request.cancel();
                }
            }
        }
    }
}

/// Runs what is due, for as long as there is a VM.
async fn run_timers(vm: std::rc::Weak<Vm>) {
    loop {
        let (wake, wait) = {
            let Some(vm) = vm.upgrade() else {
                return;
            };
            let worker = vm.worker.borrow();
            let now = worker.proxy().now();
            let wait = worker.next_deadline().map(|at| at.saturating_sub(now));
            (Arc::clone(&vm.wake), wait)
        };
        match wait {
            Some(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = wake.notified() => {}
                }
            }
            None => wake.notified().await,
        }
        let Some(vm) = vm.upgrade() else {
            return;
        };
        vm.run_due();
    }
}

impl Vm {
    /// Unlike [`Vm::with`] it does not wake the timers, which are what calls it.
    fn run_due(self: &Rc<Self>) {
        let effects: Vec<_> = {
            let mut worker = self.worker.borrow_mut();
            worker.run_due();
            worker.fail_streams();
            worker.effects().collect()
        };
        for effect in effects {
            self.dispatch(effect);
        }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}
