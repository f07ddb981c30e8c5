//! Version lists: what a backend's says, and what the Go command takes of one.

use std::collections::BTreeSet;

use crate::module::is_canonical_for;
use crate::module::semver::{self, Semver};

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) version: String,
    /// When it was made, as some proxies add; `go` reads it where it needs the newest pseudo-version.
    time: Option<String>,
}

/// Reads a list, line by line as the Go command does. Lines without a canonical version of this
/// module, for whose files `go` could not ask, and repeated ones are left out; the order stays.
pub(super) fn read(module: &str, body: &[u8]) -> Vec<Listed> {
    let body = String::from_utf8_lossy(body);
    let mut seen = BTreeSet::new();
    let mut listed = Vec::new();
    for line in body.split('\n') {
        let mut fields = line.split_whitespace();
        let Some(version) = fields.next() else {
            continue;
        };
        if is_canonical_for(module, version).is_ok() && seen.insert(version) {
            listed.push(Listed {
                version: version.to_owned(),
                time: fields.next().map(ToOwned::to_owned),
            });
        }
    }
    listed
}

/// Writes a list, a version a line.
pub(super) fn write(listed: &[Listed]) -> String {
    let mut body = String::new();
    for line in listed {
        body.push_str(&line.version);
        if let Some(time) = &line.time {
            body.push(' ');
            body.push_str(time);
        }
        body.push('\n');
    }
    body
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

/// Finds the latest version: the highest release, else the highest prerelease. Pseudo-versions that
/// are listed do not count.
pub(super) fn latest(listed: &[Listed]) -> Latest {
    let tagged = || {
        let parsed = listed.iter().map(|line| line.version.as_str());
        let parsed = parsed.filter_map(|version| Some((semver::parse(version)?, version)));
        parsed.filter(|(parts, _)| !parts.is_pseudo())
    };
    let compatible = highest(tagged().filter(|(parts, _)| parts.build.is_empty()));
    match (compatible, highest(tagged())) {
        (Some(compatible), Some(highest)) if compatible == highest => {
            Latest::Is(highest.to_owned())
        }
        (Some(compatible), Some(highest)) => Latest::Depends {
            compatible: compatible.to_owned(),
            highest: highest.to_owned(),
        },
        (None, Some(highest)) => Latest::Is(highest.to_owned()),
        (_, None) => Latest::Unlisted,
    }
}

fn highest<'v>(versions: impl Iterator<Item = (Semver<'v>, &'v str)>) -> Option<&'v str> {
    let highest = versions.max_by(|(a, _), (b, _)| {
        let releases = a.is_release().cmp(&b.is_release());
        releases.then_with(|| a.compare(b))
    });
    highest.map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latest_of(module: &str, body: &str) -> Latest {
        latest(&read(module, body.as_bytes()))
    }

    #[test]
    fn a_list_is_read_as_go_reads_it() {
        let body = "v1.2.0\n\nv1.10.0 2024-01-02T03:04:05Z extra\r\nv2.0.0\nmaster\nv1.2.0\n  v1.3.0-pre\n\
            v3.0.0+incompatible\n";
        let listed = read("corp.example/lib", body.as_bytes());
        assert_eq!(
            write(&listed),
            "v1.2.0\nv1.10.0 2024-01-02T03:04:05Z\nv1.3.0-pre\nv3.0.0+incompatible\n"
        );
        assert!(read("corp.example/lib", b"<html>v1.0.0</html>\xff\0").is_empty());
    }

    #[test]
    fn the_latest_is_the_highest_release_else_the_highest_prerelease() {
        for (body, want) in [
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
        ] {
            assert_eq!(latest_of("a.b/c", body), Latest::Is(want.into()), "{body}");
        }
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
}
