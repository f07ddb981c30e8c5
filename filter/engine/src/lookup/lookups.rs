//! Which versions of a list have their ages looked up, so that every listed version can be fetched.
//!
//! The Go command picks the highest listed version of a line: `@v1.4` and `-u=patch` that of a minor version,
//! a toolchain switch that of a Go release. So the highest version of every line comes first, and the next
//! one if that is refused. The others are looked up only while the backend is quick.

use std::collections::BTreeMap;
use std::time::Duration;

use super::toolchain;
use modgate_go::gomod::semver::Semver;

/// The most versions of a list whose ages are looked up for one request.
pub(super) const MOST: usize = 512;

/// The most queries at once.
pub(super) const AT_ONCE: usize = 64;

/// How many are sent at first, if there are fewer lines. A backend may have to fetch each version before it
/// knows its age.
const AT_FIRST: usize = 16;

/// How long a client waits for versions that no query picks.
const WHILE: Duration = Duration::from_millis(500);

/// How long it waits for those that a query picks.
const AT_MOST: Duration = Duration::from_secs(10);

/// A backend that takes this long only gets the necessary queries.
const SLOW: Duration = Duration::from_secs(2);

/// How far the lookup of ages has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lookups {
    requested: usize,
    /// Whether the backend refuses more queries.
    pub(super) is_over: bool,
    /// Whether only versions that a query picks are looked up.
    pub(super) is_slow: bool,
    /// How long the client had waited when the latest queries were sent.
    since: Duration,
}

/// A version that the client may see, as far as is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'l> {
    pub(super) place: usize,
    pub(super) version: &'l str,
    pub(super) parts: Semver<'l>,
    /// Whether its age must be looked up.
    pub(super) needs_lookup: bool,
}

/// The positions of versions whose ages must be looked up, in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The highest version of each line that has no version known to be allowed.
    heads: Vec<usize>,
    /// The lower versions of such lines.
    next: Vec<usize>,
    /// Versions below an allowed one.
    below: Vec<usize>,
}

/// Versions of which a query picks the highest.
#[derive(Debug, Default)]
struct Line {
    class: Class,
    /// Whether one of them is known to be allowed.
    is_decided: bool,
    /// The undecided versions above that one, and below it.
    above: Vec<usize>,
    below: Vec<usize>,
}

/// In the order of what the Go command prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Release,
    Prerelease,
    #[default]
    Legacy,
    LegacyPrerelease,
    Pseudo,
}

impl Class {
    fn of(parts: &Semver<'_>) -> Self {
        if parts.is_pseudo() {
            return Self::Pseudo;
        }
        match (parts.build.is_empty(), parts.is_release()) {
            (true, true) => Self::Release,
            (true, false) => Self::Prerelease,
            (false, true) => Self::Legacy,
            (false, false) => Self::LegacyPrerelease,
        }
    }
}

impl Wanted {
    /// Sorts the shown versions of a list, which come with the highest first.
    pub(super) fn of<'l>(module: &str, shown: impl Iterator<Item = Shown<'l>>) -> Self {
        let mut lines = Lines::default();
        if module == toolchain::MODULE {
            for (class, line, shown) in toolchain::descending(shown) {
                lines.add(class, line, &shown);
            }
        } else {
            for shown in shown {
                let parts = &shown.parts;
                let line = (parts.major, parts.minor.unwrap_or_default());
                lines.add(Class::of(parts), line, &shown);
            }
        }
        lines.wanted()
    }

    /// Moves a version to the front.
    pub(super) fn first(&mut self, place: usize) {
        for all in [&mut self.heads, &mut self.next, &mut self.below] {
            all.retain(|known| *known != place);
        }
        self.heads.insert(0, place);
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.next.is_empty() && self.below.is_empty()
    }
}

/// The lines of a list, the highest first.
#[derive(Debug, Default)]
struct Lines<'l> {
    lines: Vec<Line>,
    places: BTreeMap<(Class, (&'l str, &'l str)), usize>,
}

impl<'l> Lines<'l> {
    /// Adds the next lower version.
    fn add(&mut self, class: Class, line: (&'l str, &'l str), shown: &Shown<'l>) {
        let new = self.lines.len();
        let place = *self.places.entry((class, line)).or_insert(new);
        if place == new {
            self.lines.push(Line {
                class,
                ..Line::default()
            });
        }
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        match (shown.needs_lookup, line.is_decided) {
            (false, _) => line.is_decided = true,
            (true, false) => line.above.push(shown.place),
            (true, true) => line.below.push(shown.place),
        }
    }

    fn wanted(mut self) -> Wanted {
        // Stable, so that the highest lines of a class stay first.
        self.lines.sort_by_key(|line| line.class);
        let mut wanted = Wanted::default();
        for line in &self.lines {
            let mut above = line.above.iter().copied();
            // A query also picks the highest version above an allowed one.
            wanted.heads.extend(above.next());
            wanted.next.extend(above);
            wanted.below.extend(&line.below);
        }
        wanted
    }
}

