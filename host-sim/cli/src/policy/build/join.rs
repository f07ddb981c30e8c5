//! All parts in one document, checked as every policy is.

use std::collections::BTreeMap;

use modgate_policy::document::{PolicyError, member_path};
use modgate_policy::tools::PolicySource;
use serde_json::{Map, Value};

use super::base::{Base, Grant, TEAM};
use super::folder::Parts;
use super::shape::{At, Findings, find};
use super::team::Team;
use crate::policy_file::load::Finding;

/// The policy that came of the parts.
#[derive(Debug)]
pub(super) struct Built {
    /// JSON, with sorted keys and a line feed at its end.
    pub(super) text: String,
    pub(super) policy_source: PolicySource,
    pub(super) warnings: Vec<Finding>,
}

/// The document while it is made, and where what in it comes from.
#[derive(Default)]
struct Document<'n> {
    members: Map<String, Value>,
    /// By the path in the document.
    origins: BTreeMap<String, At<'n>>,
}

/// Joins the parts.
///
/// # Errors
/// What a part may not say, what two say, and what is wrong with the policy that comes of it, each
/// with its place in the part.
pub(super) fn join(parts: &Parts, version: Option<&str>) -> Result<Built, Findings> {
    let mut findings = Vec::new();
    let root = At::root(&parts.base);
    let base = Base::read(root.clone(), &mut findings);
    let mut teams = BTreeMap::new();
    for (name, source) in &parts.teams {
        match base.teams.get(&**name) {
            Some(grant) => {
                let team = Team::read(&At::root(source), grant, &mut findings);
                teams.insert(&**name, team);
            }
            None => {
                let message = format!("the base has no team {name:?} in `teams`");
                findings.push(At::root(source).wrong(message));
            }
        }
    }
    for (name, grant) in &base.teams {
        if !parts.teams.contains_key(*name) {
            let message = format!(
                "the file teams/{name}.json is missing; a team without configuration needs {{}}"
            );
            findings.push(grant.at.wrong(message));
        }
    }
    conflicts(&base, &teams, &mut findings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut document = Document::default();
    document.add_base(&base, version);
    for (name, team) in &teams {
        if let Some(grant) = base.teams.get(name) {
            document.add_team(grant, team);
        }
    }
    document.check(&root)
}

/// What two parts name.
fn conflicts<'n>(base: &Base<'n>, teams: &BTreeMap<&str, Team<'n>>, findings: &mut Findings) {
    let ignored = &mut Vec::new();
    let of_base = find(&base.members, "rules").map(|rules| rules.members(ignored));
    let of_base = of_base.unwrap_or_default();
    let owners = std::iter::once(&of_base).chain(teams.values().map(|team| &team.sets));
    let (mut sets, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for (owner, own) in owners.enumerate() {
        for (set, at) in own {
            told_twice(&mut sets, owner, "rule set", set, at, findings);
            for rule in at.elements(ignored) {
                let members = rule.members(ignored);
                let id = find(&members, "id").and_then(|id| Some((id.node.text()?, id)));
                if let Some((id, at)) = id {
                    told_twice(&mut ids, owner, "rule", id, at, findings);
                }
            }
        }
    }
}

/// Notes a name of an owner, and that another owner has it already. What one owner names twice the
/// engine judges.
fn told_twice<'n>(
    known: &mut BTreeMap<&'n str, (usize, String)>,
    owner: usize,
    what: &str,
    name: &'n str,
    at: &At<'n>,
    findings: &mut Findings,
) {
    let place = || format!("{} at {}", at.source.file, at.path);
    let (first, place) = known.entry(name).or_insert_with(|| (owner, place()));
    if *first != owner {
        let message = format!("the {what} {name:?} is already in {place}");
        findings.push(at.wrong(message));
    }
}

impl<'n> Document<'n> {
    fn add_base(&mut self, base: &Base<'n>, version: Option<&str>) {
        for (key, at) in &base.members {
            self.origins.insert(member_path("$", key), at.clone());
            self.members.insert((*key).to_owned(), at.node.value());
        }
        if let Some(version) = version {
            self.members.insert("version".to_owned(), version.into());
        }
    }

