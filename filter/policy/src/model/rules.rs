//! Rule sets, and the verdict that they give on a module.

use std::time::Duration;

use super::ids::{RuleId, RuleSetId};
use super::versions::VersionSet;
use crate::pattern::{PatternSet, Rank};
use modgate_go::gomod::path::{Major, split_major};
use modgate_go::gomod::semver;
use modgate_go::gomod::semver::Semver;
use modgate_go::goproxy::Operation;

/// A compiled rule set. Rules are tried from the top; the first that matches decides.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Which of the policy's rule sets it is.
    pub id: RuleSetId,
    /// Its name in the document.
    pub name: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) patterns: PatternSet,
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
    /// The versions that it is about; without it all.
    pub versions: Option<VersionSet>,
    /// Versions among those that it is not about.
    pub except: Option<VersionSet>,
    /// Whether it says nothing of what lies below the modules that it names.
    pub exact: bool,
    /// How old a version must be to be served.
    pub min_age: Option<Duration>,
    /// Whether what it says of a version holds for the version's go.mod file too.
    pub covers_go_mod: bool,
}

impl Rule {
    /// What it judges a subject as. The Go command reads the go.mod file of every version that any module
    /// of the graph names, also of those that it never builds: to a rule about versions, such a file is
    /// the module's.
    const fn seen<'a>(&self, subject: &Subject<'a>) -> Subject<'a> {
        match *subject {
            Subject::GoMod(version, age) if self.covers_go_mod => Subject::Version(version, age),
            Subject::GoMod(..) => Subject::Module,
            other => other,
        }
    }

    /// Whether it does not say the same of all versions of a module.
    const fn is_by_version(&self) -> bool {
        self.versions.is_some() || self.except.is_some() || self.min_age.is_some()
    }

    fn is_about(&self, version: &Semver<'_>) -> bool {
        let holds = |set: &VersionSet| set.contains(version);
        self.versions.as_ref().is_none_or(holds) && !self.except.as_ref().is_some_and(holds)
    }

    /// Whether it is about a repository, under whichever name.
    pub(crate) fn covers_aliases(&self) -> bool {
        self.effect == Effect::Deny && !self.exact
    }

    /// Whether no later rule is evaluated, if a pattern of this one matches: a rule that serves old versions
    /// and refuses new ones decides both.
    pub(crate) fn stops_evaluation(&self, subject: &Subject<'_>) -> bool {
        let of_all = self.versions.is_none() && self.except.is_none();
        let is_queried_for_all = *subject == Subject::Module;
        let says_both = self.effect == Effect::Allow && (of_all || !is_queried_for_all);
        self.decides(subject) && (says_both || !self.needs_lookup(subject))
    }

    /// Why it does not decide although a pattern of it matches; `None` if it decides.
    pub(crate) fn skip_reason(&self, subject: &Subject<'_>) -> Option<String> {
        if self.decides(subject) {
            return None;
        }
        let versions = self.versions.as_ref().map_or("all", VersionSet::as_str);
        Some(match self.seen(subject) {
            Subject::Module if *subject != Subject::Module => {
                "it covers what is built, not go.mod files".to_owned()
            }
            Subject::Module => "it covers only some versions".to_owned(),
            Subject::Version(version, _) | Subject::GoMod(version, _)
                if self.is_about(&version) =>
            {
                "it is old enough".to_owned()
            }
            Subject::Version(..) | Subject::GoMod(..) => match &self.except {
                Some(except) => {
                    format!(
                        "the version is not in {versions} without {}",
                        except.as_str()
                    )
                }
                None => format!("the version is not in {versions}"),
            },
        })
    }

    /// Whether it decides, where a pattern of it matches. What serves some versions of a module serves
    /// the module; what denies those that are too young lets the others pass.
    pub(crate) fn decides(&self, subject: &Subject<'_>) -> bool {
        match self.seen(subject) {
            Subject::Module => !self.is_by_version() || self.effect == Effect::Allow,
            Subject::Version(version, age) | Subject::GoMod(version, age) => {
                let lets_pass = self.effect == Effect::Deny && self.min_age.is_some();
                self.is_about(&version) && !(lets_pass && self.too_young(age).is_none())
            }
        }
    }

    /// Whether it cannot be determined yet what it says.
    pub(crate) fn needs_lookup(&self, subject: &Subject<'_>) -> bool {
        match self.seen(subject) {
            // Of a file nothing more can be found out.
            Subject::Module => self.is_by_version() && *subject == Subject::Module,
            Subject::Version(version, age) | Subject::GoMod(version, age) => {
                age == Age::Unasked && self.min_age.is_some() && self.is_about(&version)
            }
        }
    }

    /// What is wrong with the age of what it decides on.
    fn refuses_age(&self, subject: &Subject<'_>) -> Option<TooYoung> {
        match self.seen(subject) {
            Subject::Module => None,
            Subject::Version(_, age) | Subject::GoMod(_, age) => self.too_young(age),
        }
    }

    pub(crate) fn too_young(&self, age: Age) -> Option<TooYoung> {
        let wanted = self.min_age?;
        let is_old_enough = matches!(age, Age::Known(age) if age >= wanted);
        (!is_old_enough).then_some(TooYoung { age, wanted })
    }
}

