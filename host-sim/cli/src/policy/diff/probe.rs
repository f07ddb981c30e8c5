//! What both policies are evaluated for: the modules, versions and ages that their rules speak of.

use std::collections::{BTreeMap, BTreeSet};

use modgate_go::gomod::{check_path, is_canonical_for};
use modgate_policy::document::{ANYONE, Document, RuleDoc, Text};
use modgate_policy::pattern::{Meaning, PatternSetBuilder};
use modgate_policy::tools::PolicySource;

/// A module to ask about.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    /// The first pattern that it stands for.
    pub(super) pattern: String,
    pub(super) module: String,
    /// Canonical ones that rules about it name.
    pub(super) versions: BTreeSet<String>,
    /// Whether a rule about it wants an age.
    pub(super) by_age: bool,
}

/// All modules to ask about for a tenant.
#[derive(Debug, Default)]
pub(super) struct Probes {
    pub(super) all: Vec<Probe>,
    /// Patterns for which no module can be named.
    pub(super) expressions: BTreeSet<String>,
}

/// What stands in the place of `*`, where anything can.
const ANY: &str = "any";

impl Probes {
    /// The modules that a tenant's rules in either policy name, and those of the routes.
    pub(super) fn of(old: &PolicySource, new: &PolicySource, tenant: &str) -> Self {
        let mut probes = Self::default();
        let mut known = BTreeMap::new();
        for document in [&old.document, &new.document] {
            for rule in rules(document, tenant) {
                let patterns = rule.allow.iter().chain(&rule.deny).flatten();
                probes.add(patterns, Some(rule), &mut known);
            }
            let routes = document.routes.iter();
            let modules = routes.filter_map(|route| route.modules.as_ref()).flatten();
            probes.add(modules, None, &mut known);
        }
        probes
    }

    fn add<'d>(
        &mut self,
        patterns: impl Iterator<Item = &'d Text>,
        rule: Option<&RuleDoc>,
        known: &mut BTreeMap<String, usize>,
    ) {
        let constraints = rule.map(|rule| [&rule.versions, &rule.except]);
        let named: Vec<String> = constraints
            .into_iter()
            .flatten()
            .flatten()
            .flat_map(|constraint| versions(constraint))
            .flat_map(|version| with_lower(version, rule))
            .collect();
        for pattern in patterns {
            let Some(module) = example(pattern) else {
                self.expressions.insert(pattern.to_string());
                continue;
            };
            let place = *known.entry(module.clone()).or_insert_with(|| {
                self.all.push(Probe {
                    pattern: pattern.to_string(),
                    module: module.clone(),
                    versions: BTreeSet::new(),
                    by_age: false,
                });
                self.all.len() - 1
            });
            let probe = &mut self.all[place];
            probe.by_age |= rule.is_some_and(|rule| rule.min_age.is_some());
            let fitting = named.iter().filter_map(|version| fitting(&module, version));
            probe.versions.extend(fitting);
        }
    }
}

/// The rules that a tenant has or is tried with; of one that a policy does not know, those of `*`.
fn rules<'d>(document: &'d Document, tenant: &str) -> impl Iterator<Item = &'d RuleDoc> {
    let tenants = &document.tenants;
    let tenant = tenants.get(tenant).or_else(|| tenants.get(ANYONE));
    let sets = tenant.into_iter().flat_map(|tenant| {
        let candidate = tenant.rollout.as_ref().map(|rollout| &rollout.candidate);
        tenant.rules.iter().chain(candidate.into_iter().flatten())
    });
    sets.filter_map(|set| document.rules.get(&**set)).flatten()
}

