//! Module paths (x/mod `CheckPath`, `SplitPathVersion`).

use super::element::{check_common, is_windows_short_name};
use super::name_error::NameError;
use super::{Bytes, split_at_first};

/// Whether `path` (unescaped) is a valid module path.
///
/// # Errors
/// The first rule of the module reference's "Module paths" that it breaks.
pub fn check_path(path: &str) -> Result<(), NameError> {
    let (first, mut rest) = first_element(path);
    check_element(first)?;
    while let Some(behind) = rest {
        let element;
        (element, rest) = first_element(behind);
        check_element(element)?;
    }
    if !first.contains('.') {
        return Err(NameError::NoDotInFirstElement);
    }
    let first_is_plain = first
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    if !first_is_plain || first.starts_with('-') {
        return Err(NameError::FirstElement);
    }
    if split_major(path).is_none() {
        return Err(NameError::MajorSuffix);
    }
    Ok(())
}

/// The first element of a path, and what stands behind its slash.
pub fn first_element(path: &str) -> (&str, Option<&str>) {
    match split_at_first(path, b'/') {
        Some((element, rest)) => (element, Some(rest)),
        None => (path, None),
    }
}

fn check_element(element: &str) -> Result<(), NameError> {
    check_common(element)?;
    if element.starts_with('.') {
        return Err(NameError::DotElement);
    }
    let bytes = Bytes::of(element.as_bytes());
    if !bytes.are_path() {
        return Err(NameError::ModuleCharacter);
    }
    if bytes.have_tilde() && is_windows_short_name(element) {
        return Err(NameError::WindowsName);
    }
    Ok(())
}

/// The major version suffix of a module path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Major<'a> {
    /// No suffix: v0, v1, or any with `+incompatible`.
    None,
    /// `/v2` and up: holds `v2`.
    Slash(&'a str),
    /// gopkg.in's `.v1`: holds `v1`, without `-unstable`.
    Dot(&'a str),
}

/// Splits a module path into what stands before its major version suffix, and the suffix.
/// `None` where the suffix is one that no module may have (`/v0`, `/v1`, `/v02`, `/v1.2`, or
/// gopkg.in without one).
pub fn split_major(path: &str) -> Option<(&str, Major<'_>)> {
    if path.starts_with("gopkg.in/") {
        return split_gopkg_in(path);
    }
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let number_at = path.bytes().rposition(|byte| !is_number(byte));
    let number_at = number_at.map_or(0, |before| before + 1);
    let Some((digits, number)) = path.split_at_checked(number_at) else {
        return Some((path, Major::None));
    };
    let Some(prefix) = digits.strip_suffix("/v") else {
        return Some((path, Major::None));
    };
    if number.is_empty() || prefix.is_empty() {
        // `/v` alone is an element like any other.
        return Some((path, Major::None));
    }
    if number.contains('.') || number.starts_with('0') || number == "1" {
        return None;
    }
    let major = path.get(prefix.len() + 1..)?;
    Some((prefix, Major::Slash(major)))
}

fn split_gopkg_in(path: &str) -> Option<(&str, Major<'_>)> {
    let stable = path.strip_suffix("-unstable").unwrap_or(path);
    let digits = stable.trim_end_matches(|c: char| c.is_ascii_digit());
    let prefix = digits.strip_suffix(".v")?;
    let (_, suffix) = path.split_at_checked(prefix.len())?;
    // Go looks at the suffix with its `-unstable`, so `.v0-unstable` is refused and `.v-unstable`
    // is not, though no version fits it.
    let number = suffix.strip_prefix(".v")?;
    if number.is_empty() || (number.starts_with('0') && number != "0") {
        return None;
    }
    let major = stable.get(prefix.len() + 1..)?;
    Some((prefix, Major::Dot(major)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_modules_pass() {
        for path in [
            "golang.org/x/text",
            "github.com/BurntSushi/toml",
            "gopkg.in/yaml.v3",
            "gopkg.in/check.v1",
            "gopkg.in/foo/bar.v0",
            "gopkg.in/foo/bar.v2-unstable",
            "gopkg.in/foo/bar.v-unstable",
            "github.com/cespare/xxhash/v2",
            "example.com",
            "example.com/v",
            "example.com/a~b",
            "k8s.io/api",
            "a.b/comma",
            "golang.org/toolchain",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn an_invalid_module_path_is_refused_with_the_reason() {
        let rows = [
            ("", NameError::EmptyElement),
            ("example.com//a", NameError::EmptyElement),
            ("example.com/a/", NameError::EmptyElement),
            ("/example.com", NameError::EmptyElement),
            ("example.com/..", NameError::DotElement),
            ("example.com/.git", NameError::DotElement),
            ("example.com/a.", NameError::DotElement),
            ("example", NameError::NoDotInFirstElement),
            ("-example.com", NameError::FirstElement),
            ("Example.com", NameError::FirstElement),
            ("example_a.com/b", NameError::FirstElement),
            ("example.com/a b", NameError::ModuleCharacter),
            ("example.com/a;b", NameError::ModuleCharacter),
            ("example.com/@v", NameError::ModuleCharacter),
            ("example.com/é", NameError::ModuleCharacter),
            ("example.com/CON", NameError::WindowsName),
            ("example.com/com1.txt", NameError::WindowsName),
            ("example.com/prog~1", NameError::WindowsName),
            ("example.com/prog~1.txt", NameError::WindowsName),
            ("example.com/v0", NameError::MajorSuffix),
            ("example.com/v1", NameError::MajorSuffix),
            ("example.com/v02", NameError::MajorSuffix),
            ("example.com/v2.0", NameError::MajorSuffix),
            ("gopkg.in/yaml", NameError::MajorSuffix),
            ("gopkg.in/yaml.v01", NameError::MajorSuffix),
            ("gopkg.in/yaml.v0-unstable", NameError::MajorSuffix),
        ];
        table_rows::check(rows, |(path, why)| {
            assert_eq!(check_path(path), Err(why), "{path:?}");
        });
    }
}
