//! Version lists: what a backend's contains, and what the Go command picks from one.
//!
//! Reading sorts the versions once, in `n log n` comparisons; every later step is one pass at most.

use std::cmp::Ordering;
use std::ops::Range;

use super::order::{Key, Keys};
use modgate_go::gomod::semver::Semver;
use modgate_go::gomod::{Majors, semver};

/// The most bytes of a list that are read: as many versions as there may be, of ordinary length.
pub(super) const MAX_BYTES: usize = 512 << 10;

/// The most versions of a list that are read. No public module is known to have half of them.
pub(super) const MAX_VERSIONS: usize = 16_384;

/// A list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    text: String,
    /// In the list's order.
    lines: Vec<Line>,
    /// The places of all lines, the lowest version first.
    ascending: Vec<usize>,
}

/// A line of a list, by where its parts stand in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    version: Range<usize>,
    /// When it was made, as some proxies add; `go` reads it where it needs the newest pseudo-version.
    time: Option<Range<usize>>,
    kind: Kind,
}

/// What the Go command looks at of a version before it looks at its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) is_release: bool,
    /// Whether it is an `+incompatible` one, of before modules.
    pub(super) is_legacy: bool,
    is_pseudo: bool,
}

/// A line while it is read.
struct Read {
    key: Key,
    line: Line,
}

impl List {
    /// Reads a list, line by line as the Go command does. Lines without a canonical version of this
    /// module, for whose files `go` could not ask, and repeated ones are left out; the order stays.
    ///
    /// # Errors
    /// A list that is too long, in words.
    pub(super) fn read(module: &str, body: &[u8]) -> Result<Self, String> {
        if body.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let text = String::from_utf8_lossy(body);
        let (lines, keys) = read_lines(module, &text)?;
        let (lines, ascending) = in_order(lines, &keys);
        Ok(Self {
            text: text.into_owned(),
            lines,
            ascending,
        })
    }

    /// The text that it was read from, as far as that is UTF-8.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many versions there are. Their places are the numbers below it.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The version at a place.
    pub(super) fn version(&self, place: usize) -> &str {
        let line = self.lines.get(place);
        line.map_or("", |line| self.part(&line.version))
    }

    /// Its parts.
    pub(super) fn parts(&self, place: usize) -> Semver<'_> {
        semver::parse(self.version(place)).unwrap_or_default()
    }

    /// What kind of version it is.
    pub(super) fn kind(&self, place: usize) -> Option<Kind> {
        Some(self.lines.get(place)?.kind)
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The places of all versions, the lowest version first.
    pub(super) fn ascending(&self) -> &[usize] {
        &self.ascending
    }

    /// The place of a version.
    pub(super) fn place_of(&self, version: &str) -> Option<usize> {
        let parts = semver::parse(version)?;
        let order = |place: &usize| {
            let order = self.parts(*place).compare(&parts);
            order.then_with(|| self.version(*place).cmp(version))
        };
        let at = self.ascending.binary_search_by(order).ok()?;
        self.ascending.get(at).copied()
    }

    /// Writes those versions that are shown, a version a line.
    pub(super) fn write(&self, is_shown: impl Fn(usize) -> bool) -> String {
        let mut body = String::with_capacity(self.text.len());
        let lines = self.lines.iter().enumerate();
        for (_, line) in lines.filter(|(place, _)| is_shown(*place)) {
            body.push_str(self.part(&line.version));
            if let Some(time) = &line.time {
                body.push(' ');
                body.push_str(self.part(time));
            }
            body.push('\n');
        }
        body
    }

    /// Finds the latest of those versions that are shown: the highest release, else the highest
    /// prerelease. Pseudo-versions that are listed do not count.
    pub(super) fn latest(&self, is_shown: impl Fn(usize) -> bool) -> Latest {
        let mut highest = [None; 4];
        // From the highest down: the first of its kind is the highest.
        for place in self.ascending.iter().rev().copied() {
            let Some(kind) = self.kind(place).filter(|kind| !kind.is_pseudo) else {
                continue;
            };
            let class = usize::from(kind.is_legacy) * 2 + usize::from(kind.is_release);
            let known = highest.get_mut(class).filter(|known| known.is_none());
            if let Some(known) = known.filter(|_| is_shown(place)) {
                *known = Some(place);
            }
        }
        let [prerelease, release, legacy_prerelease, legacy_release] = highest;
        let version = |place: usize| self.version(place).to_owned();
        match (release.or(prerelease), legacy_release.or(legacy_prerelease)) {
            (None, None) => Latest::Unlisted,
            (Some(only), None) | (None, Some(only)) => Latest::Is(version(only)),
            (Some(compatible), Some(legacy)) => {
                let releases = legacy_release.is_some().cmp(&release.is_some());
                let order = || self.parts(legacy).compare(&self.parts(compatible));
                if releases.then_with(order) == Ordering::Less {
                    return Latest::Is(version(compatible));
                }
                Latest::Depends {
                    compatible: version(compatible),
                    highest: version(legacy),
                }
            }
        }
    }
}

