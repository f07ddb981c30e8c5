//! One plugin configuration: the policy that is in force, and the last good one kept.

use std::collections::HashSet;
use std::rc::Rc;

use modgate_engine::telemetry::{policy_gauges, series};
use modgate_policy::document::PolicyError;
use modgate_policy::model::Policy;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel, MetricType};

use crate::meters::Meters;
use crate::stream::Stream;
use crate::{host, sumdb};

/// The most errors of a policy that one line of the log names.
const ERRORS_IN_LOG: usize = 10;

/// What every stream of a configuration needs.
pub(crate) struct InForce {
    pub(crate) policy: Policy,
    pub(crate) meters: Meters,
    pub(crate) known: sumdb::Known,
}

/// The root context.
#[derive(Default)]
pub(crate) struct Root {
    /// A stream keeps the one that it began with.
    in_force: Option<Rc<InForce>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Takes a policy over, or refuses it and keeps the one that is in force.
    fn on_configure(&mut self, _size: usize) -> bool {
        match Policy::from_json_owned(host::configuration()) {
            Ok(policy) => {
                announce(&policy);
                if let Some(database) = policy.database() {
                    sumdb::make_memory(database);
                }
                self.in_force = Some(Rc::new(InForce {
                    policy,
                    meters: Meters::default(),
                    known: sumdb::Known::default(),
                }));
                true
            }
            Err(errors) => {
                host::log(LogLevel::Error, &refusal(&errors));
                false
            }
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.in_force.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One line, since a control plane tells nobody why a configuration was refused: only the log does.
fn refusal(errors: &[PolicyError]) -> String {
    let mut line = "modgate: policy refused, it does not come into force".to_owned();
    for error in errors.iter().take(ERRORS_IN_LOG) {
        line.push_str("; ");
        line.push_str(&error.to_string());
    }
    if errors.len() > ERRORS_IN_LOG {
        line.push_str(&format!("; and {} more", errors.len() - ERRORS_IN_LOG));
    }
    line
}

/// Says in log and metrics which policy is in force, and how far its rollouts have come.
///
/// The gauges are shared by all workers, each of which comes here, and by the root contexts of earlier
/// configurations, which may live on for a while. So what was announced last is shared too.
fn announce(policy: &Policy) {
    let gauges = policy_gauges(policy);
    let names: Vec<&str> = gauges.iter().map(|(name, _)| name.as_str()).collect();
    // No value of a label has a line break.
    let now = names.join("\n");
    let root_id = host::property(&["plugin_root_id"]).unwrap_or_default();
    let key = format!("modgate.policy_info.{}", String::from_utf8_lossy(&root_id));
    let before = host::shared(&key).and_then(|names| String::from_utf8(names).ok());
    if before.as_deref() != Some(now.as_str()) {
        let before = before.unwrap_or_default();
        let stand: HashSet<&str> = names.into_iter().collect();
        let gone = before.lines().filter(|name| !stand.contains(name));
        gone.for_each(|name| host::record(host::define_metric(MetricType::Gauge, name), 0));
        host::share(&key, now.as_bytes());
        host::log(
            LogLevel::Info,
            &format!(
                "modgate: policy {} ({}) is in force: {} tenants, {} backends",
                series::label_value_from(policy.version()),
                policy.hash(),
                policy.tenants().len(),
                policy.backends().len()
            ),
        );
    }
    for (name, value) in gauges {
        host::record(host::define_metric(MetricType::Gauge, &name), value);
    }
}
