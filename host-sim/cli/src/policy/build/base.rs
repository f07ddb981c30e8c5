//! The base document: a policy, and what each team may speak for.

use std::collections::{BTreeMap, BTreeSet};

use modgate_policy::document::{ANYONE, did_you_mean, is_name};

use super::namespace::Namespace;
use super::shape::{At, Findings, find};

/// Where a team's own rule sets stand among those of the base.
pub(super) const TEAM: &str = "{team}";

/// The base.
#[derive(Debug)]
pub(super) struct Base<'n> {
    /// Its members but `teams`.
    pub(super) members: Vec<(&'n str, At<'n>)>,
    /// The names of its rule sets.
    pub(super) sets: BTreeSet<&'n str>,
    /// By name.
    pub(super) teams: BTreeMap<&'n str, Grant<'n>>,
}

/// What the base says of a team.
#[derive(Debug)]
pub(super) struct Grant<'n> {
    pub(super) at: At<'n>,
    /// The tenants that it speaks for.
    pub(super) tenants: BTreeMap<&'n str, At<'n>>,
    pub(super) namespaces: Vec<Namespace>,
    /// The rule sets of each of its tenants; [`TEAM`] once among them. Empty for the team's alone.
    pub(super) frame: Vec<(&'n str, At<'n>)>,
    /// What else holds for each of its tenants: `require`, `integrity` and `tier`.
    pub(super) more: Vec<(&'n str, At<'n>)>,
}

impl<'n> Base<'n> {
    pub(super) fn read(root: At<'n>, findings: &mut Findings) -> Self {
        let mut members = root.members(findings);
        let place = members.iter().position(|(key, _)| *key == "teams");
        let written = match place.map(|place| members.remove(place).1) {
            Some(teams) => teams.members(findings),
            None => {
                findings.push(
                    root.wrong("missing: `teams`, with the tenants and namespaces of each team"),
                );
                Vec::new()
            }
        };
        let rules = find(&members, "rules").map(|rules| rules.members(findings));
        let sets = rules.iter().flatten().map(|(set, _)| *set).collect();
        let teams = written.into_iter().map(|(name, at)| {
            if !is_name(name) {
                let message = "a team's name has 1 to 63 of A-Z, a-z, 0-9, _ and -";
                findings.push(at.wrong(message));
            }
            (name, Grant::read(at, findings))
        });
        let base = Self {
            teams: teams.collect(),
            members,
            sets,
        };
        base.check_tenants(findings);
        base.check_sets(findings);
        base
    }

    fn check_tenants(&self, findings: &mut Findings) {
        let own = find(&self.members, "tenants").map(|tenants| tenants.members(findings));
        let own = own.unwrap_or_default();
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (team, grant) in &self.teams {
            for (tenant, at) in &grant.tenants {
                if let Some(first) = taken.insert(tenant, team) {
                    let message =
                        format!("the tenant {tenant:?} already belongs to the team {first:?}");
                    findings.push(at.wrong(message));
                }
                if let Some(at) = find(&own, tenant) {
                    findings.push(at.wrong(format!(
                        "the tenant {tenant:?} belongs to the team {team:?}; the base configures its tenants in {}",
                        grant.at.path
                    )));
                }
            }
        }
    }

    /// The base names its own rule sets alone: one that it lost must not come back as some team's.
    fn check_sets(&self, findings: &mut Findings) {
        let mut named: Vec<(&str, At<'n>)> = Vec::new();
        for grant in self.teams.values() {
            let frame = grant.frame.iter().filter(|(set, _)| *set != TEAM);
            named.extend(frame.cloned());
        }
        // What has another shape the engine tells.
        let ignored = &mut Vec::new();
        for (_, tenant) in find(&self.members, "tenants")
            .map(|tenants| tenants.members(ignored))
            .unwrap_or_default()
        {
            let members = tenant.members(ignored);
            let rollout = find(&members, "rollout").map(|rollout| rollout.members(ignored));
            let candidate = rollout
                .as_ref()
                .and_then(|rollout| find(rollout, "candidate"));
            for sets in [find(&members, "rules"), candidate].into_iter().flatten() {
                named.extend(sets.texts(ignored));
            }
        }
        for (set, at) in named {
            if !self.sets.contains(set) {
                let hint = did_you_mean(set, self.sets.iter().copied());
                let message = format!("no rule set of the base is named {set:?}{hint}");
                findings.push(at.wrong(message));
            }
        }
    }
}

impl<'n> Grant<'n> {
    fn read(at: At<'n>, findings: &mut Findings) -> Self {
        const KEYS: &[&str] = &[
            "tenants",
            "namespaces",
            "rules",
            "require",
            "integrity",
            "tier",
        ];
        let why = "a team can have tenants, namespaces, rules, require, integrity and tier";
        let members = at.known_members(KEYS, why, findings);
        let mut list = |key: &str| {
            let Some(list) = find(&members, key) else {
                findings.push(at.wrong(format!("missing: {key}")));
                return Vec::new();
            };
            let texts = list.texts(findings);
            if texts.is_empty() {
                findings.push(list.wrong("the list is empty"));
            }
            texts
        };
        let (written_tenants, written_namespaces) = (list("tenants"), list("namespaces"));
        let mut tenants = BTreeMap::new();
        for (tenant, at) in written_tenants {
            if tenant == ANYONE {
                findings.push(at.wrong("only the base can configure the tenant *"));
            }
            if tenants.insert(tenant, at.clone()).is_some() {
                findings.push(at.wrong(format!("the tenant {tenant:?} is listed twice")));
            }
        }
        let mut namespaces = Vec::new();
        for (namespace, at) in written_namespaces {
            match Namespace::parse(namespace) {
                Ok(namespace) => namespaces.push(namespace),
                Err(why) => findings.push(at.wrong(format!("the namespace {namespace:?}: {why}"))),
            }
        }
        let frame = find(&members, "rules").map(|rules| (rules, rules.texts(findings)));
        if let Some((rules, frame)) = &frame {
            let own = frame.iter().filter(|(set, _)| *set == TEAM).count();
            if own != 1 {
                let message =
                    format!("{TEAM:?} must be listed once: the team's own rule sets go there");
                findings.push(rules.wrong(message));
            }
        }
        let is_more = |(key, _): &&(&str, At<'n>)| matches!(*key, "require" | "integrity" | "tier");
        Self {
            tenants,
            namespaces,
            frame: frame.map(|(_, frame)| frame).unwrap_or_default(),
            more: members.iter().filter(is_more).cloned().collect(),
            at,
        }
    }
}
