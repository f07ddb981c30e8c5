//! A policy together with its document, for whoever wants to know why: no request needs this.

use std::collections::BTreeSet;

use super::{lint, unfollowed};
use crate::compile;
use crate::document::{Document, PolicyError, RuleDoc};
use crate::model::{Policy, RolloutSide, Rule, Subject, Tenant, rules};
use crate::pattern::{Meaning, PatternSetBuilder};

/// A policy and the document that it was made from.
#[derive(Clone, Debug)]
pub struct PolicySource {
    /// What decides.
    pub policy: Policy,
    /// What was written.
    pub document: Document,
}

/// A rule that was tried on a module, or a version of one.
#[derive(Clone, Debug)]
pub struct Tried<'d> {
    /// The name of its set.
    pub set: &'d str,
    /// The rule as it was written.
    pub rule: &'d RuleDoc,
    /// Its patterns, up to the one that matches.
    pub patterns: Vec<(&'d str, Match)>,
    /// What came of it.
    pub result: RuleMatch,
}

/// What came of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleMatch {
    /// None of its patterns matches.
    NoMatch,
    /// A pattern matches, but the rule does not cover this version: why, in words.
    Skipped(String),
    /// It depends on what is not known here: the version, or its age.
    NeedsLookup,
    /// It decides.
    Decides,
}

/// What came of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It matches the module.
    Yes,
    /// It does not, and why, in words.
    No(String),
}

impl PolicySource {
    /// Reads and compiles a document (JSON), and keeps it.
    ///
    /// # Errors
    /// Those of [`Policy::from_json`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let (policy, document) = Policy::read(bytes)?;
        Ok(Self { policy, document })
    }

    /// The policy in which the rules of one side hold for every tenant: what rollouts come from, and
    /// what they end in. It keeps the hash of the whole.
    ///
    /// # Errors
    /// None of a document that compiled; those of [`Policy::from_json`] all the same.
    pub fn of_side(&self, side: RolloutSide) -> Result<Policy, Vec<PolicyError>> {
        let mut document = self.document.clone();
        for tenant in document.tenants.values_mut() {
            match (side, tenant.rollout.take()) {
                (RolloutSide::Candidate, Some(rollout)) => tenant.rules = rollout.candidate,
                (RolloutSide::Active, _) | (RolloutSide::Candidate, None) => {}
            }
        }
        compile::compile(&document, self.policy.hash().to_owned())
    }

    /// The rules that are tried on a tenant's module, in order, up to the one that decides. Every
    /// pattern is evaluated by itself, by the matching that decides.
    pub fn tried(
        &self,
        tenant: &Tenant,
        side: RolloutSide,
        module: &str,
        subject: &Subject<'_>,
    ) -> Vec<Tried<'_>> {
        let mut all = Vec::new();
        let Some(written) = self.document.tenants.get(&tenant.name) else {
            return all;
        };
        let sets = match (side, &written.rollout) {
            (RolloutSide::Candidate, Some(rollout)) => &rollout.candidate,
            _ => &written.rules,
        };
        let compiled = |set: &str| self.policy.rule_sets.iter().find(|known| known.name == set);
        for set in sets {
            let (Some((set, rules)), Some(compiled)) =
                (self.document.rules.get_key_value(&**set), compiled(set))
            else {
                continue;
            };
            for (rule, compiled) in rules.iter().zip(&compiled.rules) {
                let (patterns, matches) = try_patterns(rule, compiled, module);
                let result = match compiled.skip_reason(subject) {
                    _ if !matches => RuleMatch::NoMatch,
                    _ if compiled.stops_evaluation(subject) => RuleMatch::Decides,
                    Some(why) if !compiled.needs_lookup(subject) => RuleMatch::Skipped(why),
                    _ => RuleMatch::NeedsLookup,
                };
                let decides = result == RuleMatch::Decides;
                all.push(Tried {
                    set,
                    rule,
                    patterns,
                    result,
                });
                if decides {
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

    /// Whether a rule or a split has the filter ask backends for versions.
    pub fn asks_backends(&self) -> bool {
        unfollowed::asks(&self.document)
    }

    /// The patterns of rules and routes that match none of these modules.
    pub fn idle_patterns(&self, modules: &BTreeSet<String>) -> Vec<PolicyError> {
        lint::idle_patterns(&self.document, |pattern, meaning| {
            let is_matched = |module: &String| {
                let alias = rules::behind_gopkg_in(module).filter(|_| meaning.covers_below);
                let alias = alias.is_some_and(|alias| matches(pattern, meaning, &alias));
                alias || matches(pattern, meaning, module)
            };
            modules.iter().any(is_matched)
        })
    }
}

/// The patterns of a rule up to the one that matches, and whether there is one.
fn try_patterns<'d>(
    written: &'d RuleDoc,
    rule: &Rule,
    module: &str,
) -> (Vec<(&'d str, Match)>, bool) {
    let meaning = compile::meaning(written);
    let alias = rules::behind_gopkg_in(module).filter(|_| rule.covers_aliases());
    let mut tried = Vec::new();
    for pattern in lint::patterns(written) {
        let by_alias = alias.as_ref();
        let by_alias = by_alias.is_some_and(|alias| matches(pattern, meaning, alias));
        if by_alias || matches(pattern, meaning, module) {
            tried.push((&**pattern, Match::Yes));
            return (tried, true);
        }
        let why = why_not(pattern, meaning, module);
        tried.push((&**pattern, Match::No(why)));
    }
    (tried, false)
}

/// Whether a pattern, all by itself, matches.
fn matches(pattern: &str, meaning: Meaning, module: &str) -> bool {
    let mut builder = PatternSetBuilder::default();
    let added = builder.add(pattern, 0, meaning);
    added.is_ok() && builder.build().first_match(module).is_some()
}

/// The first element that differs.
fn why_not(pattern: &str, meaning: Meaning, module: &str) -> String {
    if pattern.starts_with("re:") {
        return "the expression does not match the whole path".to_owned();
    }
    let elements = pattern.trim_end_matches('/').split('/');
    let mut requested = module.split('/');
    let mut so_far = String::new();
    for element in elements {
        let Some(found) = requested.next() else {
            return format!("the module path ends before {element:?}");
        };
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(element);
        let prefix = Meaning {
            exact: false,
            ..meaning
        };
        if !matches(&so_far, prefix, module) {
            let case = !meaning.fold_case && element.eq_ignore_ascii_case(found);
            let case = if case { " (case counts)" } else { "" };
            return format!("{found:?} is not {element:?}{case}");
        }
    }
    match requested.next() {
        Some(_) if meaning.exact => "the rule is exact, and the module is below it".to_owned(),
        _ => "it does not match".to_owned(),
    }
}
