//! Rule sets, and the verdict that they give on a module.

use super::pattern::{PatternSet, Rank};

/// A compiled rule set. Rules are tried from the top; the first that matches decides.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its name in the document.
    pub name: String,
    pub(super) rules: Vec<Rule>,
    pub(super) patterns: PatternSet,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in denials and metrics.
    pub id: String,
    /// Whether it serves or refuses what it matches.
    pub effect: Effect,
    /// Why, for the person who is refused.
    pub reason: Option<String>,
    /// Whether what it refuses is answered as if it were not there.
    pub hide: bool,
}

/// What a rule, or the document's `default`, does with a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is served.
    Allow,
    /// It is refused.
    Deny,
}

/// What comes of a request by the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is served.
    Allow,
    /// It is refused, and the person is told why.
    Deny,
    /// It is refused with 404: the Go command looks for a module above or below this path, and must
    /// go on to the one that the tenant may have.
    Probe,
    /// It is refused as if there were no such module: whose module it is shall not be seen.
    Hide,
}

impl Decision {
    /// The value of the label `decision`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Probe => "probe",
            Self::Hide => "hide",
        }
    }
}

/// A decision, and what made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'p> {
    /// What comes of the request.
    pub decision: Decision,
    /// The rule that decided, with its set; `None` for the document's `default`.
    pub rule: Option<(&'p RuleSet, &'p Rule)>,
}

impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RuleSet {}

impl Verdict<'_> {
    /// The value of the label `rule`.
    pub fn rule_label(&self) -> &str {
        self.rule.map_or("default", |(_, rule)| &rule.id)
    }
}

/// The place of the rule that decided: its set's place among the tenant's, and its own in the set.
/// The document's `default` stands behind all.
type Place = (usize, Rank);

/// Gives the verdict of rule sets, in order, on a module path.
///
/// `is_probe` tells whether the Go command asks this of prefixes too. Such a request that is denied
/// is a [`Decision::Probe`] where a rule *above* the one that denied serves something above or below
/// the path: there is a module to be found, and any answer but 404 would keep `go` from finding it.
pub(super) fn decide<'p>(
    sets: &[&'p RuleSet],
    default: Effect,
    module: &str,
    is_probe: bool,
) -> Verdict<'p> {
    let (place, rule) = first_match(sets, module);
    let effect = rule.map_or(default, |(_, rule)| rule.effect);
    let decision = match effect {
        Effect::Allow => Decision::Allow,
        Effect::Deny if is_probe && leads_to_allowed(sets, module, place) => Decision::Probe,
        Effect::Deny if rule.is_some_and(|(_, rule)| rule.hide) => Decision::Hide,
        Effect::Deny => Decision::Deny,
    };
    Verdict { decision, rule }
}

fn first_match<'p>(sets: &[&'p RuleSet], module: &str) -> (Place, Option<(&'p RuleSet, &'p Rule)>) {
    for (i, set) in sets.iter().enumerate() {
        let Some(rank) = set.patterns.first_match(module) else {
            continue;
        };
        if let Some(rule) = set.rules.get(rank as usize) {
            return ((i, rank), Some((set, rule)));
        }
    }
    ((sets.len(), 0), None)
}

fn leads_to_allowed(sets: &[&RuleSet], module: &str, denied: Place) -> bool {
    let below = sets.iter().enumerate().any(|(i, set)| {
        let rank = set.patterns.allow_below(module);
        rank.is_some_and(|rank| (i, rank) < denied)
    });
    below || allowed_above(sets, module, denied)
}

/// Whether a path above the module is served by a rule that stands before the place.
fn allowed_above(sets: &[&RuleSet], module: &str, denied: Place) -> bool {
    let by_set: Vec<_> = sets
        .iter()
        .map(|set| set.patterns.first_matches_above(module))
        .collect();
    let paths = module.matches('/').count();
    (0..paths).any(|path| {
        let first = sets
            .iter()
            .zip(&by_set)
            .enumerate()
            .find_map(|(i, (set, ranks))| {
                let rank = (*ranks.get(path)?)?;
                Some(((i, rank), set.rules.get(rank as usize)?))
            });
        first.is_some_and(|(place, rule)| place < denied && rule.effect == Effect::Allow)
    })
}
