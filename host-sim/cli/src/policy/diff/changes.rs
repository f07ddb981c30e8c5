//! What changes in a document, in its own words.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::chain::{self, Link};

/// One change.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    /// The list or the key that it is in, such as `rules`.
    pub(super) at: String,
    /// What of it, such as `org/typosquat`; `None` where it is the whole.
    pub(super) name: Option<String>,
    #[serde(flatten)]
    pub(super) kind: Kind,
}

/// What becomes of something.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub(super) enum Kind {
    Added {
        new: Value,
    },
    Removed {
        old: Value,
    },
    /// Past others that stay, and not only because of what was added and removed.
    Moved {
        /// What it stands behind now; `None` where it is the first.
        behind: Option<String>,
    },
    Changed {
        keys: Vec<Key>,
    },
}

/// A key with another value.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Key {
    pub(super) key: String,
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
}

/// What belongs to no tenant.
pub(super) fn of_everybody(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (members(Some(old)), members(Some(new)));
    let mut found = Vec::new();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in names {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        match key.as_str() {
            "tenants" => {}
            "rules" => unused_sets(old, new, &mut found),
            "backends" | "sumdb" | "splits" => {
                found.extend(chain::changes(key, &named(before), &named(after)));
            }
            "routes" => {
                let links = |list| identified("", list);
                found.extend(chain::changes(key, &links(before), &links(after)));
            }
            "identity" | "tests" => {
                found.extend(chain::changes(key, &written(before), &written(after)));
            }
            "route_key" => {
                // It is a secret: only that it changes is said.
                let old = before.map(|_| Value::from("(a secret)"));
                let new = after.map(|_| Value::from("(another secret)"));
                found.extend(value(key, old.as_ref(), new.as_ref()));
            }
            "integrity" => found.extend(object(key, before, after)),
            _ => found.extend(value(key, before, after)),
        }
    }
    found
}

/// Rule sets that no tenant has: their rules are nobody's.
fn unused_sets(old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Change>) {
    let used: BTreeSet<&str> = [old, new]
        .into_iter()
        .flat_map(|document| members(document.get("tenants")).values())
        .flat_map(|tenant| {
            let rollout = tenant.get("rollout");
            let candidate = rollout.and_then(|rollout| rollout.get("candidate"));
            texts(tenant.get("rules")).chain(texts(candidate))
        })
        .collect();
    let (old, new) = (members(old.get("rules")), members(new.get("rules")));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for set in names.into_iter().filter(|set| !used.contains(set.as_str())) {
        let within = format!("{set}/");
        let (old, new) = (
            identified(&within, old.get(set)),
            identified(&within, new.get(set)),
        );
        found.extend(chain::changes("rules of no tenant", &old, &new));
    }
}

/// What changes of a value as a whole.
pub(super) fn value(at: &str, old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
    let kind = match (old, new) {
        (None, Some(new)) => Kind::Added { new: new.clone() },
        (Some(old), None) => Kind::Removed { old: old.clone() },
        (Some(old), Some(new)) if old != new => Kind::Changed {
            keys: vec![Key {
                key: at.to_owned(),
                old: Some(old.clone()),
                new: Some(new.clone()),
            }],
        },
        _ => return None,
    };
    Some(Change {
        at: at.to_owned(),
        name: None,
        kind,
    })
}

/// What changes of an object, key by key.
pub(super) fn object(at: &str, old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) if old != new => Some(Change {
            at: at.to_owned(),
            name: None,
            kind: Kind::Changed {
                keys: keys(old, new),
            },
        }),
        _ => value(at, old, new),
    }
}

/// The keys of which two objects have different values.
pub(super) fn keys(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Key> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key));
    let key = |key: &String| Key {
        key: key.clone(),
        old: old.get(key).cloned(),
        new: new.get(key).cloned(),
    };
    changed.map(key).collect()
}

/// The elements of a list by their `id`, behind the name of what they are in.
pub(super) fn identified<'v>(within: &str, list: Option<&'v Value>) -> Vec<Link<'v>> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    let link = |value: &'v Value| {
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
        Link::of(format!("{within}{id}"), value)
    };
    all.map(link).collect()
}

/// The rules of a list of rule sets, as `set/rule`, in the order in which they are tried.
pub(super) fn rules_of<'v>(document: &'v Value, sets: Option<&'v Value>) -> Vec<Link<'v>> {
    let rules = members(document.get("rules"));
    let of = |set: &'v str| identified(&format!("{set}/"), rules.get(set));
    texts(sets).flat_map(of).collect()
}

/// The members of an object by their names.
fn named(object: Option<&Value>) -> Vec<Link<'_>> {
    let all = members(object).iter();
    all.map(|(name, value)| Link::of(name.clone(), value))
        .collect()
}

/// The elements of a list by what is written.
fn written(list: Option<&Value>) -> Vec<Link<'_>> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.map(|value| Link::of(value.to_string(), value))
        .collect()
}

/// The members of an object; none of what is no object.
pub(super) fn members(value: Option<&Value>) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Value::as_object).unwrap_or(&NONE)
}

/// The strings of a list.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str)
}
