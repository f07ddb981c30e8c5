//! Modules written as the files of a GOPROXY.

use super::{Error, Module, archive};
use modgate_go::gomod::{check_path, is_canonical_for};
use semver::Version;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A folder laid out as the [GOPROXY protocol](https://go.dev/ref/mod#goproxy-protocol) names
/// things, which is also how `$GOMODCACHE/cache/download` is laid out: `go` reads it through
/// [`Server`](super::Server), or directly as `file://`.
///
/// For each module `@v/list` (sorted, no pseudo-versions) and `@latest`, for each version
/// `.info`, `.mod` and `.zip`. The files carry the version's time, so that an answer's
/// `Last-Modified` is the same every time. To forge an answer, overwrite its file.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Writes the modules below `root`, which is made if it is missing.
    ///
    /// # Errors
    /// A path or version that Go would refuse, a version given twice, or a file that cannot be
    /// written.
    pub fn write(root: impl Into<PathBuf>, modules: &[Module]) -> Result<Self, Error> {
        let tree = Self { root: root.into() };
        let mut by_path: BTreeMap<&str, BTreeMap<Version, &Module>> = BTreeMap::new();
        for module in modules {
            let versions = by_path.entry(module.path()).or_default();
            if versions.insert(parse(module)?, module).is_some() {
                return Err(Error::Twice {
                    module: module.path().to_owned(),
                    version: module.version().to_owned(),
                });
            }
        }
        for (path, versions) in by_path {
            tree.write_module(path, &versions)?;
        }
        Ok(tree)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that answers for one version; `kind` is `info`, `mod` or `zip`.
    pub fn file(&self, module: &str, version: &str, kind: &str) -> PathBuf {
        self.versions_of(module)
            .join(format!("{}.{kind}", escape(version)))
    }

    /// The file that answers `@v/list`.
    pub fn list(&self, module: &str) -> PathBuf {
        self.versions_of(module).join("list")
    }

    fn versions_of(&self, module: &str) -> PathBuf {
        self.root.join(escape(module)).join("@v")
    }

    fn write_module(&self, path: &str, all: &BTreeMap<Version, &Module>) -> Result<(), Error> {
        let folder = self.versions_of(path);
        fs::create_dir_all(&folder).map_err(Error::files("make", &folder))?;
        for module in all.values() {
            let at = |kind| self.file(path, module.version(), kind);
            put(&at("info"), module.info().as_bytes(), module)?;
            put(&at("mod"), &module.go_mod(), module)?;
            put(&at("zip"), &archive::zip(module)?, module)?;
        }
        let Some(latest) = latest(all) else {
            return Ok(());
        };
        let mut list = String::new();
        for (_, module) in all.iter().filter(|(version, _)| !is_pseudo(version)) {
            list.push_str(module.version());
            list.push('\n');
        }
        put(&self.list(path), list.as_bytes(), latest)?;
        let beside = self.root.join(escape(path)).join("@latest");
        put(&beside, latest.info().as_bytes(), latest)
    }
}

/// What `@latest` means to Go: the highest release, else the highest prerelease, else the highest
/// pseudo-version.
fn latest<'m>(all: &BTreeMap<Version, &'m Module>) -> Option<&'m Module> {
    all.iter()
        .max_by_key(|(version, _)| (version.pre.is_empty(), !is_pseudo(version), *version))
        .map(|(_, module)| *module)
}

fn put(file: &Path, content: &[u8], module: &Module) -> Result<(), Error> {
    let write = || {
        fs::write(file, content)?;
        File::options()
            .write(true)
            .open(file)?
            .set_modified(module.timestamp().into())
    };
    write().map_err(Error::files("write", file))
}

/// Reads a version, after the filter's own rules for paths and versions, which are Go's.
fn parse(module: &Module) -> Result<Version, Error> {
    let (path, version) = (module.path(), module.version());
    check_path(path).map_err(|refusal| Error::Path {
        path: path.to_owned(),
        reason: refusal.reason().to_owned(),
    })?;
    let refused = |reason: String| Error::Version {
        module: path.to_owned(),
        version: version.to_owned(),
        reason,
    };
    is_canonical_for(path, version).map_err(|refusal| refused(refusal.reason().to_owned()))?;
    version
        .trim_start_matches('v')
        .parse()
        .map_err(|error: semver::Error| refused(error.to_string()))
}

