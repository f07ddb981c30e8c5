//! What is reported for a log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use modgate_policy::model::Policy;
use serde::Serialize;

use super::evaluation::{Reader, Request};
use super::line_request::NotEvaluated;
use super::tally::{Shown, Tally};

/// Everything that is reported; `--json` prints it as it is.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) policy: Name,
    pub(super) candidate: Name,
    /// How old versions were taken to be, in seconds; `None` for old enough.
    pub(super) age_seconds: Option<u64>,
    /// Lines of all logs.
    pub(super) lines: u64,
    /// Those that are requests for modules.
    pub(super) evaluated: u64,
    /// Requests that the policy allows and the candidate refuses.
    pub(super) newly_denied: u64,
    /// Requests that the policy refuses and the candidate allows.
    pub(super) newly_allowed: u64,
    /// Sorted by name.
    pub(super) tenants: Vec<Tenant>,
    /// Those with the most requests first.
    pub(super) changes: Vec<Change>,
    /// How many changes are not shown.
    pub(super) more_changes: usize,
    /// Requests on which a rule with `min_age` had a say.
    pub(super) by_age: u64,
    /// Requests that were evaluated as the module as a whole, though some of its versions may be refused.
    pub(super) as_a_whole: u64,
    /// Requests that the log says were decided otherwise than the policy does.
    pub(super) logged_otherwise: u64,
    /// Lines that were not evaluated, by reason.
    pub(super) not_evaluated: Vec<Unread>,
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Name {
    pub(super) file: String,
    pub(super) version: String,
    pub(super) hash: String,
    /// The member of a tenant whose rules are meant, where not all hold.
    pub(super) side: Option<&'static str>,
    /// The tenants of whose requests it depends on the client which rules hold.
    pub(super) canaries_by_client: Vec<String>,
}

/// What came of a tenant's requests.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tenant {
    /// As the log names it.
    pub(super) tenant: String,
    pub(super) requests: u64,
    pub(super) policy: Side,
    pub(super) candidate: Side,
    pub(super) newly_denied: u64,
    pub(super) newly_allowed: u64,
    /// Refused by both, in another way: with 404 and not 403, or the other way round.
    pub(super) refused_otherwise: u64,
}

/// What one policy does with a tenant's requests.
#[derive(Debug, Default, Serialize)]
pub(super) struct Side {
    pub(super) allowed: u64,
    pub(super) refused: u64,
    /// The tenant that the policy takes it for; `None` where it knows neither it nor `*`.
    pub(super) evaluated_as: Option<String>,
}

/// Requests of a tenant for a module, all of which change in the same way for the same reason.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) requests: u64,
    pub(super) tenant: String,
    pub(super) module: String,
    /// `None` where every request of the tenant for the module changes so.
    pub(super) versions: Option<BTreeSet<String>>,
    /// What was requested, as the access log says it.
    pub(super) operations: BTreeSet<&'static str>,
    /// `denied` or `allowed`.
    pub(super) newly: &'static str,
    /// What decides on either side, as `set/rule`.
    pub(super) policy_rule: String,
    pub(super) candidate_rule: String,
}

/// Lines that were not evaluated.
#[derive(Debug, Serialize)]
pub(super) struct Unread {
    pub(super) reason: &'static str,
    /// Whether the line is good, and is something other than a request for a module.
    pub(super) is_no_request: bool,
    pub(super) lines: u64,
    pub(super) first: Vec<Shown>,
}

impl Report {
    pub(super) fn new(
        (policy, candidate): (Name, Name),
        age: Option<Duration>,
        tally: &Tally,
        reader: &Reader<'_>,
        top: usize,
    ) -> Self {
        let requests = reader.requests();
        let tenants = tenants(reader);
        let sum = |of: fn(&Tenant) -> u64| tenants.iter().map(of).sum();
        let count = |which: fn(&Request) -> bool| {
            let counted = requests.iter().filter(|request| which(request));
            counted.map(|request| request.lines).sum()
        };
        let mut changes = changes(requests);
        let more_changes = changes.len().saturating_sub(top);
        changes.truncate(top);
        Self {
            policy,
            candidate,
            age_seconds: age.map(|age| age.as_secs()),
            lines: tally.lines,
            evaluated: tally.evaluated,
            newly_denied: sum(|tenant| tenant.newly_denied),
            newly_allowed: sum(|tenant| tenant.newly_allowed),
            changes,
            more_changes,
            by_age: count(|request| request.policy.by_age || request.candidate.by_age),
            as_a_whole: count(|request| {
                request.policy.needs_lookup || request.candidate.needs_lookup
            }),
            logged_otherwise: tally.logged_otherwise,
            not_evaluated: not_evaluated(tally),
            tenants,
        }
    }
}

