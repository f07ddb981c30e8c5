//! Semantic versions as Go writes them, with a leading `v` (x/mod `semver`).

use std::cmp::Ordering;

/// A version's parts. The strings are as they stand in the version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Semver<'a> {
    /// Without the `v`.
    pub major: &'a str,
    /// `None` in `v1`.
    pub minor: Option<&'a str>,
    /// `None` in `v1.2`.
    pub patch: Option<&'a str>,
    /// With its `-`; empty where there is none.
    pub prerelease: &'a str,
    /// With its `+`; empty where there is none.
    pub build: &'a str,
}

/// Parses a version; `None` where it is no semantic version of Go's.
pub fn parse(version: &str) -> Option<Semver<'_>> {
    let rest = version.strip_prefix('v')?;
    let (major, rest) = take_number(rest)?;
    let Some(rest) = rest.strip_prefix('.') else {
        return rest.is_empty().then_some(Semver {
            major,
            minor: None,
            patch: None,
            prerelease: "",
            build: "",
        });
    };
    let (minor, rest) = take_number(rest)?;
    let Some(rest) = rest.strip_prefix('.') else {
        return rest.is_empty().then_some(Semver {
            major,
            minor: Some(minor),
            patch: None,
            prerelease: "",
            build: "",
        });
    };
    let (patch, rest) = take_number(rest)?;
    let build_at = rest.find('+').unwrap_or(rest.len());
    let (prerelease, build) = rest.split_at_checked(build_at)?;
    let prerelease_is_good = match prerelease.strip_prefix('-') {
        Some(names) => names
            .split('.')
            .all(|name| is_identifier(name) && !has_leading_zero(name)),
        None => prerelease.is_empty(),
    };
    let build_is_good = match build.strip_prefix('+') {
        Some(names) => names.split('.').all(is_identifier),
        None => build.is_empty(),
    };
    (prerelease_is_good && build_is_good).then_some(Semver {
        major,
        minor: Some(minor),
        patch: Some(patch),
        prerelease,
        build,
    })
}

impl Semver<'_> {
    /// The order of versions in Go (x/mod `semver.Compare`): what stands behind `+` does not count, and
    /// a part that is missing is 0.
    pub fn compare(&self, other: &Self) -> Ordering {
        let number = |part: Option<&str>, other: Option<&str>| {
            compare_numbers(part.unwrap_or("0"), other.unwrap_or("0"))
        };
        compare_numbers(self.major, other.major)
            .then_with(|| number(self.minor, other.minor))
            .then_with(|| number(self.patch, other.patch))
            .then_with(|| compare_prereleases(self.prerelease, other.prerelease))
    }

    /// Its numbers, for a quick first comparison: 0 for one that is missing, and [`u64::MAX`] for one that
    /// is larger than any and for those behind it. Two versions of which these differ are in their order.
    pub fn numbers(&self) -> [u64; 3] {
        let mut is_large = false;
        [Some(self.major), self.minor, self.patch].map(|part| {
            let part = part.unwrap_or("0");
            // All numbers of 19 digits fit.
            is_large |= part.len() > 19;
            if is_large {
                return u64::MAX;
            }
            part.parse().unwrap_or(u64::MAX)
        })
    }

    /// Whether this is a pseudo-version (x/mod `module.IsPseudoVersion`): its prerelease ends in the
    /// time of a commit and the beginning of its hash.
    pub fn is_pseudo(&self) -> bool {
        let named = self.prerelease.strip_prefix('-');
        let Some((rest, hash)) = named.and_then(|named| named.rsplit_once('-')) else {
            return false;
        };
        let is_time = |text: &str| text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
        let follows_no_tag = is_time(rest) && self.minor == Some("0") && self.patch == Some("0");
        let follows_tag = rest.rsplit_once('.').is_some_and(|(before, time)| {
            is_time(time) && (before == "0" || before.ends_with(".0"))
        });
        let is_hash = !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_alphanumeric());
        is_hash && (follows_no_tag || follows_tag)
    }

    /// Whether this is a release and no prerelease or pseudo-version.
    pub const fn is_release(&self) -> bool {
        self.prerelease.is_empty()
    }
}