/// The lines that count, and what is known of each.
fn read_lines(module: &str, text: &str) -> Result<(Vec<Read>, Keys), String> {
    let majors = Majors::of(module);
    let (mut lines, mut keys) = (Vec::new(), Keys::new());
    let mut behind = 0;
    for line in text.split('\n') {
        let start = behind;
        behind += line.len() + 1;
        let mut fields = line.split_whitespace();
        let Some(version) = fields.next() else {
            continue;
        };
        let Some(parts) = semver::parse(version).filter(|parts| majors.check(parts).is_ok()) else {
            continue;
        };
        if lines.len() == MAX_VERSIONS {
            return Err(format!("it has more than {MAX_VERSIONS} versions"));
        }
        let version_at = start + (line.len() - line.trim_start().len());
        let version_end = version_at + version.len();
        let time = fields.next().map(|time| {
            let rest = text.get(version_end..).unwrap_or_default();
            let time_at = version_end + (rest.len() - rest.trim_start().len());
            time_at..time_at + time.len()
        });
        lines.push(Read {
            key: keys.add(&parts),
            line: Line {
                version: version_at..version_end,
                time,
                kind: Kind {
                    is_release: parts.is_release(),
                    is_legacy: !parts.build.is_empty(),
                    is_pseudo: parts.is_pseudo(),
                },
            },
        });
    }
    Ok((lines, keys))
}

/// Every version once, in the list's order, and their places in the order of versions. Sorted, those
/// that are repeated stand side by side, whatever somebody chose them to be.
fn in_order(read: Vec<Read>, keys: &Keys) -> (Vec<Line>, Vec<usize>) {
    let mut sorted: Vec<(usize, &Read)> = read.iter().enumerate().collect();
    sorted.sort_unstable_by(|(i, a), (j, b)| keys.compare(&a.key, &b.key).then(i.cmp(j)));
    sorted.dedup_by(|(_, b), (_, a)| keys.compare(&a.key, &b.key).is_eq());
    let mut places = vec![None; read.len()];
    for (line, _) in &sorted {
        if let Some(place) = places.get_mut(*line) {
            *place = Some(0);
        }
    }
    let kept = places.iter_mut().flatten();
    kept.enumerate().for_each(|(i, place)| *place = i);
    let ascending = sorted.iter();
    let ascending = ascending
        .filter_map(|(line, _)| *places.get(*line)?)
        .collect();
    let lines = read.into_iter().zip(&places);
    let lines = lines
        .filter_map(|(read, place)| place.map(|_| read.line))
        .collect();
    (lines, ascending)
}