impl Lookups {
    /// The positions of the versions whose ages are looked up next, all at once; empty if that is enough.
    pub(super) fn next(&mut self, wanted: &Wanted, waited: Duration) -> Vec<usize> {
        let left = MOST.saturating_sub(self.requested);
        let is_late = waited.saturating_sub(self.since) >= SLOW;
        self.is_slow |= self.requested > 0 && is_late;
        if self.is_over || waited >= AT_MOST {
            return Vec::new();
        }
        let heads = wanted.heads.len();
        let count = match (heads, self.requested) {
            (0, _) if self.is_slow || waited >= WHILE => 0,
            (_, _) if self.is_slow => heads,
            (_, 0) => heads.max(AT_FIRST),
            _ => AT_ONCE,
        };
        let all = wanted.heads.iter().chain(&wanted.next).chain(&wanted.below);
        let next: Vec<usize> = all.copied().take(count.min(AT_ONCE).min(left)).collect();
        self.requested += next.len();
        self.since = waited;
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modgate_go::gomod::semver;

    /// What is wanted of versions, the highest first; `?` stands behind those that are open.
    fn wanted(module: &str, versions: &[&str]) -> [Vec<String>; 3] {
        let shown = versions.iter().enumerate().map(|(place, version)| {
            let name = version.trim_end_matches('?');
            Shown {
                place,
                version: name,
                parts: semver::parse(name).unwrap(),
                needs_lookup: name != *version,
            }
        });
        let wanted = Wanted::of(module, shown);
        let name = |place: usize| versions[place].trim_end_matches('?').to_owned();
        [wanted.heads, wanted.next, wanted.below].map(|all| all.into_iter().map(name).collect())
    }

    #[test]
    fn the_highest_of_every_line_comes_first() {
        let versions = [
            "v2.0.0+incompatible?",
            "v1.5.0?",
            "v1.5.0-rc.2?",
            "v1.5.0-rc.1?",
            "v1.4.9?",
            "v1.4.8",
            "v1.4.7?",
            "v1.3.1",
            "v1.3.0?",
            "v0.0.0-20240102030405-0123456789ab?",
        ];
        let [heads, next, below] = wanted("a.b/c", &versions);
        assert_eq!(
            heads,
            [
                "v1.5.0",
                "v1.4.9",
                "v1.5.0-rc.2",
                "v2.0.0+incompatible",
                "v0.0.0-20240102030405-0123456789ab"
            ]
        );
        assert_eq!(next, ["v1.5.0-rc.1"]);
        assert_eq!(below, ["v1.4.7", "v1.3.0"]);
        assert!(Wanted::of("a.b/c", std::iter::empty()).is_empty());
    }

    #[test]
    fn a_line_of_toolchains_is_a_release_of_go() {
        let versions = [
            "v0.0.1-go1.9.2.windows-amd64?",
            "v0.0.1-go1.27rc1.linux-amd64?",
            "v0.0.1-go1.27.10.linux-amd64?",
            "v0.0.1-go1.27.2.linux-amd64?",
            "v0.0.1-go1.27.2.linux-arm64?",
            "v0.0.1-go1.26.9.linux-amd64",
            "v0.0.1-go1.26.10.linux-amd64?",
            "v0.0.1-go1.20.linux-amd64?",
            "v0.0.1-go1.20.1.linux-amd64?",
            "v0.0.1-go1.20rc3.linux-amd64?",
            "v0.0.1-go1.20rc20.linux-amd64?",
            "v0.0.1-go1.20beta30.linux-amd64?",
            "v0.0.1-else?",
        ];
        let [heads, next, below] = wanted("golang.org/toolchain", &versions);
        let go = |v: &str| format!("v0.0.1-go{v}.linux-amd64");
        assert_eq!(
            heads,
            ["1.27.10", "1.26.10", "1.20.1", "1.27rc1", "1.20rc20"].map(go)
        );
        assert_eq!(next, ["1.27.2", "1.20", "1.20rc3", "1.20beta30"].map(go));
        assert!(below.is_empty());
    }

    fn many(heads: usize, below: usize) -> Wanted {
        Wanted {
            heads: (0..heads).collect(),
            next: Vec::new(),
            below: (heads..heads + below).collect(),
        }
    }

    #[test]
    fn optional_ages_are_looked_up_only_while_the_backend_is_quick() {
        let ms = Duration::from_millis;
        let mut quick = Lookups::default();
        assert_eq!(quick.next(&many(3, 900), ms(50)).len(), AT_FIRST);
        assert_eq!(quick.next(&many(0, 887), ms(100)).len(), AT_ONCE);
        assert_eq!(quick.next(&many(0, 823), ms(499)).len(), AT_ONCE);
        assert_eq!(quick.next(&many(0, 759), ms(500)).len(), 0);
        // A line that is not decided is worth waiting for.
        assert_eq!(quick.next(&many(1, 759), ms(1500)).len(), AT_ONCE);

        let mut slow = Lookups::default();
        assert_eq!(slow.next(&many(30, 9), ms(50)).len(), 30);
        assert_eq!(slow.next(&many(2, 37), ms(2100)), [0, 1]);
        assert!(slow.is_slow);
        assert_eq!(slow.next(&many(0, 37), ms(2150)).len(), 0);
        assert_eq!(slow.next(&many(1, 37), ms(10_000)).len(), 0);

        let mut known_slow = Lookups {
            is_slow: true,
            ..Lookups::default()
        };
        assert_eq!(known_slow.next(&many(1, 37), ms(0)).len(), 1);
        let mut over = Lookups {
            is_over: true,
            ..Lookups::default()
        };
        assert_eq!(over.next(&many(1, 37), ms(0)).len(), 0);
    }

    #[test]
    fn the_number_of_age_lookups_is_bounded() {
        let mut lookups = Lookups::default();
        let rounds = std::iter::from_fn(|| {
            let next = lookups.next(&many(9000, 0), Duration::ZERO).len();
            (next > 0).then_some(next)
        });
        let rounds: Vec<usize> = rounds.collect();
        assert!(rounds.iter().all(|round| *round <= AT_ONCE));
        assert_eq!(rounds.iter().sum::<usize>(), MOST);
    }
}
