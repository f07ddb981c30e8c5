//! A team's file: what it may say, and nothing else.

use std::collections::BTreeMap;

use modgate_policy::document::did_you_mean;

use super::base::Grant;
use super::shape::{At, Findings, find};

/// A team's file.
#[derive(Debug, Default)]
pub(super) struct Team<'n> {
    /// What it says of its tenants: `rules` and `rollout`.
    pub(super) tenants: BTreeMap<&'n str, Vec<(&'n str, At<'n>)>>,
    /// Its rule sets.
    pub(super) sets: Vec<(&'n str, At<'n>)>,
    pub(super) tests: Vec<At<'n>>,
}

impl<'n> Team<'n> {
    /// Reads a team's file by what the base grants it. What has another shape than a policy has is
    /// told by the engine, once all is joined.
    pub(super) fn read(root: &At<'n>, grant: &Grant<'n>, findings: &mut Findings) -> Self {
        let why =
            "a team's file can have only tenants, rules and tests; the rest belongs in the base";
        let members = root.known_members(&["tenants", "rules", "tests"], why, findings);
        let sets = find(&members, "rules").map(|rules| rules.members(findings));
        let sets = sets.unwrap_or_default();
        for (_, set) in &sets {
            for rule in set.elements(findings) {
                check_rule(&rule, grant, findings);
            }
        }
        let tenants = find(&members, "tenants").map(|tenants| tenants.members(findings));
        let mut read = BTreeMap::new();
        for (name, at) in tenants.unwrap_or_default() {
            check_tenant(name, &at, grant, findings);
            let why =
                "a team can set only a tenant's rules and rollout; the rest belongs in the base";
            let said = at.known_members(&["rules", "rollout"], why, findings);
            let rollout = find(&said, "rollout").map(|rollout| rollout.members(findings));
            let candidate = rollout
                .as_ref()
                .and_then(|rollout| find(rollout, "candidate"));
            for named in [find(&said, "rules"), candidate].into_iter().flatten() {
                check_sets(named, &sets, findings);
            }
            read.insert(name, said);
        }
        let tests = find(&members, "tests").map(|tests| tests.elements(findings));
        let tests = tests.unwrap_or_default();
        for test in &tests {
            let members = test.members(findings);
            // A test without a tenant is told by the engine.
            if let Some((at, name)) =
                find(&members, "tenant").and_then(|at| Some((at, at.node.text()?)))
            {
                check_tenant(name, at, grant, findings);
            }
        }
        Self {
            tenants: read,
            sets,
            tests,
        }
    }
}

fn check_tenant(name: &str, at: &At<'_>, grant: &Grant<'_>, findings: &mut Findings) {
    if grant.tenants.contains_key(name) {
        return;
    }
    let own: Vec<&str> = grant.tenants.keys().copied().collect();
    let hint = did_you_mean(name, own.iter().copied());
    findings.push(at.wrong(format!(
        "the tenant {name:?} does not belong to this team; its tenants are: {}{hint}",
        own.join(", ")
    )));
}

/// A team's tenants have its own rule sets; those of the base stand around them as the base says.
fn check_sets(named: &At<'_>, sets: &[(&str, At<'_>)], findings: &mut Findings) {
    for (set, at) in named.texts(findings) {
        if find(sets, set).is_none() {
            let own: Vec<&str> = sets.iter().map(|(set, _)| *set).collect();
            let hint = did_you_mean(set, own.iter().copied());
            findings.push(at.wrong(format!(
                "this file has no rule set {set:?}; it has: {}{hint}",
                if own.is_empty() {
                    "none".to_owned()
                } else {
                    own.join(", ")
                }
            )));
        }
    }
}

fn check_rule(rule: &At<'_>, grant: &Grant<'_>, findings: &mut Findings) {
    let members = rule.members(findings);
    let patterns = [find(&members, "allow"), find(&members, "deny")];
    for list in patterns.into_iter().flatten() {
        for (pattern, at) in list.texts(findings) {
            if !grant
                .namespaces
                .iter()
                .any(|namespace| namespace.holds(pattern))
            {
                let all: Vec<String> = grant.namespaces.iter().map(ToString::to_string).collect();
                findings.push(at.wrong(format!(
                    "the pattern {pattern:?} may match outside the team's namespaces ({}): it must begin with one of them, element by element",
                    all.join(", ")
                )));
            }
        }
    }
    if let Some(fold_case) = find(&members, "fold_case") {
        let message = "a team's rules must be case-sensitive: A and a are different modules, and one may belong to another team";
        findings.push(fold_case.wrong(message));
    }
}