/// What the Go command makes of a list when it looks for the latest version (module reference,
/// "Version queries").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Latest {
    /// It takes this one.
    Is(String),
    /// It takes the first if that one's go.mod is a real one, and the second, an `+incompatible` one
    /// that is higher, if not.
    Depends { compatible: String, highest: String },
    /// There is none, and it asks for `@latest`.
    Unlisted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latest_of(module: &str, body: &str) -> Latest {
        List::read(module, body.as_bytes())
            .unwrap()
            .latest(|_| true)
    }

    #[test]
    fn a_list_is_read_as_go_reads_it() {
        let body = "v1.2.0\n\nv1.10.0 2024-01-02T03:04:05Z extra\r\nv2.0.0\nmaster\nv1.2.0\n  v1.3.0-pre\n\
            v3.0.0+incompatible\n";
        let read = |body| List::read("corp.example/lib", body).unwrap();
        let listed = read(body.as_bytes());
        assert_eq!(
            listed.write(|_| true),
            "v1.2.0\nv1.10.0 2024-01-02T03:04:05Z\nv1.3.0-pre\nv3.0.0+incompatible\n"
        );
        let places = listed.ascending().iter();
        let versions: Vec<&str> = places.map(|place| listed.version(*place)).collect();
        assert_eq!(
            versions,
            ["v1.2.0", "v1.3.0-pre", "v1.10.0", "v3.0.0+incompatible"]
        );
        for place in 0..listed.len() {
            assert_eq!(listed.place_of(listed.version(place)), Some(place));
        }
        assert_eq!(listed.place_of("v1.2.1"), None);
        assert_eq!(read(b"<html>v1.0.0</html>\xff\0").len(), 0);
        assert_eq!(
            read(b"\xff v1.0.0\n\xc2\xa0v1.1.0\xe2\x80\x83T v1.2.0").write(|_| true),
            "v1.1.0 T\n"
        );
    }

    #[test]
    fn the_latest_is_the_highest_release_else_the_highest_prerelease() {
        let rows = [
            ("v1.9.0\nv1.10.0\nv1.11.0-rc1\n", "v1.10.0"),
            ("v1.11.0-rc1\nv1.11.0-rc2\n", "v1.11.0-rc2"),
            (
                "v1.0.0-pre\nv1.0.1-0.20240102030405-0123456789ab",
                "v1.0.0-pre",
            ),
            (
                "v2.0.0+incompatible\nv3.0.0+incompatible\n",
                "v3.0.0+incompatible",
            ),
            ("v1.0.0\nv2.0.0-rc1+incompatible\n", "v1.0.0"),
        ];
        table_rows::check(rows, |(body, want)| {
            assert_eq!(latest_of("a.b/c", body), Latest::Is(want.into()), "{body}");
        });
        assert_eq!(
            latest_of("a.b/c", "v1.0.0\nv2.0.0+incompatible\n"),
            Latest::Depends {
                compatible: "v1.0.0".into(),
                highest: "v2.0.0+incompatible".into()
            }
        );
        for none in ["", "v0.0.0-20240102030405-0123456789ab\n"] {
            assert_eq!(latest_of("a.b/c", none), Latest::Unlisted);
        }
    }

    #[test]
    fn a_list_that_is_too_long_is_refused_and_not_cut() {
        let list = |count: usize| {
            (0..count)
                .map(|i| format!("v1.{i}.0\n"))
                .collect::<String>()
        };
        let read = |body: &str| List::read("a.b/c", body.as_bytes());
        assert_eq!(read(&list(MAX_VERSIONS)).unwrap().len(), MAX_VERSIONS);
        let why = read(&list(MAX_VERSIONS + 1)).unwrap_err();
        assert_eq!(why, "it has more than 16384 versions");
        assert!(read(&"x".repeat(MAX_BYTES)).is_ok());
        let why = read(&"x".repeat(MAX_BYTES + 1)).unwrap_err();
        assert_eq!(why, "it has more than 524288 bytes");
    }
}
