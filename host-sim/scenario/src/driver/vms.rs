//! The VMs of all threads, and how a configuration comes into force in them: as in Envoy it is tried
//! first, in a VM made for that, and then handed to the VM of the main thread and those of the workers.

use std::time::Duration;

use envoy_wasm_host::{
    Budget, Downstream, PluginConfig, Protocol, RELOAD_BACK_OFF, RootId, StartError, StreamId,
    VmConfig, Worker,
};

use super::Driver;
use crate::expected::Start;
use crate::model::VmFailPolicy;

/// What a VM is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A configuration is tried in it; then it goes.
    Trial,
    /// No request comes to it, but it ticks.
    Main,
    /// That of the worker of this number.
    Worker(usize),
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trial => f.write_str("to try a configuration in"),
            Self::Main => f.write_str("for the main thread"),
            Self::Worker(number) => write!(f, "for worker {number}"),
        }
    }
}

/// A VM with its plugins and streams.
pub(super) struct Vm {
    pub(super) worker: Worker,
    pub(super) role: Role,
}

/// A thread, with the VM of new requests.
pub(super) struct Thread {
    role: Role,
    vm: usize,
    /// `None` where its VM did not take a configuration that the trial took: Envoy lets requests
    /// pass then, whatever the policy for failures (seen on 1.40).
    root: Option<RootId>,
    /// When its VM got the configuration.
    configured: Duration,
}

/// What is known of configurations.
#[derive(Default)]
pub(super) struct Known {
    in_force: PluginConfig,
    /// The last one, taken or not: Envoy does not look at the same one twice in a row.
    last: PluginConfig,
    /// Those that were tried, and whether the trial took them: none is tried twice.
    tried: Vec<(PluginConfig, bool)>,
    /// A thread's VM has not taken what the trial took. Envoy refuses every other one from then on.
    spoilt: bool,
}

