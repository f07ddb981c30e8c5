//! One version of a Go module, described by what it holds.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The time of a module that names none: fixed, so that trees are the same every time.
const TIME: Timestamp = Timestamp::constant(1_704_110_400, 0); // 2024-01-01T12:00:00Z

/// One version of a module: its path, its files and what its `go.mod` says.
///
/// ```
/// use modgate_goproxy::Module;
/// let module = Module::new("corp.example/lib", "v1.2.0")
///     .file("lib.go", "package lib\n\nconst Answer = 42\n")
///     .requires("example.org/words", "v0.3.0");
/// let go_mod = String::from_utf8(module.go_mod()).unwrap();
/// assert!(go_mod.ends_with("require example.org/words v0.3.0\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Module {
    path: String,
    version: String,
    time: Timestamp,
    files: BTreeMap<String, Vec<u8>>,
    requires: BTreeMap<String, String>,
    retracts: BTreeMap<String, String>,
}

impl Module {
    /// A module with nothing but its `go.mod`. Path and version are evaluated when it is written.
    pub fn new(path: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            version: version.into(),
            time: TIME,
            files: BTreeMap::new(),
            requires: BTreeMap::new(),
            retracts: BTreeMap::new(),
        }
    }

    /// Adds a file, named with slashes from the module's root. A `go.mod` given here replaces the
    /// one that is written otherwise.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), content.into());
        self
    }

    /// Sets the time of the version, which `.info` tells and which the files carry.
    #[must_use]
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = time;
        self
    }

    /// Adds a requirement to the `go.mod`.
    #[must_use]
    pub fn requires(mut self, path: impl Into<String>, version: impl Into<String>) -> Self {
        self.requires.insert(path.into(), version.into());
        self
    }

    /// Adds a retraction to the `go.mod`: `versions` is one version, or `[low, high]`.
    #[must_use]
    pub fn retracts(mut self, versions: impl Into<String>, reason: impl Into<String>) -> Self {
        self.retracts.insert(versions.into(), reason.into());
        self
    }

    /// The module path, unescaped.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The time of the version.
    pub const fn timestamp(&self) -> Timestamp {
        self.time
    }

    /// The `go.mod`, which is the answer to `.mod` and a file of the zip.
    pub fn go_mod(&self) -> Vec<u8> {
        if let Some(own) = self.files.get("go.mod") {
            return own.clone();
        }
        let mut text = format!("module {}\n\ngo 1.21\n", self.path);
        for (path, version) in &self.requires {
            let _ = write!(text, "\nrequire {path} {version}\n");
        }
        for (versions, reason) in &self.retracts {
            let _ = write!(text, "\n// {reason}\nretract {versions}\n");
        }
        text.into_bytes()
    }

    /// The text of the `.info`: the version and its time, as the protocol has it.
    pub fn info(&self) -> String {
        serde_json::json!({ "Version": self.version, "Time": self.time.to_string() }).to_string()
    }

    /// Every file of the zip, by its name within the module, `go.mod` included.
    pub(super) fn contents(&self) -> BTreeMap<&str, Vec<u8>> {
        let mut all: BTreeMap<&str, Vec<u8>> = self
            .files
            .iter()
            .map(|(name, content)| (name.as_str(), content.clone()))
            .collect();
        all.insert("go.mod", self.go_mod());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_go_mod_declares_the_requested_module() {
        let module = Module::new("example.org/clock", "v1.1.1")
            .requires("example.org/words", "v0.3.0")
            .retracts("v1.1.0", "runs backwards");
        assert_eq!(
            String::from_utf8(module.go_mod()).unwrap(),
            "module example.org/clock\n\ngo 1.21\n\nrequire example.org/words v0.3.0\n\n\
             // runs backwards\nretract v1.1.0\n"
        );
    }

    #[test]
    fn an_info_has_the_time_in_rfc_3339() {
        assert_eq!(
            Module::new("a.example/b", "v1.0.0").info(),
            r#"{"Time":"2024-01-01T12:00:00Z","Version":"v1.0.0"}"#
        );
    }
}
