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
        let id = self.next_context();
        let size = length(plugin.configuration.len());
        self.host().roots.insert(id, Root::new(plugin));
        let started = self.run_start(id, size);
        if started.is_err() {
            self.host().roots.remove(&id);
        }
        started.map(|()| RootId(id))
    }

    fn revived(&mut self, plugin: &PluginConfig) -> Option<RootId> {
        let mut roots = self.host().roots.iter_mut();
        let fits = |root: &Root| root.retired && root.streams > 0 && *root.plugin == *plugin;
        let (id, root) = roots.find(|(_, root)| fits(root))?;
        root.retired = false;
        Some(RootId(*id))
    }

    fn run_start(&mut self, id: u32, size: u32) -> Result<(), StartError> {
        self.host().configuring = Some(id);
        let create = self.exports.on_context_create.clone();
        self.call("proxy_on_context_create", id, create, (id, 0));
        self.host().configuring = None;
        if let Some(root) = self.host().roots.get_mut(&id) {
            root.created = true;
        }
        let vm_size = length(self.store.data().config.configuration.len());
        let start = self.exports.on_vm_start.clone();
        let started = self
            .call("proxy_on_vm_start", id, start, (id, vm_size))
            .or(1);
        self.run_actions();
        self.healthy()?;
        if started == Some(0) {
            return Err(StartError::Refused);
        }
        self.host().configuring = Some(id);
        let configure = self.exports.on_configure.clone();
        let configured = self
            .call("proxy_on_configure", id, configure, (id, size))
            .or(1);
        self.host().configuring = None;
        self.run_actions();
        self.healthy()?;
        if configured == Some(0) {
            return Err(StartError::ConfigurationRefused);
        }
        Ok(())
    }

    /// Lets a plugin go once its last stream has ended: `on_done`, `on_delete`.
    pub fn retire_plugin(&mut self, root: RootId) {
        if let Some(retired) = self.host().roots.get_mut(&root.0) {
            retired.retired = true;
        }
        self.drop_root_if_idle(root.0);
    }

    pub(super) fn drop_root_if_idle(&mut self, id: u32) {
        let root = self.host().roots.get(&id);
        if !root.is_some_and(|root| root.retired && root.streams == 0 && !root.pending_done) {
            return;
        }
        let on_done = self.exports.on_done.clone();
        let done = self.call("proxy_on_done", id, on_done, id).or(1);
        if done == Some(0) {
            if let Some(root) = self.host().roots.get_mut(&id) {
                root.pending_done = true;
            }
            self.run_actions();
            return;
        }
        self.run_actions();
        self.delete_root(id);
    }

    pub(super) fn delete_root(&mut self, id: u32) {
        if !self.host().roots.contains_key(&id) {
            return;
        }
        let on_delete = self.exports.on_delete.clone();
        self.call("proxy_on_delete", id, on_delete, id);
        self.run_actions();
        self.host().roots.remove(&id);
        self.cancel_callouts_of(id);
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
