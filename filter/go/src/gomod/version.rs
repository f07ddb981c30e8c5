//! Versions and queries in requests (x/mod `CanonicalVersion`, `CheckPathMajor`, `UnescapeVersion`).

use super::element::check_common;
use super::name_error::NameError;
use super::path::{Major, split_major};
use super::semver::{self, Semver};

/// Whether `query` (unescaped) can be a version or the name of a revision: what Go allows as the
/// name of a file, in ASCII, without `!`.
///
/// # Errors
/// What Go's `module.UnescapeVersion` refuses.
pub fn check_query(query: &str) -> Result<(), NameError> {
    check_common(query)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"#$%&()+,-.=@[]^_{}~ ".contains(&b);
    if query.bytes().all(allowed) {
        Ok(())
    } else {
        Err(NameError::VersionCharacter)
    }
}

/// Whether `version` is a canonical version that a module of this path can have.
///
/// # Errors
/// [`NameError::NotCanonical`] where it is no full semantic version or has a build suffix other than
/// `+incompatible`, [`NameError::MajorMismatch`] where the path's suffix wants another major version.
pub fn is_canonical_for(path: &str, version: &str) -> Result<(), NameError> {
    let parts = semver::parse(version).ok_or(NameError::NotCanonical)?;
    Majors::of(path).check(&parts)
}

/// Which major versions a module of a path can have.
pub struct Majors<'a>(Option<Major<'a>>);

impl<'a> Majors<'a> {
    /// Of a module path.
    pub fn of(path: &'a str) -> Self {
        Self(split_major(path).map(|(_, major)| major))
    }

    /// What [`is_canonical_for`] says of a version.
    pub fn check(&self, parts: &Semver<'_>) -> Result<(), NameError> {
        if parts.patch.is_none() || !matches!(parts.build, "" | "+incompatible") {
            return Err(NameError::NotCanonical);
        }
        let fits = match self.0.as_ref().ok_or(NameError::MajorSuffix)? {
            Major::None => matches!(parts.major, "0" | "1") || parts.build == "+incompatible",
            Major::Slash(want) => want.strip_prefix('v') == Some(parts.major),
            // An old bug of Go's made v0.0.0- pseudo-versions for gopkg.in's .v1; they stayed valid.
            Major::Dot("v1") if is_v0_prerelease(parts) => true,
            Major::Dot(want) => want.strip_prefix('v') == Some(parts.major),
        };
        if fits {
            Ok(())
        } else {
            Err(NameError::MajorMismatch)
        }
    }
}

/// Whether it begins with `v0.0.0-`.
fn is_v0_prerelease(parts: &Semver<'_>) -> bool {
    let zero = |part| part == Some("0");
    parts.major == "0" && zero(parts.minor) && zero(parts.patch) && !parts.is_release()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_versions_fit_their_path() {
        let rows = [
            ("example.com/a", "v1.2.3"),
            ("example.com/a", "v0.0.0-20160208181325-20d25e280405"),
            ("example.com/a", "v20.10.7+incompatible"),
            ("example.com/a/v2", "v2.0.0"),
            ("gopkg.in/yaml.v3", "v3.0.1"),
            ("gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405"),
            ("gopkg.in/a.v2-unstable", "v2.1.0"),
        ];
        table_rows::check(rows, |(path, version)| {
            assert_eq!(is_canonical_for(path, version), Ok(()), "{path}@{version}");
        });
        let rows = [
            ("example.com/a", "v1.2", NameError::NotCanonical),
            ("example.com/a", "master", NameError::NotCanonical),
            ("example.com/a", "v1.2.3+meta", NameError::NotCanonical),
            ("example.com/a", "v2.0.0", NameError::MajorMismatch),
            ("example.com/a/v2", "v3.0.0", NameError::MajorMismatch),
            ("gopkg.in/yaml.v3", "v2.0.0", NameError::MajorMismatch),
        ];
        table_rows::check(rows, |(path, version, why)| {
            assert_eq!(
                is_canonical_for(path, version),
                Err(why),
                "{path}@{version}"
            );
        });
    }

    #[test]
    fn queries_are_what_go_allows_as_a_file_name() {
        for query in [
            "master",
            "v1",
            "a%2fb",
            "feature-1@2",
            "HEAD",
            "e9ce3ab",
            "a b",
        ] {
            assert_eq!(check_query(query), Ok(()), "{query}");
        }
        for query in [
            "", ".", "..", "a.", "a/b", "a\\b", "a:b", "a;b", "a?b", "a*b", "nul", "a\0",
        ] {
            assert!(check_query(query).is_err(), "{query:?}");
        }
    }
}