impl Driver<'_> {
    /// Makes the VMs, with the first configuration.
    pub(super) fn start(&mut self) -> Result<(), StartError> {
        let plugin = self.plugin(self.scenario.filter.configuration_text());
        self.try_out(&plugin)?;
        let workers = (0..self.scenario.filter.workers).map(Role::Worker);
        for role in std::iter::once(Role::Main).chain(workers) {
            let (vm, root) = self.start_vm(role, &plugin)?;
            self.threads.push(Thread {
                role,
                vm,
                root: None,
                configured: Duration::ZERO,
            });
            self.takes(self.threads.len() - 1, vm, root);
        }
        self.known.last.clone_from(&plugin);
        self.known.in_force = plugin;
        Ok(())
    }

    /// Hands over a later configuration of the scenario.
    pub(super) fn configure(&mut self, i: usize) {
        let Some(later) = self.scenario.configurations.get(i) else {
            return;
        };
        let plugin = self.plugin(later.text());
        self.starting = true;
        let outcome = self.hand_over(plugin);
        self.starting = false;
        self.note(0, format!("configuration {} is {}", i + 1, outcome.name()));
        if let Some(seen) = self.run.configurations.get_mut(i) {
            *seen = Some(outcome);
        }
    }

    fn hand_over(&mut self, plugin: PluginConfig) -> Start {
        if self.known.last == plugin {
            return Start::Taken;
        }
        self.known.last.clone_from(&plugin);
        if self.try_out(&plugin).is_err() || self.known.spoilt {
            return Start::Refused;
        }
        let same = self.known.in_force == plugin;
        self.put_in_force(&plugin, same);
        self.known.in_force = plugin;
        Start::Taken
    }

    /// Hands the configuration that is in force to every VM again, as if another one had been in force
    /// for no time.
    pub(super) fn configure_again(&mut self) {
        let plugin = self.known.in_force.clone();
        self.starting = true;
        self.put_in_force(&plugin, false);
        self.starting = false;
    }

    /// A VM that serves the same configuration keeps it.
    fn put_in_force(&mut self, plugin: &PluginConfig, same: bool) {
        let mut old = Vec::new();
        for number in 0..self.threads.len() {
            let Some(thread) = self.threads.get(number) else {
                return;
            };
            let (role, vm, root) = (thread.role, thread.vm, thread.root);
            if self.has_failed(vm) {
                // A configuration that is taken heals.
                if let Ok((vm, root)) = self.start_vm(role, plugin) {
                    self.takes(number, vm, root);
                }
            } else if !same {
                let started = self.in_vm(vm, |worker| worker.start_plugin(plugin.clone()));
                if let Some(started) = started {
                    self.takes(number, vm, started);
                }
                old.extend(root.map(|root| (vm, root)));
            }
        }
        for (vm, root) in old {
            self.in_vm(vm, |worker| worker.retire_plugin(root));
        }
    }

    /// What a thread's VM says to a configuration that the trial has taken.
    fn takes(&mut self, number: usize, vm: usize, started: Result<RootId, StartError>) {
        let now = self.agenda.now();
        let Some(thread) = self.threads.get_mut(number) else {
            return;
        };
        (thread.vm, thread.configured) = (vm, now);
        thread.root = started.as_ref().ok().copied();
        if let Err(error) = started {
            self.known.spoilt = true;
            let line = format!("the VM {}: {error}; requests pass unfiltered", thread.role);
            self.note(vm, line.clone());
            self.run.failures.push(line);
        }
    }

    fn try_out(&mut self, plugin: &PluginConfig) -> Result<(), StartError> {
        let mut tried = self.known.tried.iter();
        if let Some((_, taken)) = tried.find(|(tried, _)| tried == plugin) {
            return if *taken {
                Ok(())
            } else {
                Err(StartError::ConfigurationRefused)
            };
        }
        let (vm, started) = self.start_vm(Role::Trial, plugin)?;
        self.vms.remove(&vm);
        self.known.tried.push((plugin.clone(), started.is_ok()));
        started.map(|_| ())
    }

    fn plugin(&self, configuration: String) -> PluginConfig {
        let filter = &self.scenario.filter;
        PluginConfig {
            name: filter.root_id.clone(),
            root_id: filter.root_id.clone(),
            configuration: configuration.into_bytes(),
            allow_on_headers_stop_iteration: filter.allow_on_headers_stop_iteration,
        }
    }

    /// A VM, by its number, and what it says to its configuration.
    fn start_vm(
        &mut self,
        role: Role,
        plugin: &PluginConfig,
    ) -> Result<(usize, Result<RootId, StartError>), StartError> {
        let filter = &self.scenario.filter;
        let config = VmConfig {
            configuration: filter.vm_configuration.clone().into_bytes(),
            budget: Budget::Fuel(filter.fuel_limit),
            memory_limit: filter.memory_limit,
            fail_policy: filter.fail_policy.into(),
            trace: true,
            ..VmConfig::default()
        };
        let number = self.made;
        self.made += 1;
        self.note(number, format!("a VM {role}"));
        let worker = Worker::new(self.module, config, self.proxy.clone())?;
        self.vms.insert(number, Vm { worker, role });
        let started = self.in_vm(number, |worker| worker.start_plugin(plugin.clone()));
        Ok((number, started.unwrap_or(Err(StartError::Refused))))
    }

    /// A stream for a request that comes to this worker, and its VM.
    pub(super) fn stream(&mut self, worker: usize) -> Option<(usize, StreamId)> {
        // The main thread comes first.
        let number = worker + 1;
        self.reload(number);
        let thread = self.threads.get(number)?;
        let vm = self.vms.get_mut(&thread.vm)?;
        // What scenarios say of messages is HTTP/2's way: parts, trailers, resets.
        let downstream = Downstream {
            protocol: Protocol::Http2,
            ..Downstream::default()
        };
        let stream = match thread.root {
            Some(root) => vm.worker.create_stream(root, downstream),
            None => vm.worker.create_unfiltered_stream(downstream),
        };
        Some((thread.vm, stream))
    }

    /// A new VM in place of one that has failed, where the policy says so and the back-off is over.
    fn reload(&mut self, number: usize) {
        let now = self.agenda.now();
        let Some(thread) = self.threads.get(number) else {
            return;
        };
        let waits = now.saturating_sub(thread.configured) < RELOAD_BACK_OFF;
        let reloads = self.scenario.filter.fail_policy == VmFailPolicy::Reload;
        if waits || !reloads || thread.root.is_none() || !self.has_failed(thread.vm) {
            return;
        }
        let plugin = self.known.in_force.clone();
        self.starting = true;
        let started = self.start_vm(thread.role, &plugin);
        self.starting = false;
        if let Some(thread) = self.threads.get_mut(number) {
            thread.configured = now;
            // Where it does not start, the failed one stays.
            if let Ok((vm, Ok(root))) = started {
                (thread.vm, thread.root) = (vm, Some(root));
            }
        }
    }

    fn has_failed(&self, vm: usize) -> bool {
        let vm = self.vms.get(&vm);
        vm.is_some_and(|vm| vm.worker.failure().is_some())
    }
}
