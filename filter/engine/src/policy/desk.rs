//! A policy together with its document, for whoever wants to know why: no request needs this.

use std::collections::BTreeSet;

use super::document::{Document, RuleDoc};
use super::pattern::{PatternSet, PatternSetBuilder};
use super::{Policy, PolicyError, Tenant, lint};

/// A policy and the document that it was made from.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What decides.
    pub policy: Policy,
    /// What was written.
    pub document: Document,
}

/// A rule that was tried on a module.
#[derive(Clone, Debug)]
pub struct Tried<'d> {
    /// The name of its set.
    pub set: &'d str,
    /// The rule as it was written.
    pub rule: &'d RuleDoc,
    /// Its patterns, up to the one that matches.
    pub patterns: Vec<(&'d str, Match)>,
}

/// What came of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It matches the module.
    Yes,
    /// It does not, and why, in words.
    No(String),
}

impl Tried<'_> {
    /// Whether the rule takes the module.
    pub fn matches(&self) -> bool {
        self.patterns.iter().any(|(_, found)| *found == Match::Yes)
    }
}

impl Desk {
    /// Reads and compiles a document (JSON), and keeps it.
    ///
    /// # Errors
    /// Those of [`Policy::from_json`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let (policy, document) = Policy::read(bytes)?;
        Ok(Self { policy, document })
    }

    /// The rules that are tried on a tenant's module, in order, up to the one that matches. Every
    /// pattern is asked by itself, by the matching that decides.
    pub fn tried(&self, tenant: &Tenant, module: &str) -> Vec<Tried<'_>> {
        let mut all = Vec::new();
        let Some(tenant) = self.document.tenants.get(&tenant.name) else {
            return all;
        };
        for set in &tenant.rules {
            let rules = self.document.rules.get_key_value(&**set);
            for (set, rule) in rules
                .iter()
                .flat_map(|(set, rules)| rules.iter().map(move |rule| (set, rule)))
            {
                let tried = Tried {
                    set,
                    rule,
                    patterns: try_patterns(rule, module),
                };
                let matches = tried.matches();
                all.push(tried);
                if matches {
                    return all;
                }
            }
        }
        all
    }

    /// What is probably not meant, though it is no error: rules that never
    /// decide, what nobody uses, tenants without rules. None is a guess.
    pub fn warnings(&self) -> Vec<PolicyError> {
        lint::warnings(&self.document)
    }

    /// The patterns of rules and routes that match none of these modules.
    pub fn idle_patterns(&self, modules: &BTreeSet<String>) -> Vec<PolicyError> {
        lint::idle_patterns(&self.document, |pattern| {
            modules.iter().any(|module| matches(pattern, module))
        })
    }
}

fn try_patterns<'d>(rule: &'d RuleDoc, module: &str) -> Vec<(&'d str, Match)> {
    let mut tried = Vec::new();
    for pattern in lint::patterns(rule) {
        if matches(pattern, module) {
            tried.push((&**pattern, Match::Yes));
            break;
        }
        tried.push((&**pattern, Match::No(why_not(pattern, module))));
    }
    tried
}

/// Whether a pattern, all by itself, matches.
fn matches(pattern: &str, module: &str) -> bool {
    alone(pattern).is_some_and(|set| set.first_match(module).is_some())
}

fn alone(pattern: &str) -> Option<PatternSet> {
    let mut builder = PatternSetBuilder::default();
    builder.add(pattern, 0, true).ok()?;
    Some(builder.build())
}

/// The first element that differs.
fn why_not(pattern: &str, module: &str) -> String {
    if pattern.starts_with("re:") {
        return "the expression does not match the whole path".to_owned();
    }
    let elements = pattern.trim_end_matches('/').split('/');
    let mut asked = module.split('/');
    let mut so_far = String::new();
    for element in elements {
        let Some(found) = asked.next() else {
            return format!("the module path ends before {element:?}");
        };
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(element);
        if !matches(&so_far, module) {
            let case = element.eq_ignore_ascii_case(found);
            let case = if case { " (case counts)" } else { "" };
            return format!("{found:?} is not {element:?}{case}");
        }
    }
    "it does not match".to_owned()
}