fn tenants(reader: &Reader<'_>) -> Vec<Tenant> {
    let mut all: BTreeMap<&str, Tenant> = BTreeMap::new();
    let taken_for = |policy: &Policy, name: &str| {
        let tenant = policy.tenant(Some(name));
        tenant.map(|tenant| tenant.name.clone())
    };
    for request in reader.requests() {
        let name = &*request.tenant;
        let tenant = all.entry(name).or_insert_with(|| {
            let mut tenant = Tenant {
                tenant: name.to_owned(),
                ..Tenant::default()
            };
            let sides = reader.sides();
            tenant.policy.evaluated_as = taken_for(&sides.policy.policy, name);
            tenant.candidate.evaluated_as = taken_for(&sides.candidate.policy, name);
            tenant
        });
        let (policy, candidate) = (&request.policy, &request.candidate);
        tenant.requests += request.lines;
        for (side, said) in [
            (&mut tenant.policy, policy),
            (&mut tenant.candidate, candidate),
        ] {
            let count = if said.allows {
                &mut side.allowed
            } else {
                &mut side.refused
            };
            *count += request.lines;
        }
        match (policy.allows, candidate.allows) {
            (true, false) => tenant.newly_denied += request.lines,
            (false, true) => tenant.newly_allowed += request.lines,
            (false, false) if policy.decision != candidate.decision => {
                tenant.refused_otherwise += request.lines;
            }
            (true, true) | (false, false) => {}
        }
    }
    all.into_values().collect()
}

/// The changes, those with the most requests first.
fn changes(requests: &[Request]) -> Vec<Change> {
    // Of a module that changes: whether some of a tenant's requests for it do not.
    let mut modules: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let changed = |request: &&Request| request.policy.allows != request.candidate.allows;
    for request in requests.iter().filter(changed) {
        modules.insert((&request.tenant, &request.module), false);
    }
    let mut groups: BTreeMap<_, Change> = BTreeMap::new();
    for request in requests {
        let module = (&*request.tenant, &*request.module);
        let Some(is_mixed) = modules.get_mut(&module) else {
            continue;
        };
        if !changed(&request) {
            *is_mixed = true;
            continue;
        }
        let (policy, candidate) = (&*request.policy.rule, &*request.candidate.rule);
        let allowed = request.candidate.allows;
        let change = groups
            .entry((module, allowed, policy, candidate))
            .or_insert_with(|| Change {
                requests: 0,
                tenant: request.tenant.to_string(),
                module: request.module.clone(),
                versions: Some(BTreeSet::new()),
                operations: BTreeSet::new(),
                newly: if allowed { "allowed" } else { "denied" },
                policy_rule: policy.to_owned(),
                candidate_rule: candidate.to_owned(),
            });
        change.requests += request.lines;
        change.operations.insert(request.operation.as_str());
        if let Some(versions) = &mut change.versions {
            versions.extend(request.version.clone());
        }
    }
    // Where a module changes in several ways, it matters which version does how.
    let mut ways: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (module, ..) in groups.keys() {
        *ways.entry(*module).or_default() += 1;
    }
    let mut all: Vec<Change> = Vec::with_capacity(groups.len());
    for ((module, ..), mut change) in groups {
        let is_whole = modules.get(&module) == Some(&false) && ways.get(&module) == Some(&1);
        if is_whole {
            change.versions = None;
        }
        all.push(change);
    }
    all.sort_by_key(|change| std::cmp::Reverse(change.requests));
    all
}

fn not_evaluated(tally: &Tally) -> Vec<Unread> {
    let all = tally.not_evaluated.iter().map(|(why, unread)| {
        let (reason, is_no_request) = match *why {
            NotEvaluated::Unreadable(reason) => (reason, false),
            NotEvaluated::NoRequest(reason) => (reason, true),
        };
        Unread {
            reason,
            is_no_request,
            lines: unread.lines,
            first: unread.first.clone(),
        }
    });
    all.collect()
}
