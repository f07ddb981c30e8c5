//! Root contexts: a plugin is started, and at last retired.

use super::Worker;
use crate::context::{PluginConfig, Root};
use crate::effect::RootId;
use crate::vm::StartError;

impl Worker {
    /// Starts a plugin: `on_context_create`, `on_vm_start`, `on_configure`. A configuration that
    /// replaces another is a plugin of its own; the old one is to be [retired](Worker::retire_plugin).
    /// A retired one of the same configuration that still has streams is taken up again instead, and
    /// the VM is not reported, as in Envoy.
    ///
    /// # Errors
    /// The filter's refusal, of which it says the reason in its log, or its failure.
    pub fn start_plugin(&mut self, plugin: PluginConfig) -> Result<RootId, StartError> {
        self.healthy()?;
        if let Some(id) = self.revived(&plugin) {
            return Ok(id);
        }
        let size = length(plugin.configuration.len());
        let id = self.host().contexts.add_root(Root::new(plugin));
        let started = self.run_start(id, size);
        if started.is_err() {
            self.host().contexts.remove_root(id);
        }
        started.map(|()| RootId(id))
    }

    fn revived(&mut self, plugin: &PluginConfig) -> Option<RootId> {
        let mut roots = self.host().contexts.roots_mut();
        let fits = |root: &Root| root.retired && root.streams > 0 && *root.plugin == *plugin;
        let (id, root) = roots.find(|(_, root)| fits(root))?;
        root.retired = false;
        Some(RootId(id))
    }

    fn run_start(&mut self, id: u32, size: u32) -> Result<(), StartError> {
        self.host().contexts.configure(Some(id));
        let create = self.guest.exports().on_context_create.clone();
        self.guest
            .call("proxy_on_context_create", id, create, (id, 0));
        self.host().contexts.configure(None);
        if let Some(root) = self.host().contexts.root_mut(id) {
            root.created = true;
        }
        let vm_size = length(self.guest.state().config.configuration.len());
        let start = self.guest.exports().on_vm_start.clone();
        let started = self
            .guest
            .call("proxy_on_vm_start", id, start, (id, vm_size))
            .or(1);
        self.run_actions();
        self.healthy()?;
        if started == Some(0) {
            return Err(StartError::Refused);
        }
        self.host().contexts.configure(Some(id));
        let configure = self.guest.exports().on_configure.clone();
        let configured = self
            .guest
            .call("proxy_on_configure", id, configure, (id, size))
            .or(1);
        self.host().contexts.configure(None);
        self.run_actions();
        self.healthy()?;
        if configured == Some(0) {
            return Err(StartError::ConfigurationRefused);
        }
        Ok(())
    }

    /// Lets a plugin go once its last stream has ended: `on_done`, `on_delete`.
    pub fn retire_plugin(&mut self, root: RootId) {
        if let Some(retired) = self.host().contexts.root_mut(root.0) {
            retired.retired = true;
        }
        self.drop_root_if_idle(root.0);
    }

    pub(super) fn drop_root_if_idle(&mut self, id: u32) {
        let root = self.host().contexts.root(id);
        if !root.is_some_and(|root| root.retired && root.streams == 0 && !root.pending_done) {
            return;
        }
        let on_done = self.guest.exports().on_done.clone();
        let done = self.guest.call("proxy_on_done", id, on_done, id).or(1);
        if done == Some(0) {
            if let Some(root) = self.host().contexts.root_mut(id) {
                root.pending_done = true;
            }
            self.run_actions();
            return;
        }
        self.run_actions();
        self.delete_root(id);
    }

    pub(super) fn delete_root(&mut self, id: u32) {
        if self.host().contexts.root(id).is_none() {
            return;
        }
        let on_delete = self.guest.exports().on_delete.clone();
        self.guest.call("proxy_on_delete", id, on_delete, id);
        self.run_actions();
        self.host().contexts.remove_root(id);
        self.cancel_callouts_of(id);
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