    fn add_team(&mut self, grant: &Grant<'n>, team: &Team<'n>) {
        for (set, at) in &team.sets {
            let path = member_path("$.rules", set);
            self.origins.insert(path, at.clone());
            self.insert("rules", set, at.node.value());
        }
        for (name, granted) in &grant.tenants {
            let path = member_path("$.tenants", name);
            self.origins.insert(path.clone(), granted.clone());
            let mut tenant = Map::new();
            for (key, at) in &grant.more {
                self.origins.insert(member_path(&path, key), at.clone());
                tenant.insert((*key).to_owned(), at.node.value());
            }
            let said = team
                .tenants
                .get(name)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let rules = self.framed(&format!("{path}.rules"), grant, find(said, "rules"));
            tenant.insert("rules".to_owned(), rules);
            if let Some(rollout) = find(said, "rollout") {
                let at = format!("{path}.rollout");
                self.origins.insert(at.clone(), rollout.clone());
                let mut value = rollout.node.value();
                let members = rollout.members(&mut Vec::new());
                if let (Some(object), Some(candidate)) =
                    (value.as_object_mut(), find(&members, "candidate"))
                {
                    let sets = self.framed(&format!("{at}.candidate"), grant, Some(candidate));
                    object.insert("candidate".to_owned(), sets);
                }
                tenant.insert("rollout".to_owned(), value);
            }
            self.insert("tenants", name, tenant.into());
        }
        for test in &team.tests {
            let tests = self
                .members
                .entry("tests")
                .or_insert_with(|| Value::Array(Vec::new()));
            let Some(tests) = tests.as_array_mut() else {
                continue;
            };
            let path = format!("$.tests[{}]", tests.len());
            tests.push(test.node.value());
            self.origins.insert(path, test.clone());
        }
    }

    /// The rule sets that the base has around a team's own ones.
    fn framed(&mut self, path: &str, grant: &Grant<'n>, own: Option<&At<'n>>) -> Value {
        let own = own
            .map(|own| own.texts(&mut Vec::new()))
            .unwrap_or_default();
        let mut sets: Vec<(&str, At<'n>)> = Vec::new();
        for (set, at) in &grant.frame {
            if *set == TEAM {
                sets.extend(own.iter().cloned());
            } else {
                sets.push((*set, at.clone()));
            }
        }
        if grant.frame.is_empty() {
            sets = own;
        }
        let names = sets.iter().map(|(set, _)| Value::from(*set)).collect();
        for (i, (_, at)) in sets.into_iter().enumerate() {
            self.origins.insert(format!("{path}[{i}]"), at);
        }
        Value::Array(names)
    }

    /// Adds to an object at the top; what stands there in another shape the engine refuses.
    fn insert(&mut self, key: &str, name: &str, value: Value) {
        let place = self.members.entry(key);
        let place = place.or_insert_with(|| Value::Object(Map::new()));
        if let Some(object) = place.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    }

    fn check(self, root: &At<'n>) -> Result<Built, Findings> {
        let value = sorted(Value::Object(self.members));
        let text = format!("{value:#}\n");
        let place = |error: PolicyError| at_origin(&self.origins, root, error);
        let policy_source = PolicySource::from_json(text.as_bytes());
        let policy_source =
            policy_source.map_err(|errors| errors.into_iter().map(place).collect::<Vec<_>>())?;
        let warnings = policy_source.warnings().into_iter().map(place).collect();
        Ok(Built {
            text,
            policy_source,
            warnings,
        })
    }
}

/// An error of the document, told of the part that it comes from.
fn at_origin<'n>(origins: &BTreeMap<String, At<'n>>, root: &At<'n>, error: PolicyError) -> Finding {
    let mut above = &*error.path;
    while !above.is_empty() {
        if let Some(origin) = origins.get(above) {
            let path = format!("{}{}", origin.path, &error.path[above.len()..]);
            let message = error.message;
            return origin.source.finding(PolicyError { path, message });
        }
        let end = above.rfind(['.', '[']).unwrap_or(0);
        above = &above[..end];
    }
    root.source.finding(error)
}

/// The same with keys in order, whatever order this build's JSON keeps, and without nulls.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            let in_order: BTreeMap<String, Value> = members.collect();
            let all = in_order
                .into_iter()
                .map(|(key, value)| (key, sorted(value)));
            Value::Object(all.collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        plain => plain,
    }
}
