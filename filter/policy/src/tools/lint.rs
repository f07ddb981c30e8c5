//! What is probably not meant in a document that is good: warnings, never false ones.

use std::collections::{BTreeMap, BTreeSet};

use super::lint_private::private_routes;
use super::unfollowed;
use crate::compile;
use crate::document::{DefaultDoc, Document, Path, PolicyError, RuleDoc, TenantDoc, Text};
use crate::pattern::Meaning;

/// Rules that can never decide, what nobody uses, tenants without rules.
pub(crate) fn warnings(document: &Document) -> Vec<PolicyError> {
    let mut found = Vec::new();
    tenants(document, &mut found);
    unused(document, &mut found);
    shadowed_rules(document, &mut found);
    shadowed_routes(document, &mut found);
    private_routes(document, &mut found);
    unfollowed::warnings(document, &mut found);
    found
}

/// The patterns of rules and routes that nothing known matches.
pub(crate) fn idle_patterns(
    document: &Document,
    matches_something: impl Fn(&str, Meaning) -> bool,
) -> Vec<PolicyError> {
    let mut found = Vec::new();
    let mut look = |at: &Path, patterns: &[Text], meaning: Meaning| {
        for (i, pattern) in patterns.iter().enumerate() {
            if !matches_something(pattern, meaning) {
                let message = format!("the pattern {:?} matches none of the modules", &**pattern);
                found.push(at.index(i).error(message));
            }
        }
    };
    let root = Path::root();
    for (set, rules) in &document.rules {
        for (i, rule) in rules.iter().enumerate() {
            let at = root.key("rules").key(set).index(i);
            look(
                &at.key(effect(rule)),
                patterns(rule),
                compile::meaning(rule),
            );
        }
    }
    for (i, route) in document.routes.iter().enumerate() {
        let modules = route.modules.as_deref().unwrap_or_default();
        look(
            &root.key("routes").index(i).key("modules"),
            modules,
            Meaning::default(),
        );
    }
    found
}

/// A rule's patterns.
pub(crate) fn patterns(rule: &RuleDoc) -> &[Text] {
    let patterns = rule.allow.as_ref().or(rule.deny.as_ref());
    patterns.map(Vec::as_slice).unwrap_or_default()
}

fn effect(rule: &RuleDoc) -> &'static str {
    if rule.allow.is_some() {
        "allow"
    } else {
        "deny"
    }
}

fn tenants(document: &Document, found: &mut Vec<PolicyError>) {
    for (name, tenant) in &document.tenants {
        let is_empty = |set: &Text| document.rules.get(&**set).is_none_or(Vec::is_empty);
        // A candidate that decides for nobody yet gives a tenant no rule.
        if tenant.rules.iter().all(is_empty) {
            let what = match document.default {
                DefaultDoc::Allow => "allowed",
                DefaultDoc::Deny => "denied",
            };
            let message = format!("this tenant has no rules: by default everything is {what}");
            found.push(Path::root().key("tenants").key(name).error(message));
        }
    }
}

fn unused(document: &Document, found: &mut Vec<PolicyError>) {
    let root = Path::root();
    for set in document.rules.keys() {
        let mut used = document.tenants.values().flat_map(sides).flatten();
        if !used.any(|used| **used == **set) {
            let at = root.key("rules").key(set);
            found.push(at.error("no tenant uses this rule set"));
        }
    }
    let tried = document.routes_rollout.iter().flat_map(|t| &t.candidate);
    let by_routes = document.routes.iter().chain(tried).flat_map(|route| {
        let drawn = route.backends.iter().flat_map(BTreeMap::keys);
        let named = route.backend.as_deref();
        named.into_iter().chain(drawn.map(String::as_str))
    });
    let sumdbs = document.sumdb.iter().flat_map(BTreeMap::values);
    let by_sumdb = sumdbs.filter_map(|sumdb| sumdb.backend.as_deref());
    let requested = document.integrity.as_ref().and_then(|i| i.sumdb.as_ref());
    let by_integrity = requested.map(|sumdb| &*sumdb.backend);
    let used: BTreeSet<&str> = by_routes.chain(by_sumdb).chain(by_integrity).collect();
    for backend in document.backends.keys() {
        if !used.contains(backend.as_str()) {
            let at = root.key("backends").key(backend);
            found.push(at.error("no route leads to this backend"));
        }
    }
}

