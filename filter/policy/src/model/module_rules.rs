//! The rules that can be about a module, found once, so that each of its many versions costs only those.

use super::policy::{Policy, Tenant};
use super::rules::{Effect, Rule, RuleSet, behind_gopkg_in};
use super::{Age, RuleSetSide, Subject};
use modgate_go::gomod::semver::Semver;

/// The rules of a tenant whose patterns match a module, in the order in which they are tried.
pub struct ModuleRules<'p> {
    rules: Vec<&'p Rule>,
    default: Effect,
}

/// What they say of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is served.
    Allow,
    /// It is refused.
    Deny,
    /// That depends on its age, which nobody has looked up.
    Open,
}

impl Policy {
    /// The rules of a tenant's side that can be about a module.
    pub fn module_rules(
        &self,
        tenant: &Tenant,
        side: RuleSetSide,
        module: &str,
    ) -> ModuleRules<'_> {
        let sets = self.sets_of(tenant, side);
        ModuleRules {
            rules: sets.iter().flat_map(|set| matching(set, module)).collect(),
            default: self.default,
        }
    }
}

impl ModuleRules<'_> {
    /// The same as [`Policy::decide`] says, in fewer words.
    pub fn say(&self, version: Semver<'_>, age: Age) -> Says {
        let subject = Subject::Version(version, age);
        for rule in &self.rules {
            if rule.needs_lookup(&subject) {
                return Says::Open;
            }
            if rule.decides(&subject) {
                return match rule.effect {
                    Effect::Allow if rule.too_young(age).is_none() => Says::Allow,
                    _ => Says::Deny,
                };
            }
        }
        match self.default {
            Effect::Allow => Says::Allow,
            Effect::Deny => Says::Deny,
        }
    }
}

/// The rules of a set that match, the first one first.
fn matching<'p>(set: &'p RuleSet, module: &str) -> Vec<&'p Rule> {
    let mut ranks = Vec::new();
    let mut note = |rank| {
        ranks.push(rank);
        false
    };
    set.patterns.first_match_where(module, &mut note);
    if let Some(alias) = behind_gopkg_in(module) {
        set.patterns.first_match_where(&alias, &mut |rank| {
            let rule = set.rules.get(rank as usize);
            rule.is_some_and(Rule::covers_aliases) && note(rank)
        });
    }
    ranks.sort_unstable();
    ranks.dedup();
    let rules = ranks.into_iter();
    rules
        .filter_map(|rank| set.rules.get(rank as usize))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::rules::Decision;
    use super::*;
    use modgate_go::gomod::semver;

    #[test]
    fn they_say_what_the_whole_policy_says() {
        let rules = json!([
            {"id": "one", "deny": ["re:corp\\.example/li.*"], "versions": ">=1.2.0 <1.4.0 || =1.0.1"},
            {"id": "alias", "deny": ["github.com/go-lib/lib"], "versions": "v3"},
            {"id": "fresh", "deny": ["corp.example/lib"], "min_age": "2d", "versions": "v1.5"},
            {"id": "old", "allow": ["corp.example"], "versions": "<1.6.0"},
            {"id": "week", "allow": ["*"], "min_age": "7d", "except": "v9"},
        ]);
        for default in ["allow", "deny"] {
            let document = json!({
                "version": "1", "default": default,
                "tenants": {"*": {"rules": ["r", "s"]}},
                "rules": {"r": rules, "s": [{"id": "last", "allow": ["gopkg.in"], "versions": "v3.9.0"}]},
                "backends": {"b": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "b"}],
            });
            let policy = Policy::from_json(document.to_string().as_bytes()).unwrap();
            let tenant = policy.tenant(None).unwrap();
            let days = |days: u64| Age::Known(Duration::from_secs(days * 86_400));
            let ages = [Age::Unasked, Age::Unknown, days(1), days(3), days(8)];
            let versions = [
                "v0.1.0",
                "v1.0.1",
                "v1.1.0",
                "v1.2.0",
                "v1.3.9",
                "v1.4.0",
                "v1.5.0-rc.1",
                "v1.5.3",
                "v1.6.0",
                "v3.0.0",
                "v3.9.0",
                "v9.0.0",
            ];
            for module in [
                "corp.example/lib",
                "corp.example/other",
                "gopkg.in/lib.v3",
                "a.b/c",
            ] {
                let rules = policy.module_rules(tenant, RuleSetSide::Active, module);
                for (version, age) in versions.iter().flat_map(|v| ages.map(|age| (v, age))) {
                    let parts = semver::parse(version).unwrap();
                    let subject = Subject::Version(parts, age);
                    let verdict =
                        policy.decide(tenant, RuleSetSide::Active, module, &subject, true);
                    let want = match verdict.decision {
                        _ if verdict.needs_lookup => Says::Open,
                        Decision::Allow => Says::Allow,
                        _ => Says::Deny,
                    };
                    assert_eq!(rules.say(parts, age), want, "{module}@{version} {age:?}");
                }
            }
        }
    }
}
