//! What the threads of one proxy share.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use envoy_wasm_host::{
    Effect, FailPolicy, LogLevel, Module, PluginConfig, Proxy, RootId, StartError, VmConfig, Waker,
    Worker,
};

use super::access::AccessRecord;
use super::backends::Backends;
use super::config::{AccessLog, Conventions, LineLog, PolicyFormat, PolicyReader};
use super::repeated::Repeated;
use crate::clusters::{Clusters, Member};

/// What the threads of one proxy share.
pub(super) struct Shared {
    pub proxy: Arc<Proxy>,
    pub module: Module,
    pub conventions: Conventions,
    pub access_log: Option<AccessLog>,
    pub line_log: Option<LineLog>,
    pub policy_reader: Option<PolicyReader>,
    pub policy_format: Option<PolicyFormat>,
    pub backends: Backends,
    pub connections: AtomicU64,
    pub repeated: Repeated,
}

impl Shared {
    /// The plugin that a policy makes.
    pub(super) fn plugin(&self, policy: &[u8]) -> PluginConfig {
        PluginConfig {
            name: self.conventions.name.clone(),
            root_id: self.conventions.name.clone(),
            configuration: policy.to_owned(),
            allow_on_headers_stop_iteration: true,
        }
    }

    /// A VM with its plugin. Where that fails, the filter's reason is in the error.
    pub(super) fn new_worker(
        &self,
        plugin: PluginConfig,
        waker: Option<Waker>,
    ) -> Result<(Worker, RootId), StartError> {
        let config = VmConfig {
            vm_id: self.conventions.name.clone(),
            fail_policy: FailPolicy::Reload,
            ..VmConfig::default()
        };
        let mut worker = Worker::with_waker(&self.module, config, Arc::clone(&self.proxy), waker)?;
        match worker.start_plugin(plugin) {
            Ok(root) => Ok((worker, root)),
            Err(error) => {
                self.log_lines(&mut worker);
                Err(error)
            }
        }
    }

    /// Starts the plugin in a VM of its own that is then thrown away, as Envoy does before it lets a
    /// configuration near its workers. What it needs of the clusters holds from then on.
    ///
    /// # Errors
    /// The check's or the filter's own words where there are some, else why it does not start.
    pub(super) fn try_out(&self, plugin: PluginConfig) -> Result<(), TrialError> {
        let reader = self.policy_reader.as_ref();
        let needs = reader.map_or_else(Clusters::default, |read| read(&plugin.configuration));
        if let Some(missing) = self.missing(&needs) {
            return Err(TrialError::Refused(missing));
        }
        let config = VmConfig {
            vm_id: self.conventions.name.clone(),
            ..VmConfig::default()
        };
        let trial = Worker::new(&self.module, config, Arc::clone(&self.proxy));
        let mut worker = trial.map_err(TrialError::Broken)?;
        let started = worker.start_plugin(plugin);
        let mut reason = None;
        for effect in worker.effects() {
            if let Effect::Log(level, line) = effect
                && level >= LogLevel::Error
            {
                reason = Some(line);
            }
        }
        match (started, reason) {
            (Ok(_), _) => {
                self.proxy.add_clusters(needs.failovers.keys().cloned());
                self.backends.becomes(needs);
                Ok(())
            }
            (Err(StartError::ConfigurationRefused), Some(reason)) => {
                Err(TrialError::Refused(reason))
            }
            (Err(error), _) => Err(TrialError::Broken(error)),
        }
    }

    /// What the filter reads of a policy's file.
    ///
    /// # Errors
    /// What is wrong with the file, in its own lines.
    pub(super) fn format(&self, path: &Path, content: &[u8]) -> Result<Vec<u8>, String> {
        match &self.policy_format {
            Some(format) => format(path, content),
            None => Ok(content.to_owned()),
        }
    }

    /// What a policy needs that is not there, in a sentence.
    fn missing(&self, needs: &Clusters) -> Option<String> {
        let mut backends = needs.backends.iter();
        let missing = backends.find(|member| !self.proxy.has_cluster(&member.cluster));
        match missing {
            Some(Member { backend, cluster }) => Some(format!(
                "its backend `{backend}` uses the cluster `{cluster}`, for which there is no upstream; add --upstream {cluster}=http://HOST:PORT"
            )),
            None => self.backends.missing(needs),
        }
    }

    pub(super) fn log(&self, level: LogLevel, line: &str) {
        match &self.line_log {
            Some(log) => log(level, line),
            None => eprintln!("[{level}] {line}"),
        }
    }

    /// Logs what may happen with every request or connection: each line once in a while.
    pub(super) fn log_repeated(&self, level: LogLevel, line: &str) {
        if let Some(line) = self.repeated.line(line, Instant::now()) {
            self.log(level, &line);
        }
    }

    /// Hands on the lines that a worker leaves which does not start.
    fn log_lines(&self, worker: &mut Worker) {
        for effect in worker.effects() {
            if let Effect::Log(level, line) = effect {
                self.log(level, &line);
            }
        }
    }

    pub(super) fn record(&self, record: &AccessRecord) {
        if let Some(log) = &self.access_log {
            log(record);
        }
    }

    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }
}

/// Why a configuration is not let near the workers.
pub(super) enum TrialError {
    /// The filter's own words.
    Refused(String),
    Broken(StartError),
}

impl std::fmt::Display for TrialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::Broken(error) => error.fmt(f),
        }
    }
}