/// What the rules are evaluated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A module whose version is not known yet: its list, its latest one, a branch.
    Module,
    /// One version of it: what is built of it, or is chosen by its name.
    Version(Semver<'a>, Age),
    /// The go.mod file of one version.
    GoMod(Semver<'a>, Age),
}

/// How long ago a version was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Nobody has looked yet.
    Unasked,
    /// It cannot be determined, which no rule takes for old enough.
    Unknown,
    /// So long.
    Known(Duration),
}

/// A version was refused for its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooYoung {
    /// How old it is.
    pub age: Age,
    /// How old the rule wants it.
    pub wanted: Duration,
}

impl<'a> Subject<'a> {
    /// What a request is about: the version that it names, where that is a canonical one of the module,
    /// and its age.
    pub fn of(operation: &'a Operation<'_>, age: Age) -> Self {
        let Some(version) = operation.canonical_version().and_then(semver::parse) else {
            return Self::Module;
        };
        match operation {
            Operation::Mod { .. } => Self::GoMod(version, age),
            // What the checksum database says of a version gives nobody its files, and the Go command
            // asks it about every go.mod file that it reads.
            Operation::Sumdb { .. } => Self::GoMod(version, Age::Known(Duration::MAX)),
            _ => Self::Version(version, age),
        }
    }
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
pub enum RuleOutcome {
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

impl RuleOutcome {
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
    pub decision: RuleOutcome,
    /// The rule that decided; `None` for the document's `default`.
    pub rule: Option<MatchedRule<'p>>,
    /// Whether the backend must be queried before the decision is final: some versions of the module may be
    /// refused, so each is evaluated by itself, or the age of the version is not known yet.
    pub needs_lookup: bool,
    /// What is wrong with the version's age, where that decided.
    pub too_young: Option<TooYoung>,
}

/// A rule that decided, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchedRule<'p> {
    /// Which of the policy's rules it is.
    pub id: RuleId,
    /// The rule set that it is one of.
    pub set: &'p RuleSet,
    /// The rule.
    pub rule: &'p Rule,
}

/// The verdicts on a request: that of the rules in effect, and that of the tenant's other rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleDecisions<'p> {
    /// The verdict that takes effect.
    pub effective: Verdict<'p>,
    /// The verdict of the tenant's other rules, which is only counted; `None` without a rollout.
    pub shadow: Option<Verdict<'p>>,
}

impl RuleDecisions<'_> {
    /// The value of the label `agreement`.
    pub fn agreement(&self) -> &'static str {
        match &self.shadow {
            None => "none",
            // Only one of them needed to know more of the version.
            Some(shadow) if shadow.needs_lookup != self.effective.needs_lookup => "unknown",
            Some(shadow) if shadow.decision == self.effective.decision => "agree",
            Some(_) => "differ",
        }
    }
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
        self.rule.map_or("default", |matched| &matched.rule.id)
    }
}

/// The place of the rule that decided: its set's place among the tenant's, and its own in the set.
/// The document's `default` stands behind all.
type Place = (usize, Rank);

