//! The keys by which routes know the filter, and how they change.
//!
//! The filter uses one; the routes know it, the one before and the one after. So whichever of two changed objects
//! a proxy gets first, its routes know the key that its filter uses.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use modgate_policy::model::RouteKey;

use super::files::{OWNER, write_whole};

/// How many random bytes a key has: 192 bits, 48 hexadecimal digits.
const BYTES: usize = 24;

/// What the file says at its head, for whoever finds it.
const HEAD: &str = "# Keys by which the routes know Modgate's filter: the one before, the one in use, the next. Secret.\n\
                    # Change them with `modgate deploy --rotate-key`.\n";

/// What routes lead somewhere for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RouteKeys {
    /// The one that the filter uses, as it is written.
    in_use: String,
    /// All that routes know, as they are compared.
    known: Vec<RouteKey>,
}

/// The keys are secrets.
impl std::fmt::Debug for RouteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RouteKeys(..)")
    }
}

impl RouteKeys {
    /// The policy's own key, which its owner changes.
    pub(super) fn of_policy(key: &str) -> Option<Self> {
        Some(Self {
            in_use: key.to_owned(),
            known: vec![RouteKey::new(key)?],
        })
    }

    /// Keys that nobody has made yet, to see what else a deployment lacks.
    pub(super) fn none() -> Self {
        let placeholder = "-".repeat(48);
        Self {
            known: RouteKey::new(&placeholder).into_iter().collect(),
            in_use: placeholder,
        }
    }

    /// The keys of a file, which is made where there is none. With `rotate` the next key comes into use, and a new one
    /// is made to follow it.
    ///
    /// # Errors
    /// Where the file cannot be read or written, or has something else in it.
    pub(super) fn of_file(file: &Path, rotate: bool) -> Result<Self, String> {
        let named = |error: std::io::Error| format!("{}: {error}", file.display());
        let mut keys = match fs::read_to_string(file) {
            Ok(text) => read(&text).map_err(|error| format!("{}: {error}", file.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound && !rotate => {
                let new = [random()?, random()?, random()?];
                write(file, &new).map_err(named)?;
                new
            }
            Err(error) => return Err(named(error)),
        };
        if rotate {
            let [_, in_use, next] = keys;
            keys = [in_use, next, random()?];
            write(file, &keys).map_err(named)?;
        }
        let known = keys.iter().filter_map(|key| RouteKey::new(key)).collect();
        let [_, in_use, _] = keys;
        Ok(Self { in_use, known })
    }

    /// The policy's `route_key`.
    pub(super) fn in_use(&self) -> &str {
        &self.in_use
    }

    /// The values of `x-modgate-cluster` for which a route leads to a cluster.
    pub(super) fn values(&self, cluster: &str) -> Vec<String> {
        self.known.iter().map(|key| key.value(cluster)).collect()
    }
}

fn write(file: &Path, keys: &[String; 3]) -> std::io::Result<()> {
    write_whole(file, &format!("{HEAD}{}\n", keys.join("\n")), OWNER)
}

fn read(text: &str) -> Result<[String; 3], String> {
    let mut keys = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if RouteKey::new(line).is_none() {
            return Err(format!(
                "line {}: it is not a key: 32 to 128 of `A-Z a-z 0-9 _ -`",
                at + 1
            ));
        }
        keys.push(line.to_owned());
    }
    keys.try_into().map_err(|keys: Vec<String>| {
        format!(
            "it has {} keys, and there must be three: the one before, the one in use, the next",
            keys.len()
        )
    })
}

fn random() -> Result<String, String> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes for a key: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_object_changes_first_the_routes_know_the_filters_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("deploy/route-keys");
        let mut before = RouteKeys::of_file(&file, false).unwrap();
        assert_eq!(before, RouteKeys::of_file(&file, false).unwrap());
        for _ in 0..4 {
            let after = RouteKeys::of_file(&file, true).unwrap();
            assert_ne!(before.in_use(), after.in_use());
            let value = |keys: &RouteKeys| RouteKey::new(keys.in_use()).unwrap().value("c");
            assert!(before.values("c").contains(&value(&after)));
            assert!(after.values("c").contains(&value(&before)));
            before = after;
        }
    }

    #[test]
    fn a_key_that_was_changed_twice_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("route-keys");
        let first = RouteKeys::of_file(&file, false).unwrap();
        let leaked = RouteKey::new(first.in_use()).unwrap().value("c");
        RouteKeys::of_file(&file, true).unwrap();
        assert!(
            !RouteKeys::of_file(&file, true)
                .unwrap()
                .values("c")
                .contains(&leaked)
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("route-keys");
        RouteKeys::of_file(&file, false).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_left_as_it_is() {
        let key = "k".repeat(40);
        let three = format!("{key}\n{key}\n{key}\n");
        let rows = [
            ("two keys", format!("{key}\n{key}\n"), "it has 2 keys"),
            ("four", format!("{three}{key}\n"), "it has 4 keys"),
            ("a short one", three.replacen("k", "", 10), "line 1"),
            ("no text", String::new(), "it has 0 keys"),
            (
                "a colon",
                three.replacen(&key, &format!("{key}:"), 1),
                "line 1",
            ),
        ];
        table_rows::check(rows, |(_, text, expected)| {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("route-keys");
            fs::write(&file, &text).unwrap();
            for rotate in [false, true] {
                let error = RouteKeys::of_file(&file, rotate).unwrap_err();
                assert!(error.contains(expected) && !error.contains(&key), "{error}");
            }
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        });
    }
}
