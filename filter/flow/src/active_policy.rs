//! One plugin configuration: the policy that is active, and all that its streams share.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use modgate_engine::telemetry::{policy_gauges, series};
use modgate_go::sumdb::Memory;
use modgate_policy::document::PolicyError;
use modgate_policy::model::{Database, Policy};

use crate::host::{Host, LogLevel, MetricKind};
use crate::metrics::{Meters, record};
use crate::shared::{self, Worker};

/// The most errors of a policy that one line of the log names.
const ERRORS_IN_LOG: usize = 10;

/// What every stream of a configuration needs. A stream keeps the one that it began with.
pub struct ActivePolicy {
    pub(crate) policy: Policy,
    pub(crate) worker: Rc<Worker>,
    pub(crate) meters: Meters,
    /// What this worker knows of the policy's checksum database.
    pub(crate) sumdb: RefCell<Memory>,
}

impl ActivePolicy {
    /// Reads a policy document, and announces the policy in log and metrics; `None` where it is refused,
    /// and the log says why: the one that was active stays.
    pub fn configure(host: &dyn Host, worker: &Rc<Worker>, document: Vec<u8>) -> Option<Rc<Self>> {
        let policy = match Policy::from_json_owned(document) {
            Ok(policy) => policy,
            Err(errors) => {
                host.log(LogLevel::Error, &refusal(&errors));
                return None;
            }
        };
        announce(host, &policy);
        if let Some(database) = policy.database() {
            shared::set_new(host, &head_key(database), &[]);
        }
        Some(Rc::new(Self {
            policy,
            worker: Rc::clone(worker),
            meters: Meters::default(),
            sumdb: RefCell::default(),
        }))
    }
}

/// What a callback of one stream works with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) active: &'a Rc<ActivePolicy>,
}

impl<'a> Context<'a> {
    pub(crate) fn policy(&self) -> &'a Policy {
        &self.active.policy
    }

    pub(crate) fn meters(&self) -> &'a Meters {
        &self.active.meters
    }
}

/// Under what a database's last signed head is shared: as long as the proxy runs, and through changes of
/// the policy, by the database's key, name included.
pub(crate) fn head_key(database: &Database) -> String {
    format!("modgate.sumdb.{}", database.key)
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

/// Says in log and metrics which policy is active, and how far its rollouts have come.
///
/// The gauges are shared by all workers, each of which comes here, and by the root contexts of earlier
/// configurations, which may live on for a while. So what was announced last is shared too.
fn announce(host: &dyn Host, policy: &Policy) {
    let gauges = policy_gauges(policy);
    let set = |name: &str, value| record(host, host.define_metric(MetricKind::Gauge, name), value);
    let names: Vec<&str> = gauges.iter().map(|(name, _)| name.as_str()).collect();
    // No value of a label has a line break.
    let now = names.join("\n");
    let root_id = host.attribute(&["plugin_root_id"]).unwrap_or_default();
    let key = format!("modgate.policy_info.{}", String::from_utf8_lossy(&root_id));
    let before = shared::get(host, &key).and_then(|names| String::from_utf8(names).ok());
    if before.as_deref() != Some(now.as_str()) {
        let before = before.unwrap_or_default();
        let stay: HashSet<&str> = names.into_iter().collect();
        let gone = before.lines().filter(|name| !stay.contains(name));
        gone.for_each(|name| set(name, 0));
        shared::set(host, &key, now.as_bytes());
        host.log(
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
    for (name, value) in &gauges {
        set(name, *value);
    }
}
