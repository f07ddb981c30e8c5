//! A filter that says which configuration it has, and what VM and host know of all of them.

use std::cell::Cell;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{LogLevel, MetricType, Status};

thread_local! {
    /// Requests that this VM has seen, under whatever configuration.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// How often a configuration was taken, over all VMs: the key of shared data.
const CONFIGURED: &str = "configured";

/// The name that a configuration gives.
#[derive(Clone, Default)]
pub(crate) struct Tag(String);

/// Counts a configuration; gives their number, over all VMs.
pub(crate) fn configured() -> u32 {
    count("odd_configured");
    loop {
        let (value, cas) = hostcalls::get_shared_data(CONFIGURED).unwrap_or_default();
        let now = value.as_deref().and_then(number).unwrap_or(0) + 1;
        let value = now.to_string();
        let set = hostcalls::set_shared_data(CONFIGURED, Some(value.as_bytes()), cas);
        if !matches!(set, Err(Status::CasMismatch)) {
            return now;
        }
    }
}

impl Tag {
    pub(crate) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The configuration, how often any was taken, and how many requests the VM has seen.
    pub(crate) fn headers(&self) -> [(&'static str, String); 3] {
        let (value, _) = hostcalls::get_shared_data(CONFIGURED).unwrap_or_default();
        let configured = value.as_deref().and_then(number).unwrap_or(0);
        SEEN.set(SEEN.get() + 1);
        [
            ("x-tag", self.0.clone()),
            ("x-configured", configured.to_string()),
            ("x-seen", SEEN.get().to_string()),
        ]
    }

    /// Ticks come in some number; that they come is what can be compared.
    pub(crate) fn ticks(&self) {
        let gauge = hostcalls::define_metric(MetricType::Gauge, &format!("odd_ticked_{}", self.0));
        let _ = gauge.map(|gauge| hostcalls::record_metric(gauge, 1));
    }

    /// The configuration goes.
    pub(crate) fn done(&self) {
        count("odd_done");
        let _ = hostcalls::log(
            LogLevel::Info,
            &format!("odd configuration {} goes", self.0),
        );
    }
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn count(metric: &str) {
    let counter = hostcalls::define_metric(MetricType::Counter, metric);
    let _ = counter.map(|counter| hostcalls::increment_metric(counter, 1));
}
