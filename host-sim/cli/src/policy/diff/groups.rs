//! What changes for tenants: those of whom the same is to be told together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::Side;
use super::chain;
use super::changes::{Change, Kind, keys, members, rules_of, value};
use super::probe::Probes;
use super::verdicts::{self, Turn};

/// Tenants, and what changes for each of them.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) tenants: Vec<String>,
    pub(super) changes: Vec<Change>,
    /// The modules whose verdict changes.
    pub(super) verdicts: Vec<Turn>,
}

/// What changes for a tenant.
type Told = (Vec<Change>, Vec<Turn>);

/// The tenants of either policy for whom something changes, and how many expressions were not asked
/// about.
pub(super) fn of(old: &Side, new: &Side) -> (Vec<Group>, usize) {
    if old.document == new.document {
        return (Vec::new(), 0);
    }
    let before = members(old.document.get("tenants"));
    let after = members(new.document.get("tenants"));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut expressions = BTreeSet::new();
    // What was told of a tenant is true of all that are written alike.
    let mut known: HashMap<String, Told> = HashMap::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        let key = alike(name, was, is);
        let (changes, verdicts) = known.entry(key).or_insert_with(|| {
            let probes = Probes::of(&old.policy_source, &new.policy_source, name);
            let verdicts = verdicts::of(
                &old.policy_source.policy,
                &new.policy_source.policy,
                name,
                &probes.all,
            );
            expressions.extend(probes.expressions);
            (changes(old, new, was, is), verdicts)
        });
        if changes.is_empty() && verdicts.is_empty() {
            continue;
        }
        let same = serde_json::to_string(&(&changes, &verdicts)).unwrap_or_default();
        let place = *places.entry(same).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.tenants.push(name.clone()),
            None => groups.push(Group {
                tenants: vec![name.clone()],
                changes: changes.clone(),
                verdicts: verdicts.clone(),
            }),
        }
    }
    (groups, expressions.len())
}

/// What a tenant's changes and verdicts depend on; of a canary also its name.
fn alike(name: &str, was: Option<&Value>, is: Option<&Value>) -> String {
    let is_canary = |tenant: &Value| {
        let stage = tenant
            .get("rollout")
            .and_then(|rollout| rollout.get("stage"));
        stage.is_some_and(|stage| stage == "canary")
    };
    let named = [was, is].into_iter().flatten().any(is_canary);
    let written = |tenant: Option<&Value>| tenant.map(Value::to_string).unwrap_or_default();
    let name = if named { name } else { "" };
    format!("{}\n{}\n{name}", written(was), written(is))
}

fn changes(old: &Side, new: &Side, was: Option<&Value>, is: Option<&Value>) -> Vec<Change> {
    let (Some(was), Some(is)) = (was, is) else {
        return value("tenant", was, is).into_iter().collect();
    };
    let mut found = chained("rules", old, new, was.get("rules"), is.get("rules"));
    match (was.get("rollout"), is.get("rollout")) {
        (Some(was), Some(is)) => {
            let mut changed = keys(members(Some(was)), members(Some(is)));
            changed.retain(|key| key.key != "candidate");
            if !changed.is_empty() {
                found.push(Change {
                    at: "rollout".to_owned(),
                    name: None,
                    kind: Kind::Changed { keys: changed },
                });
            }
            let (was, is) = (was.get("candidate"), is.get("candidate"));
            found.extend(chained("candidate", old, new, was, is));
        }
        (was, is) => found.extend(value("rollout", was, is)),
    }
    for key in ["integrity", "require", "tier"] {
        found.extend(value(key, was.get(key), is.get(key)));
    }
    found
}

/// What changes of the rules in a list of rule sets.
fn chained(
    at: &str,
    old: &Side,
    new: &Side,
    was: Option<&Value>,
    is: Option<&Value>,
) -> Vec<Change> {
    let found = chain::changes(
        at,
        &rules_of(&old.document, was),
        &rules_of(&new.document, is),
    );
    if found.is_empty() {
        // Sets without rules came, went or moved.
        return value(at, was, is).into_iter().collect();
    }
    found
}