/// Compares decimal numbers of any length without leading zeros.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Compares prereleases with their `-`: none is the highest, and numbers are lower than names.
fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (a, b) = match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (Some(a), Some(b)) => (a, b),
    };
    // The first identifiers that differ decide, so those before them need no look each.
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let start = a.get(..same).and_then(|same| same.rfind('.'));
    let from = start.map_or(0, |dot| dot + 1);
    let behind = |text| str::get(text, from..).unwrap_or_default();
    let (mut ours, mut theirs) = (behind(a).split('.'), behind(b).split('.'));
    loop {
        let order = match (ours.next(), theirs.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => compare_identifiers(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let is_number = |name: &str| name.bytes().all(|b| b.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => compare_numbers(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

/// Takes a decimal number without leading zeros from the front.
fn take_number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let good = !number.is_empty() && (number == "0" || !number.starts_with('0'));
    good.then_some((number, rest))
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A numeric prerelease identifier has no leading zero.
fn has_leading_zero(name: &str) -> bool {
    name.len() > 1 && name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_parse() {
        for version in [
            "v1",
            "v1.2",
            "v1.2.3",
            "v0.0.0-20160208181325-20d25e280405",
            "v1.2.3-0.20160208181325-20d25e280405",
            "v1.2.3-pre.0.20160208181325-20d25e280405",
            "v2.0.0+incompatible",
            "v2.0.1-0.20160208181325-20d25e280405+incompatible",
            "v0.0.1-go1.26.0.linux-amd64",
            "v1.0.0--",
            "v1.0.0+a.0001",
        ] {
            assert!(parse(version).is_some(), "{version}");
        }
    }

    #[test]
    fn versions_stand_in_the_order_of_go() {
        // The last three are equal.
        let ascending = [
            "v0.0.0-20160208181325-20d25e280405",
            "v0.9.0",
            "v1.2.0-0",
            "v1.2.0-0.20160208181325-20d25e280405",
            "v1.2.0-2",
            "v1.2.0-10",
            "v1.2.0-10.a",
            "v1.2.0-RC1",
            "v1.2.0-alpha",
            "v1.2.0-alpha.1",
            "v1.2.0-beta",
            "v1.2.0-rc1",
            "v1.2.0",
            "v1.2.1-0.20160208181325-20d25e280405",
            "v1.2.9",
            "v1.2.10",
            "v2.0.0+incompatible",
            "v2.0.0",
            "v2",
        ];
        let parsed: Vec<Semver<'_>> = ascending.iter().map(|v| parse(v).unwrap()).collect();
        for (i, low) in parsed.iter().enumerate() {
            for (j, high) in parsed.iter().enumerate() {
                let equal = i >= ascending.len() - 3 && j >= ascending.len() - 3;
                let want = if equal { Ordering::Equal } else { i.cmp(&j) };
                assert_eq!(low.compare(high), want, "{} {}", ascending[i], ascending[j]);
            }
        }
    }

    #[test]
    fn numbers_that_differ_are_in_the_order_of_versions() {
        let long = "9".repeat(20);
        let longer = "1".repeat(40);
        let mut versions: Vec<String> = Vec::new();
        let all = ["0", "7", "18446744073709551615", &long, &longer];
        for (major, minor) in all.iter().flat_map(|major| all.map(|minor| (major, minor))) {
            versions.extend(all.map(|patch| format!("v{major}.{minor}.{patch}")));
        }
        let parsed = || versions.iter().map(|version| parse(version).unwrap());
        for (a, b) in parsed().flat_map(|a| parsed().map(move |b| (a, b))) {
            let order = a.numbers().cmp(&b.numbers());
            assert!(order.is_eq() || order == a.compare(&b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_is_none_does_not() {
        for version in [
            "",
            "v",
            "1.2.3",
            "v01.2.3",
            "v1.02.3",
            "v1.2.3.4",
            "v1.2.3-",
            "v1.2.3+",
            "v1-pre",
            "v1.2-pre",
            "v1.2.3-01",
            "v1.2.3-a..b",
            "v1.2.3+a+b",
            "v1.2.3 ",
            "V1.2.3",
            "v1.",
            "v1.2.3-é",
            "v-1.0.0",
            "v1.2.x",
        ] {
            assert_eq!(parse(version), None, "{version}");
        }
    }
}
