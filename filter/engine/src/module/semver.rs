//! Semantic versions as Go writes them, with a leading `v` (x/mod `semver`).

/// A version's parts. The strings are as they stand in the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
