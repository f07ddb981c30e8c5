//! What a VM is made with.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::effect::LogLevel;

/// How much one call into the guest may take before it is stopped as a trap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Wall time, kept to within a few percent.
    Time(Duration),
    /// Units of fuel, about one for each instruction; the engine must count fuel
    /// ([`EngineOptions::fuel`](super::EngineOptions)). The same on every run.
    Fuel(u64),
}

/// What happens to requests once the VM has failed (Envoy's `failure_policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPolicy {
    /// They are answered 503.
    #[default]
    Closed,
    /// They pass unfiltered.
    Open,
    /// They are answered 503 until a new VM is made, after Envoy's back-off of a second.
    Reload,
}

/// Envoy's `reload_config.backoff`, without what it adds by chance (up to a half): a VM that fails sooner
/// after it got its configuration, be it the first one, is not replaced before.
pub const RELOAD_BACK_OFF: Duration = Duration::from_secs(1);

/// What a VM is made with (Envoy's `VmConfig`).
#[derive(Clone, Debug)]
pub struct VmConfig {
    /// VMs of one id share data and queues.
    pub vm_id: String,
    /// Handed to the filter in `on_vm_start`.
    pub configuration: Vec<u8>,
    /// The environment variables that the filter sees.
    pub environment: Vec<(String, String)>,
    /// The host functions that the filter may use by name; `None` allows all.
    pub allowed_functions: Option<BTreeSet<String>>,
    /// The limit of one call into the guest.
    pub budget: Budget,
    /// The limit of the guest's memory, in bytes.
    pub memory_limit: usize,
    /// Lines below this level are not handed on, and `get_log_level` answers it.
    pub log_level: LogLevel,
    /// What happens to requests once the VM has failed.
    pub fail_policy: FailPolicy,
    /// Tell of every call into the guest and out of it ([`Crossing`](crate::Crossing)).
    pub trace: bool,
}

impl Default for VmConfig {
    fn default() -> Self {
        Self {
            vm_id: String::new(),
            configuration: Vec::new(),
            environment: Vec::new(),
            allowed_functions: None,
            budget: Budget::Time(Duration::from_secs(10)),
            memory_limit: 1 << 30,
            log_level: LogLevel::Info,
            fail_policy: FailPolicy::Closed,
            trace: false,
        }
    }
}
