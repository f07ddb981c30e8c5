//! The versions of `golang.org/toolchain`: all are prereleases of v0.0.1, in which the Go command reads
//! Go's own versions (cmd/go, `modfetch.toolchainRepo` and `gover`).

use std::cmp::Ordering;

use super::lookups::{Class, Shown};

/// The module.
pub(super) const MODULE: &str = "golang.org/toolchain";

/// The platform whose file the Go command asks about, whatever its own.
const PLATFORM: &str = "linux-amd64";

/// A version of Go, such as `1.27.2` or `1.27rc1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GoVersion<'a> {
    major: &'a str,
    minor: &'a str,
    /// `None` before the first release: `1.27rc1`.
    patch: Option<&'a str>,
    /// `beta` and the like; empty in a release.
    kind: &'a str,
    number: &'a str,
}

/// The versions of Go that are listed, the highest first, each with what it is and with its line.
pub(super) fn descending<'l>(
    shown: impl Iterator<Item = Shown<'l>>,
) -> impl Iterator<Item = (Class, (&'l str, &'l str), Shown<'l>)> {
    let mut all: Vec<(GoVersion<'l>, Shown<'l>)> = shown
        .filter_map(|shown| {
            let (version, platform) = parts(shown.version)?;
            (platform == PLATFORM).then_some((GoVersion::parse(version)?, shown))
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| b.compare(a));
    all.into_iter().map(|(version, shown)| {
        let class = if version.kind.is_empty() {
            Class::Release
        } else {
            Class::Prerelease
        };
        (class, (version.major, version.minor), shown)
    })
}

/// The version whose file the Go command asks about when it has read this one in a list, where that is
/// another.
pub(super) fn requested_version(version: &str) -> Option<String> {
    let (go, platform) = parts(version)?;
    (platform != PLATFORM).then(|| format!("v0.0.1-go{go}.{PLATFORM}"))
}

/// Go's version and the platform in `v0.0.1-go1.27.2.linux-amd64`.
fn parts(version: &str) -> Option<(&str, &str)> {
    let (_, named) = version.split_once('-')?;
    let (go, platform) = named.rsplit_once('.')?;
    Some((go.strip_prefix("go").unwrap_or(go), platform)).filter(|_| platform.contains('-'))
}

impl<'a> GoVersion<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (major, rest) = number(text)?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        if let Some(rest) = rest.strip_prefix('.') {
            let (patch, rest) = number(rest)?;
            return rest.is_empty().then_some(Self {
                major,
                minor,
                patch: Some(patch),
                kind: "",
                number: "",
            });
        }
        if rest.is_empty() {
            // Before 1.21 the first release of a line had no third number.
            return Some(Self {
                major,
                minor,
                patch: Some("0"),
                kind: "",
                number: "",
            });
        }
        let at = rest.find(|c: char| c.is_ascii_digit())?;
        let (kind, digits) = rest.split_at_checked(at)?;
        let (number, rest) = number(digits)?;
        let is_good = !kind.is_empty() && rest.is_empty();
        is_good.then_some(Self {
            major,
            minor,
            patch: None,
            kind,
            number,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = |a: &str, b: &str| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        let patch = match (self.patch, other.patch) {
            (Some(a), Some(b)) => numbers(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        numbers(self.major, other.major)
            .then_with(|| numbers(self.minor, other.minor))
            .then(patch)
            .then_with(|| self.kind.cmp(other.kind))
            .then_with(|| numbers(self.number, other.number))
    }
}

/// Takes a decimal number from the front.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    (!number.is_empty()).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_sort_as_go_sorts_them() {
        let ascending = [
            "1.9.2",
            "1.20beta1",
            "1.20rc1",
            "1.20rc10",
            "1.20",
            "1.20.1",
            "1.21rc2",
            "1.21.0",
            "1.21.9",
            "1.21.10",
            "1.100.0",
            "2.0.0",
        ];
        let parsed: Vec<_> = ascending
            .iter()
            .map(|text| GoVersion::parse(text).unwrap())
            .collect();
        assert!(parsed.is_sorted_by(|a, b| a.compare(b).is_lt()));
        for bad in [
            "",
            "1",
            "1.",
            "1.20.",
            "1.20.1rc1",
            "1.20rc",
            "1.20.1.2",
            "x1.2",
            "1.2-x",
        ] {
            assert_eq!(GoVersion::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_go_command_requests_one_platforms_toolchain() {
        let of = |version| requested_version(version);
        assert_eq!(
            of("v0.0.1-go1.27.2.darwin-arm64").as_deref(),
            Some("v0.0.1-go1.27.2.linux-amd64")
        );
        assert_eq!(of("v0.0.1-go1.27.2.linux-amd64"), None);
        assert_eq!(of("v1.2.3"), None);
        assert_eq!(of("v0.0.1-go1.27.2.else"), None);
    }
}