/// A module that a pattern matches: the pattern itself where it has no wildcards.
fn example(pattern: &str) -> Option<String> {
    if pattern.starts_with("re:") {
        return None;
    }
    let pattern = pattern.trim_end_matches('/');
    let plain = filled(pattern, ANY);
    let first = filled(pattern, "any.example");
    // The first element has a dot.
    let with_host = match (first.split_once('/'), plain.split_once('/')) {
        (Some((host, _)), Some((_, rest))) => format!("{host}/{rest}"),
        _ => first,
    };
    let mut builder = PatternSetBuilder::default();
    builder.add(pattern, 0, Meaning::default()).ok()?;
    let set = builder.build();
    let is_matched =
        |module: &String| check_path(module).is_ok() && set.first_match(module).is_some();
    [plain, with_host].into_iter().find(is_matched)
}

/// A pattern with something in the place of its wildcards.
fn filled(pattern: &str, any: &str) -> String {
    let mut filled = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => filled.push_str(any),
            '?' => filled.push('x'),
            '[' => {
                let class: String = rest.by_ref().take_while(|c| *c != ']').collect();
                // What a negated class does not hold is told by asking.
                filled.push(class.chars().next().filter(|c| *c != '^').unwrap_or('x'));
            }
            c => filled.push(c),
        }
    }
    filled
}

/// The versions that a constraint names, with three numbers.
fn versions(constraint: &str) -> impl Iterator<Item = String> {
    let words = constraint.split([' ', '|', ',']);
    words.filter_map(|word| {
        let version = word.trim_start_matches(['<', '>', '=', '!']);
        let version = version.strip_prefix('v').unwrap_or(version);
        let end = version.find(['-', '+']).unwrap_or(version.len());
        let (numbers, more) = version.split_at(end);
        let missing = match numbers.split('.').count() {
            1 if !numbers.is_empty() => ".0.0",
            2 => ".0",
            3 => "",
            _ => return None,
        };
        Some(format!("v{numbers}{missing}{more}"))
    })
}

/// The version, and where the rule means go.mod files one that is lower, as those in a range below it are.
fn with_lower(version: String, rule: Option<&RuleDoc>) -> Vec<String> {
    let means_go_mod = rule.is_some_and(|rule| rule.go_mod.is_some() || rule.hide == Some(true));
    if !means_go_mod || version.contains(['-', '+']) {
        return vec![version];
    }
    let lower = format!("{version}-0");
    vec![version, lower]
}

/// The version as a module of this path can have it.
fn fitting(module: &str, version: &str) -> Option<String> {
    let plain = version.to_owned();
    let incompatible = format!("{version}+incompatible");
    let fits = |version: &String| is_canonical_for(module, version).is_ok();
    [plain, incompatible].into_iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_a_module_that_it_matches() {
        let rows = [
            ("corp.example/lib", Some("corp.example/lib")),
            ("corp.example/lib/", Some("corp.example/lib")),
            ("corp.example/lib/v2", Some("corp.example/lib/v2")),
            ("*", Some("any.example")),
            ("*.corp.example/x", Some("any.corp.example/x")),
            ("*/x", Some("any.example/x")),
            ("github.com/*/lib-[0-9]*", Some("github.com/any/lib-0any")),
            ("github.com/[^a]?", Some("github.com/xx")),
            ("re:a\\.b", None),
            ("github.com/[^x]", None),
        ];
        table_rows::check(rows, |(pattern, module)| {
            assert_eq!(example(pattern).as_deref(), module, "{pattern}");
        });
    }

    #[test]
    fn a_constraint_names_versions() {
        let all = |text| versions(text).collect::<Vec<_>>();
        assert_eq!(all("<0.31.0"), ["v0.31.0"]);
        assert_eq!(
            all(">=v1.2 <2 || !=v3.0.0-rc.1"),
            ["v1.2.0", "v2.0.0", "v3.0.0-rc.1"]
        );
        assert_eq!(
            fitting("a.b/c", "v2.0.0").as_deref(),
            Some("v2.0.0+incompatible")
        );
        assert_eq!(fitting("a.b/c/v2", "v2.0.0").as_deref(), Some("v2.0.0"));
        assert_eq!(fitting("a.b/c/v2", "v3.0.0"), None);
    }
}