/// A rule is told of only where it can decide for no tenant: a set that stands behind another one
/// in some tenants only is written so on purpose.
fn shadowed_rules(document: &Document, found: &mut Vec<PolicyError>) {
    // By rule: what catches its modules for the tenants so far; `None` where it can decide.
    let mut catchers: BTreeMap<(&str, usize), Option<String>> = BTreeMap::new();
    for sets in document.tenants.values().flat_map(sides) {
        let mut before = Before::default();
        for set in sets {
            let Some((set, rules)) = document.rules.get_key_value(&**set) else {
                continue;
            };
            for (i, rule) in rules.iter().enumerate() {
                let catcher = before.catches(rule);
                let known = catchers
                    .entry((set, i))
                    .or_insert_with(|| catcher.map(ToOwned::to_owned));
                if catcher.is_none() {
                    *known = None;
                }
                before.add(rule, &format!("{set}/{}", &*rule.id));
            }
        }
    }
    for ((set, i), catcher) in catchers {
        if let Some(catcher) = catcher {
            let at = Path::root().key("rules").key(set).index(i);
            found.push(at.error(format!(
                "this rule never decides: {catcher} before it already matches everything that it would match"
            )));
        }
    }
}

/// The rule sets of a tenant: those in force, and those of its rollout.
fn sides(tenant: &TenantDoc) -> impl Iterator<Item = &Vec<Text>> {
    let candidate = tenant.rollout.as_ref().map(|rollout| &rollout.candidate);
    std::iter::once(&tenant.rules).chain(candidate)
}

/// What the rules above one take. A denial also takes what is served under a gopkg.in name, what lies
/// below an expression, and, if it says so, other cases: so it is caught only by what surely takes all
/// of that.
#[derive(Default)]
struct Before {
    /// What all rules that are about every version take.
    all: Cover,
    /// What denials among them take.
    denials: Cover,
}

impl Before {
    fn add(&mut self, rule: &RuleDoc, owner: &str) {
        let is_of_some = rule.versions.is_some() || rule.except.is_some();
        let lets_pass = rule.deny.is_some() && rule.min_age.is_some();
        if is_of_some || lets_pass || rule.exact == Some(true) {
            return;
        }
        self.all.add(patterns(rule), owner);
        if rule.deny.is_some() {
            self.denials.add(patterns(rule), owner);
        }
    }

    fn catches(&self, rule: &RuleDoc) -> Option<&str> {
        let meaning = compile::meaning(rule);
        self.all.everything().or_else(|| {
            if meaning.fold_case {
                None
            } else if meaning.covers_below {
                self.denials.catches(patterns(rule))
            } else {
                self.all.catches(patterns(rule))
            }
        })
    }
}

fn shadowed_routes(document: &Document, found: &mut Vec<PolicyError>) {
    let mut by_prefix: BTreeMap<&str, Cover> = BTreeMap::new();
    for (i, route) in document.routes.iter().enumerate() {
        let prefix = route.path_prefix.as_deref().unwrap_or_default();
        let before = by_prefix.entry(prefix.trim_matches('/')).or_default();
        let Some(modules) = &route.modules else {
            continue;
        };
        if let Some(catcher) = before.catches(modules) {
            let at = Path::root().key("routes").index(i);
            found.push(at.error(format!(
                "this route is never used: {catcher} before it already matches all of its modules"
            )));
        }
        // Of other hosts it takes nothing.
        if route.hosts.is_none() {
            before.add(modules, &route.id);
        }
    }
}

/// Patterns, and which of them catch everything that another one can match.
#[derive(Default)]
pub(crate) struct Cover {
    /// By path element; `*` takes any.
    below: BTreeMap<String, Cover>,
    /// Who has the pattern that ends here, and so takes everything below.
    here: Option<String>,
    /// Expressions are comparable only as they are written.
    expressions: BTreeMap<String, String>,
}

impl Cover {
    pub(crate) fn add(&mut self, patterns: &[Text], owner: &str) {
        for pattern in patterns {
            if pattern.starts_with("re:") {
                let known = self.expressions.entry(pattern.to_string());
                known.or_insert_with(|| owner.to_owned());
                continue;
            }
            let mut node = &mut *self;
            for element in elements(pattern) {
                node = node.below.entry(element.to_owned()).or_default();
            }
            node.here.get_or_insert_with(|| owner.to_owned());
        }
    }

    /// Who catches all that these patterns match; one of them where it takes several.
    pub(crate) fn catches(&self, patterns: &[Text]) -> Option<&str> {
        let mut owner = None;
        for pattern in patterns {
            owner = Some(self.catches_one(pattern)?);
        }
        owner
    }