/// Gives the verdict of rule sets, in order, on a module path or one version of it.
///
/// `is_probe` tells whether the Go command asks this of prefixes too. Such a request that is denied
/// is a [`RuleOutcome::Probe`] where a rule *above* the one that denied serves something above or below
/// the path: there is a module to be found, and any answer but 404 would keep `go` from finding it.
pub(crate) fn decide<'p>(
    sets: &[&'p RuleSet],
    default: Effect,
    module: &str,
    subject: &Subject<'_>,
    is_probe: bool,
) -> Verdict<'p> {
    let FirstMatch {
        place,
        rule,
        needs_lookup,
    } = first_match(sets, module, subject);
    let too_young = rule.and_then(|matched| matched.rule.refuses_age(subject));
    let effect = match rule {
        Some(_) if too_young.is_some() => Effect::Deny,
        Some(matched) => matched.rule.effect,
        None => default,
    };
    let decision = match effect {
        Effect::Allow => RuleOutcome::Allow,
        Effect::Deny if is_probe && leads_to_allowed(sets, module, place) => RuleOutcome::Probe,
        Effect::Deny if rule.is_some_and(|matched| matched.rule.hide) => RuleOutcome::Hide,
        Effect::Deny => RuleOutcome::Deny,
    };
    // Of a module that is refused as a whole no version is served.
    let is_refused = *subject == Subject::Module && decision != RuleOutcome::Allow;
    Verdict {
        decision,
        rule,
        needs_lookup: needs_lookup && !is_refused,
        too_young,
    }
}

/// The first rule that decides.
struct FirstMatch<'p> {
    place: Place,
    rule: Option<MatchedRule<'p>>,
    /// Whether of this rule, or one above it, it cannot be determined yet what it says.
    needs_lookup: bool,
}

fn first_match<'p>(sets: &[&'p RuleSet], module: &str, subject: &Subject<'_>) -> FirstMatch<'p> {
    let alias = behind_gopkg_in(module);
    let mut needs_lookup = false;
    for (i, set) in sets.iter().enumerate() {
        let mut first_open = None;
        let mut admits = |rank: Rank| {
            let Some(rule) = set.rules.get(rank as usize) else {
                return false;
            };
            if rule.needs_lookup(subject) && first_open.is_none_or(|first| rank < first) {
                first_open = Some(rank);
            }
            rule.decides(subject)
        };
        let mut found = set.patterns.first_match_where(module, &mut admits);
        if let Some(alias) = &alias {
            let by_alias = set.patterns.first_match_where(alias, &mut |rank| {
                let rule = set.rules.get(rank as usize);
                rule.is_some_and(Rule::covers_aliases) && admits(rank)
            });
            found = found.into_iter().chain(by_alias).min();
        }
        needs_lookup |= first_open.is_some_and(|open| found.is_none_or(|found| open <= found));
        let rule = found.and_then(|rank| Some((rank, set.rules.get(rank as usize)?)));
        if let Some((rank, rule)) = rule {
            return FirstMatch {
                place: (i, rank),
                rule: Some(MatchedRule {
                    id: RuleId { set: set.id, rank },
                    set,
                    rule,
                }),
                needs_lookup,
            };
        }
    }
    FirstMatch {
        place: (sets.len(), 0),
        rule: None,
        needs_lookup,
    }
}

/// The module that gopkg.in serves under this path, as GitHub names it (<https://labix.org/gopkg.in>):
/// `gopkg.in/yaml.v3` is `github.com/go-yaml/yaml/v3`, `gopkg.in/user/lib.v1` is
/// `github.com/user/lib`.
pub(crate) fn behind_gopkg_in(module: &str) -> Option<String> {
    let rest = module.strip_prefix("gopkg.in/")?;
    let (prefix, Major::Dot(major)) = split_major(module)? else {
        return None;
    };
    let repository = rest.get(..prefix.len().checked_sub(module.len() - rest.len())?)?;
    let repository = match repository.split_once('/') {
        None => format!("github.com/go-{repository}/{repository}"),
        Some(_) => format!("github.com/{repository}"),
    };
    match major {
        "v0" | "v1" => Some(repository),
        major => Some(format!("{repository}/{major}")),
    }
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
        .map(|set| {
            let mut decides = |rank: Rank| {
                let rule = set.rules.get(rank as usize);
                rule.is_some_and(|rule| rule.decides(&Subject::Module))
            };
            set.patterns.first_matches_above(module, &mut decides)
        })
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
