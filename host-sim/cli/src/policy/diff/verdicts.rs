//! The modules whose verdict changes, by the engine's own decision of both policies.

use std::time::Duration;

use modgate_engine::decision::evaluate_as_tenant;
use modgate_go::gomod::escape_into;
use modgate_go::gomod::path::{Major, split_major};
use modgate_policy::model::{Age, Policy};
use serde::Serialize;

use super::probe::Probe;
use crate::policy_file::request::{decided, get, goes_on, path};

/// A module, or a version of it, that one policy lets through and the other does not.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Turn {
    /// The pattern for which it stands.
    pub(super) pattern: String,
    pub(super) module: String,
    /// `None` for the module as a whole.
    pub(super) version: Option<String>,
    /// Whether the version is one that was published just now.
    pub(super) is_young: bool,
    /// Whether it is the version's go.mod file alone that turns.
    pub(super) is_go_mod: bool,
    pub(super) old: Verdict,
    pub(super) new: Verdict,
}

/// What a policy says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    #[serde(skip)]
    allows: bool,
    pub(super) decision: &'static str,
    /// What decided, as `set/rule`.
    pub(super) rule: String,
}

/// What of a module is requested.
#[derive(Clone, Copy)]
enum Requested<'p> {
    Whole,
    /// A file of a version that is old enough for every rule.
    Version(&'p str, File),
    /// A file of one that was published just now.
    Young(&'p str, File),
}

/// A file of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    Zip,
    GoMod,
}

/// The turns of a tenant's probes. Of a module that turns as a whole no version is reported, and of a version
/// whose zip turns no go.mod file.
pub(super) fn of(old: &Policy, new: &Policy, tenant: &str, probes: &[Probe]) -> Vec<Turn> {
    let mut turns = Vec::new();
    for probe in probes {
        let turn = |requested: Requested<'_>| turn(old, new, tenant, probe, requested);
        if let Some(whole) = turn(Requested::Whole) {
            turns.push(whole);
            continue;
        }
        let of_version = |version: &str| {
            let zip = turn(Requested::Version(version, File::Zip));
            zip.or_else(|| turn(Requested::Version(version, File::GoMod)))
        };
        turns.extend(probe.versions.iter().filter_map(|v| of_version(v)));
        if probe.by_age {
            let version = first_version(&probe.module);
            let young = turn(Requested::Young(&version, File::Zip));
            let young = young.or_else(|| turn(Requested::Young(&version, File::GoMod)));
            turns.extend(young.filter(|_| of_version(&version).is_none()));
        }
    }
    turns
}

fn turn(
    old: &Policy,
    new: &Policy,
    tenant: &str,
    probe: &Probe,
    requested: Requested<'_>,
) -> Option<Turn> {
    let (version, age) = match requested {
        Requested::Whole => (None, Age::Unasked),
        Requested::Version(version, file) => (Some((version, file)), Age::Known(Duration::MAX)),
        Requested::Young(version, file) => (Some((version, file)), Age::Known(Duration::ZERO)),
    };
    let file = match version {
        None => "@v/list".to_owned(),
        Some((version, file)) => {
            let mut path = "@v/".to_owned();
            escape_into(version, &mut path);
            path + match file {
                File::Zip => ".zip",
                File::GoMod => ".mod",
            }
        }
    };
    let path = path(&probe.module, &file);
    let (old, new) = (ask(old, tenant, &path, age), ask(new, tenant, &path, age));
    (old.allows != new.allows).then(|| Turn {
        pattern: probe.pattern.clone(),
        module: probe.module.clone(),
        version: version.map(|(version, _)| version.to_owned()),
        is_young: matches!(requested, Requested::Young(..)),
        is_go_mod: version.is_some_and(|(_, file)| file == File::GoMod),
        old,
        new,
    })
}

/// What a policy says to a tenant; of one that it does not know, to `*`.
fn ask(policy: &Policy, tenant: &str, path: &str, age: Age) -> Verdict {
    let Some(tenant) = policy.tenant(Some(tenant)) else {
        return Verdict {
            allows: false,
            decision: "deny",
            rule: "identity".to_owned(),
        };
    };
    let decision = evaluate_as_tenant(policy, &get(path), tenant, age);
    let (outcome, rule) = decided(&decision);
    Verdict {
        allows: goes_on(&decision),
        decision: outcome,
        rule,
    }
}

/// A version that a module of this path can have.
fn first_version(module: &str) -> String {
    match split_major(module) {
        Some((_, Major::Slash(major) | Major::Dot(major))) => {
            let major = major.strip_suffix("-unstable").unwrap_or(major);
            format!("{major}.0.0")
        }
        Some((_, Major::None)) | None => "v1.0.0".to_owned(),
    }
}