    /// Who has the pattern `*`.
    fn everything(&self) -> Option<&str> {
        self.below.get("*").and_then(|node| node.here.as_deref())
    }

    fn catches_one(&self, pattern: &str) -> Option<&str> {
        if pattern.starts_with("re:") {
            let same = self.expressions.get(pattern).map(String::as_str);
            return self.everything().or(same);
        }
        let elements: Vec<&str> = elements(pattern).collect();
        self.walk(&elements)
    }

    fn walk(&self, elements: &[&str]) -> Option<&str> {
        if let Some(owner) = &self.here {
            return Some(owner);
        }
        let (first, rest) = elements.split_first()?;
        let same = self.below.get(*first).and_then(|node| node.walk(rest));
        same.or_else(|| self.below.get("*").and_then(|node| node.walk(rest)))
    }
}

fn elements(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.strip_suffix('/').unwrap_or(pattern).split('/')
}

#[cfg(test)]
mod tests {
    use super::super::policy_source::{PolicySource, RuleMatch};
    use crate::model::{RolloutSide, Subject};
    use serde_json::json;

    fn policy_source(rules: serde_json::Value, tenants: serde_json::Value) -> PolicySource {
        let document = json!({
            "version": "1", "default": "deny", "tenants": tenants, "rules": rules,
            "backends": {"main": {"cluster": "c"}}, "routes": [{"id": "all", "backend": "main"}]
        });
        PolicySource::from_json(document.to_string().as_bytes()).unwrap()
    }

    fn warned(policy_source: &PolicySource) -> Vec<String> {
        policy_source
            .warnings()
            .into_iter()
            .map(|warning| warning.path)
            .collect()
    }

    #[test]
    fn only_rules_that_never_decide_are_warned_of() {
        let rows = [
            ("*", "corp.example", true),
            ("*", "re:corp\\.example/.*", true),
            ("corp.example", "corp.example", true),
            ("corp.example/", "corp.example", true),
            ("corp.example", "corp.example/team", true),
            ("corp.example/team", "corp.example", false),
            ("corp.example/te", "corp.example/team", false),
            ("github.com/*", "github.com/corp/lib", true),
            ("github.com/*", "github.com/lib-*", true),
            ("github.com/*", "github.com", false),
            ("github.com/a*", "github.com/ab", false),
            ("github.com/a*", "github.com/a*/x", true),
            ("github.com/ab", "github.com/a*", false),
            ("re:github\\.com/a", "github.com/a", false),
            ("re:github\\.com/a", "re:github\\.com/a", true),
            ("corp.example/Team", "corp.example/team", false),
        ];
        table_rows::check(rows, |(before, behind, is_shadowed)| {
            let rules =
                json!({"org": [{"id": "a", "deny": [before]}, {"id": "b", "allow": [behind]}]});
            let policy_source = policy_source(rules, json!({"*": {"rules": ["org"]}}));
            let reported = warned(&policy_source) == ["$.rules.org[1]"];
            assert_eq!(reported, is_shadowed, "{before} before {behind}");
        });
    }

    #[test]
    fn a_rule_that_can_decide_by_its_versions_or_by_another_name_is_not_warned_of() {
        let all = |rule: serde_json::Value| {
            let mut rules = vec![rule.clone()];
            rules.push(json!({"id": "next", "allow": ["corp.example/lib"]}));
            let policy_source =
                policy_source(json!({"org": rules}), json!({"*": {"rules": ["org"]}}));
            warned(&policy_source).len()
        };
        for open in [
            json!({"id": "a", "deny": ["corp.example"], "versions": "<1.0.0"}),
            json!({"id": "a", "allow": ["corp.example"], "except": "v1.0.0"}),
            json!({"id": "a", "deny": ["corp.example"], "min_age": "7d"}),
            json!({"id": "a", "deny": ["corp.example"], "exact": true}),
        ] {
            assert_eq!(all(open.clone()), 0, "{open}");
        }
        assert_eq!(
            all(json!({"id": "a", "allow": ["corp.example"], "min_age": "7d"})),
            1
        );
        for (before, behind, is_shadowed) in [
            (
                json!({"allow": ["github.com"]}),
                json!({"deny": ["github.com/go-yaml"]}),
                false,
            ),
            (
                json!({"deny": ["github.com"]}),
                json!({"deny": ["github.com/go-yaml"]}),
                true,
            ),
            (
                json!({"allow": ["*"]}),
                json!({"deny": ["github.com/go-yaml"]}),
                true,
            ),
            (
                json!({"deny": ["a.b/c"]}),
                json!({"deny": ["a.b/c"], "fold_case": true}),
                false,
            ),
            (
                json!({"allow": ["re:a\\.b"]}),
                json!({"deny": ["re:a\\.b"]}),
                false,
            ),
        ] {
            let (mut before, mut behind) = (before, behind);
            before["id"] = json!("before");
            behind["id"] = json!("behind");
            let rules = json!({"org": [before, behind]});
            let policy_source = policy_source(rules.clone(), json!({"*": {"rules": ["org"]}}));
            assert_eq!(!warned(&policy_source).is_empty(), is_shadowed, "{rules}");
        }
        // A candidate's rules are somebody's.
        let rules =
            json!({"org": [{"id": "a", "allow": ["*"]}], "next": [{"id": "b", "deny": ["*"]}]});
        let rollout = json!({"candidate": ["next"], "stage": "shadow"});
        let policy_source =
            policy_source(rules, json!({"*": {"rules": ["org"], "rollout": rollout}}));
        assert!(warned(&policy_source).is_empty());
    }