/// Whether this is a [pseudo-version](https://go.dev/ref/mod#pseudo-versions): its prerelease ends
/// with a time of 14 digits, which stands alone or behind a `0`, and a revision of 12 digits.
fn is_pseudo(version: &Version) -> bool {
    let Some((head, revision)) = version.pre.rsplit_once('-') else {
        return false;
    };
    let (before, time) = head.rsplit_once('.').unwrap_or(("0", head));
    revision.len() == 12
        && revision.bytes().all(|b| b.is_ascii_hexdigit())
        && time.len() == 14
        && time.bytes().all(|b| b.is_ascii_digit())
        && (before == "0" || before.ends_with(".0"))
}

/// The case escape as it stands in file names: `!` and the lower-case letter.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(modules: &[Module]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::write(folder.path().join("proxy"), modules).unwrap();
        (folder, tree)
    }

    fn read(file: impl AsRef<Path>) -> String {
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn upper_case_is_escaped_in_file_names() {
        let (_folder, tree) =
            written(&[Module::new("hosting.example/BurntToast/Slices", "v0.1.0")]);
        let folder = tree.root().join("hosting.example/!burnt!toast/!slices");
        assert_eq!(read(folder.join("@v/list")), "v0.1.0\n");
        assert!(folder.join("@v/v0.1.0.zip").is_file());
    }

    #[test]
    fn versions_are_listed_in_semver_order_without_pseudo_versions() {
        let (_folder, tree) = written(&[
            Module::new("a.example/b", "v1.10.0"),
            Module::new("a.example/b", "v1.9.0"),
            Module::new("a.example/b", "v1.11.0-rc.1"),
            Module::new("a.example/b", "v1.10.1-0.20240102030405-0123456789ab"),
        ]);
        assert_eq!(
            read(tree.list("a.example/b")),
            "v1.9.0\nv1.10.0\nv1.11.0-rc.1\n"
        );
        assert!(read(tree.root().join("a.example/b/@latest")).contains(r#""v1.10.0""#));
    }

    #[test]
    fn a_module_of_pseudo_versions_has_an_empty_list_and_a_latest() {
        let pseudo = "v0.0.0-20240102030405-0123456789ab";
        let (_folder, tree) = written(&[Module::new("a.example/b", pseudo)]);
        assert_eq!(read(tree.list("a.example/b")), "");
        assert!(read(tree.root().join("a.example/b/@latest")).contains(pseudo));
    }

    #[test]
    fn what_go_would_refuse_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &str, version: &str| {
            Tree::write(folder.path(), &[Module::new(path, version)])
                .unwrap_err()
                .to_string()
        };
        assert!(
            refused("a.example/../b", "v1.0.0")
                .starts_with("`a.example/../b` is not a valid module path")
        );
        assert!(refused("a.example/b", "1.0.0").contains("write it as in v1.2.3"));
        assert!(refused("a.example/b", "v1.0").contains("write it as in v1.2.3"));
    }

    #[test]
    fn a_version_given_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let twice = Module::new("a.example/b", "v1.0.0");
        let error = Tree::write(folder.path(), &[twice.clone(), twice]).unwrap_err();
        assert_eq!(error.to_string(), "a.example/b@v1.0.0 is given twice");
    }

    #[test]
    fn two_trees_of_the_same_modules_are_the_same() {
        let modules = super::super::samples::public();
        let (_one, first) = written(&modules);
        let (_two, second) = written(&modules);
        let mut files = 0;
        for module in &modules {
            for kind in ["info", "mod", "zip"] {
                let at = |tree: &Tree| tree.file(module.path(), module.version(), kind);
                let (a, b) = (at(&first), at(&second));
                assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap());
                let modified = |file| fs::metadata(file).unwrap().modified().unwrap();
                assert_eq!(modified(a), modified(b));
                files += 1;
            }
        }
        assert_eq!(files, modules.len() * 3);
    }
}
