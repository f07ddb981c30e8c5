//! Root contexts.

use std::sync::Arc;
use std::time::Duration;

/// A plugin: what Envoy's `PluginConfig` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginConfig {
    /// For logs and for the property `plugin_name`.
    pub name: String,
    /// Which of a module's plugins this is.
    pub root_id: String,
    /// Handed to the filter in `on_configure`.
    pub configuration: Vec<u8>,
    /// Envoy's `allow_on_headers_stop_iteration`: a pause on headers lets body callbacks follow.
    pub allow_on_headers_stop_iteration: bool,
}

/// A root context of a VM.
#[derive(Debug)]
pub(crate) struct Root {
    pub plugin: Arc<PluginConfig>,
    /// Whether the VM has created this context.
    pub created: bool,
    pub tick: Option<Tick>,
    /// How the last gRPC request ended, or the ABI's status of a callout that broke off.
    pub status_code: u32,
    /// What was said of it; there in its callback only.
    pub status_message: String,
    /// Streams that live.
    pub streams: usize,
    /// Goes when its last stream has gone.
    pub retired: bool,
    /// `on_done` said that it is not done; `proxy_done` is to come.
    pub pending_done: bool,
}

/// A timer that fires again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub period: Duration,
    pub next: Duration,
}

impl Root {
    pub(crate) fn new(plugin: PluginConfig) -> Self {
        Self {
            plugin: Arc::new(plugin),
            created: false,
            tick: None,
            status_code: 0,
            status_message: String::new(),
            streams: 0,
            retired: false,
            pending_done: false,
        }
    }
}