    #[test]
    fn a_set_behind_another_for_one_tenant_only_is_meant_so() {
        let rules =
            json!({"all": [{"id": "a", "allow": ["*"]}], "org": [{"id": "b", "deny": ["a.b"]}]});
        let both = policy_source(
            rules.clone(),
            json!({"x": {"rules": ["all", "org"]}, "y": {"rules": ["org", "all"]}}),
        );
        assert!(warned(&both).is_empty());
        let one = policy_source(rules.clone(), json!({"x": {"rules": ["all", "org"]}}));
        assert_eq!(warned(&one), ["$.rules.org[0]"]);
        let none = policy_source(rules, json!({"x": {"rules": ["all"]}, "y": {}}));
        assert_eq!(warned(&none), ["$.tenants.y", "$.rules.org"]);
    }

    #[test]
    fn patterns_that_match_no_known_module_are_warned_of() {
        let rules = json!({"org": [{"id": "a", "deny": ["a.b/c", "re:x\\.y"]}, {"id": "b", "allow": ["a.*"]}]});
        let policy_source = policy_source(rules, json!({"x": {"rules": ["org"]}}));
        let known = ["a.b/c/d", "a.c"].map(ToOwned::to_owned).into();
        let idle: Vec<_> = policy_source
            .idle_patterns(&known)
            .into_iter()
            .map(|w| w.path)
            .collect();
        assert_eq!(idle, ["$.rules.org[0].deny[1]"]);
    }

    #[test]
    fn what_was_tried_ends_at_the_rule_that_decides() {
        let rules = json!({"org": [
            {"id": "a", "deny": ["corp.example/other", "Corp.example"]},
            {"id": "b", "allow": ["github.com/Corp", "corp.example"]},
            {"id": "c", "deny": ["*"]}
        ]});
        let rules = rules
            .to_string()
            .replace("\"Corp.example\"", "\"corp.example/Lib\"");
        let policy_source = policy_source(
            serde_json::from_str(&rules).unwrap(),
            json!({"x": {"rules": ["org"]}}),
        );
        let tenant = policy_source.policy.tenant(Some("x")).unwrap();
        for module in [
            "corp.example/lib",
            "corp.example",
            "github.com/corp",
            "github.com/Corp/x",
        ] {
            let tried = policy_source.tried(tenant, RolloutSide::Active, module, &Subject::Module);
            let last = tried.last().unwrap();
            let subject = Subject::Module;
            let verdict =
                policy_source
                    .policy
                    .decide(tenant, RolloutSide::Active, module, &subject, false);
            assert_eq!(&*last.rule.id, verdict.rule_label(), "{module}");
            assert_eq!(last.result, RuleMatch::Decides, "{module}");
        }
        let tried = policy_source.tried(
            tenant,
            RolloutSide::Active,
            "corp.example/lib",
            &Subject::Module,
        );
        let why: Vec<_> = tried[0]
            .patterns
            .iter()
            .map(|(_, found)| format!("{found:?}"))
            .collect();
        assert!(
            why[0].contains("\\\"lib\\\" is not \\\"other\\\""),
            "{why:?}"
        );
        assert!(why[1].contains("(case counts)"), "{why:?}");
    }
}
