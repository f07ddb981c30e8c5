//! A version list as a tenant may see it.

use std::cmp::Ordering;

use super::World;
use super::about::About;
use super::list::{self, Latest, Listed};
use super::retract::Interval;
use super::steer::Steer;
use crate::module::semver::{self, Semver};
use crate::policy::{Age, Decision, Policy, Verdict};

/// The most versions of a list whose age is looked up for one request.
const MAX_LOOKUPS: usize = 32;

/// A list while it is shaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shaping {
    lines: Vec<Line>,
    /// How many ages were looked up.
    lookups: usize,
    /// The variant that the client is led to.
    pub(super) steer: Option<Steer>,
}

/// A version of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    listed: Listed,
    ruling: Ruling,
    /// Whether it is left out so that the Go command takes the variant's.
    is_aside: bool,
}

impl Line {
    fn is_shown(&self) -> bool {
        self.ruling != Ruling::Hidden && !self.is_aside
    }
}

/// What is known of a listed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruling {
    Kept,
    Hidden,
    /// Its age must be looked up.
    Open,
}

impl Ruling {
    fn of(verdict: Option<&Verdict<'_>>) -> Self {
        match verdict {
            Some(verdict) if verdict.is_open => Self::Open,
            Some(verdict) if verdict.decision == Decision::Allow => Self::Kept,
            _ => Self::Hidden,
        }
    }
}

impl Shaping {
    /// Judges all versions of a list, by what is known of them.
    pub(super) fn of(about: &About, policy: &Policy, world: &dyn World, body: &[u8]) -> Self {
        let lines = list::read(&about.module, body).into_iter().map(|listed| {
            let verdict = |age| about.verdict(policy, &listed.version, age);
            let mut ruling = Ruling::of(verdict(Age::Unasked).as_ref());
            if ruling == Ruling::Open {
                let age = about.recalled_age(policy, world, &listed.version);
                ruling = Ruling::of(verdict(age).as_ref());
            }
            Line {
                listed,
                ruling,
                is_aside: false,
            }
        });
        let mut shaping = Self {
            lines: lines.collect(),
            lookups: 0,
            steer: about.steer,
        };
        shaping.set_aside(policy);
        shaping
    }

    /// Leaves out what would keep the Go command from the variant, or from the next one where the rules
    /// serve none of this one's.
    fn set_aside(&mut self, policy: &Policy) {
        let Some(steer) = &mut self.steer else {
            return;
        };
        while let Some(wanted) = steer.version(policy) {
            let mut lines = self.lines.iter();
            if lines.any(|l| l.listed.version == wanted && l.ruling != Ruling::Hidden) {
                break;
            }
            steer.fall_back();
        }
        for line in &mut self.lines {
            line.is_aside = steer.hides(policy, &line.listed.version);
        }
    }

    /// The next version whose age must be known. From the highest down, as far as one that is kept:
    /// what lies below it nobody gets without asking for it, and it is judged then. A list of which
    /// more than [`MAX_LOOKUPS`] are too young is left so, too.
    pub(super) fn wants_age_of(&mut self) -> Option<String> {
        if self.lookups == MAX_LOOKUPS {
            return None;
        }
        // The Go command prefers releases, and versions of before modules only where they are alone.
        let classes = [
            ("", true),
            ("", false),
            ("+incompatible", true),
            ("+incompatible", false),
        ];
        let mut kept_of = None;
        for (build, is_release) in classes {
            if kept_of == Some(build) {
                continue;
            }
            let in_class =
                |parts: &Semver<'_>| parts.build == build && parts.is_release() == is_release;
            match self.highest_not_hidden(in_class) {
                Some((version, Ruling::Open)) => {
                    let version = version.to_owned();
                    self.lookups += 1;
                    return Some(version);
                }
                Some(_) => kept_of = Some(build),
                None => {}
            }
        }
        None
    }

    fn highest_not_hidden(&self, in_class: impl Fn(&Semver<'_>) -> bool) -> Option<(&str, Ruling)> {
        let shown = self.lines.iter().filter(|line| line.is_shown());
        let parsed = shown.filter_map(|line| {
            let parts = semver::parse(&line.listed.version)?;
            Some((parts, line.listed.version.as_str(), line.ruling))
        });
        let in_class = parsed.filter(|(parts, ..)| in_class(parts));
        let highest = in_class.max_by(|(a, ..), (b, ..)| match a.compare(b) {
            // Two that differ only behind the +; both are looked at.
            Ordering::Equal => Ordering::Less,
            order => order,
        });
        highest.map(|(_, version, ruling)| (version, ruling))
    }

    /// Notes what the rules say of a version, now that its age was looked up.
    pub(super) fn ruled(&mut self, policy: &Policy, version: &str, verdict: Option<&Verdict<'_>>) {
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|line| line.listed.version == version) {
            line.ruling = Ruling::of(verdict);
        }
        self.set_aside(policy);
    }

    /// The version whose go.mod tells which others were taken back, where the client does not see it.
    /// The Go command reads retractions from the latest version alone, and a version of before modules
    /// has no go.mod of its own.
    pub(super) fn hidden_newest(&self) -> Option<String> {
        let all: Vec<Listed> = self.lines.iter().map(|line| line.listed.clone()).collect();
        let newest = match list::latest(&all) {
            Latest::Is(version)
            | Latest::Depends {
                compatible: version,
                ..
            } => version,
            Latest::Unlisted => return None,
        };
        let is_hidden = |line: &Line| line.listed.version == newest && !line.is_shown();
        (!newest.ends_with("+incompatible") && self.lines.iter().any(is_hidden)).then_some(newest)
    }

    /// The list without what is hidden and what was taken back.
    pub(super) fn finish(self, retracted: &[Interval]) -> Vec<Listed> {
        let shown = self.lines.into_iter().filter(Line::is_shown);
        let is_retracted = |line: &Listed| {
            let parts = semver::parse(&line.version);
            parts.is_some_and(|parts| retracted.iter().any(|interval| interval.contains(&parts)))
        };
        shown
            .map(|line| line.listed)
            .filter(|line| !is_retracted(line))
            .collect()
    }
}
