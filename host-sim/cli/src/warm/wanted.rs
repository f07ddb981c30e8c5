//! What is requested: versions of modules, and the hashes that are known of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use modgate_go::gomod::{Artifact, GoSum, H1, ModuleVersion};

use super::{go_list, go_mod};
use crate::policy_file::text;

/// Everything that is requested.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) versions: BTreeMap<ModuleVersion, Hashes>,
    /// What is reported for things that are left out, a sentence each.
    pub(super) left_out: Vec<String>,
    /// For which toolchains are wanted.
    platforms: Vec<Platform>,
}

/// What is known of a version's files.
#[derive(Clone, Debug, Default)]
pub(super) struct Hashes {
    /// Whether the zip is wanted; a build that only reads the go.mod file does not fetch it.
    pub(super) zip_wanted: bool,
    pub(super) go_mod: Option<H1>,
    pub(super) zip: Option<H1>,
}

impl Wanted {
    /// Reads the files, and a module with its version.
    ///
    /// # Errors
    /// The first thing that cannot be read, with its file and line.
    pub(super) fn read(
        files: &[PathBuf],
        tagged: Option<(&str, &str)>,
        platforms: &[Platform],
    ) -> Result<Self, String> {
        let mut wanted = Self {
            platforms: platforms.to_owned(),
            ..Self::default()
        };
        for file in files {
            let (name, text) = text::read(file)?;
            wanted
                .add(file, &text)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        if let Some((module, tag)) = tagged {
            wanted.version(module, version_of(module, tag))?;
        }
        if wanted.versions.is_empty() {
            return Err("there is nothing to fetch".to_owned());
        }
        Ok(wanted)
    }

    fn add(&mut self, file: &Path, text: &str) -> Result<(), String> {
        match kind(file, text) {
            Kind::GoSum => self.add_go_sum(text),
            Kind::GoMod => {
                let required = go_mod::requirements(text)?;
                for (module, version, line) in required.modules {
                    self.version(&module, &version)
                        .map_err(|error| format!("line {line}: {error}"))?;
                }
                self.left_out.extend(required.left_out);
                match required.toolchain {
                    Some((name, line)) => self
                        .toolchain(&name)
                        .map_err(|error| format!("line {line}: {error}")),
                    None => Ok(()),
                }
            }
            Kind::GoList => self.add_listed(go_list::of_text(text)?),
            Kind::GoListJson => self.add_listed(go_list::of_json(text)?),
            Kind::List => self.add_list(text),
        }
    }

    fn add_go_sum(&mut self, text: &str) -> Result<(), String> {
        let sums = GoSum::parse(text).map_err(|error| error.to_string())?;
        for line in sums.lines() {
            let hashes = self.versions.entry(line.module.clone()).or_default();
            let known = match line.artifact {
                Artifact::Zip => {
                    hashes.zip_wanted = true;
                    &mut hashes.zip
                }
                Artifact::GoMod => &mut hashes.go_mod,
            };
            if known.is_some_and(|known| known != line.h1) {
                return Err(format!("{line}: another file has a different hash"));
            }
            *known = Some(line.h1);
        }
        Ok(())
    }

    /// What the Go command fetches where a go.mod file asks for another toolchain than is there
    /// (go.dev/doc/toolchain): a version of a module for each platform.
    fn toolchain(&mut self, name: &str) -> Result<(), String> {
        if name.contains('-') {
            let sentence = format!("the toolchain {name} is a custom one, not on a proxy");
            self.left_out.push(sentence);
            return Ok(());
        }
        for Platform(platform) in self.platforms.clone() {
            self.version("golang.org/toolchain", &format!("v0.0.1-{name}.{platform}"))?;
        }
        Ok(())
    }

    fn add_listed(&mut self, lists: go_list::Lists) -> Result<(), String> {
        self.left_out.extend(lists.left_out);
        for listed in lists.modules {
            let named = format!("line {}", listed.line);
            self.version(&listed.module, &listed.version)
                .map_err(|error| format!("{named}: {error}"))?;
            let known = ModuleVersion::new(&listed.module, &listed.version).ok();
            let Some(hashes) = known.and_then(|module| self.versions.get_mut(&module)) else {
                continue;
            };
            for (known, new) in [
                (&mut hashes.zip, listed.zip),
                (&mut hashes.go_mod, listed.go_mod),
            ] {
                let Some(new) = new else {
                    continue;
                };
                if known.replace(new).is_some_and(|known| known != new) {
                    return Err(format!("{named}: another file has a different hash"));
                }
            }
        }
        Ok(())
    }

    fn add_list(&mut self, text: &str) -> Result<(), String> {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let parts = line.split_once('@');
            let (module, version) =
                parts.ok_or_else(|| format!("line {number}: {line:?} is not MODULE@VERSION"))?;
            self.version(module, version)
                .map_err(|error| format!("line {number}: {error}"))?;
        }
        Ok(())
    }

    fn version(&mut self, module: &str, version: &str) -> Result<(), String> {
        let named = ModuleVersion::new(module, version).map_err(|refusal| {
            format!(
                "{module}@{version}: {}; it must be a whole version, such as v1.2.3",
                refusal.reason()
            )
        })?;
        self.versions.entry(named).or_default().zip_wanted = true;
        Ok(())
    }
}

/// The version that a tag names: of a module in a subfolder of its repository the tag begins with the
/// folder (go.dev/ref/mod, "Mapping versions to commits").
fn version_of<'t>(module: &str, tag: &'t str) -> &'t str {
    match tag.rsplit_once('/') {
        Some((folder, version)) if is_folder_of(module, folder) => version,
        _ => tag,
    }
}

/// Whether a module's path, perhaps without its major version, ends with this folder.
fn is_folder_of(module: &str, folder: &str) -> bool {
    let without_major = modgate_go::gomod::path::split_major(module);
    let paths = [Some(module), without_major.map(|(path, _)| path)];
    let ends = |path: &str| {
        path.strip_suffix(folder)
            .is_some_and(|rest| rest.ends_with('/'))
    };
    paths.into_iter().flatten().any(ends)
}

/// A platform as versions of toolchains name it: `linux-amd64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Platform(String);

impl Platform {
    /// The one that this command runs on.
    pub(super) fn own() -> Self {
        use std::env::consts::{ARCH, OS};
        let os = if OS == "macos" { "darwin" } else { OS };
        let arch = match ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            arch => arch,
        };
        Self(format!("{os}-{arch}"))
    }
}

/// `GOOS/GOARCH`.
impl std::str::FromStr for Platform {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        match text.split_once('/') {
            Some((os, arch)) if is_word(os) && is_word(arch) => Ok(Self(format!("{os}-{arch}"))),
            _ => Err("not a valid GOOS/GOARCH, such as linux/arm64"),
        }
    }
}

enum Kind {
    GoSum,
    GoMod,
    GoList,
    GoListJson,
    List,
}

/// By its name, else by its first line that says something.
fn kind(file: &Path, text: &str) -> Kind {
    match file.extension().and_then(|end| end.to_str()) {
        Some("sum") => return Kind::GoSum,
        Some("mod") => return Kind::GoMod,
        _ => {}
    }
    let says_something =
        |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with('#');
    let first = text.lines().map(str::trim).find(says_something);
    match first {
        Some(line)
            if line
                .split_whitespace()
                .nth(2)
                .is_some_and(|hash| hash.starts_with("h1:")) =>
        {
            Kind::GoSum
        }
        Some(line) if line.starts_with('{') => Kind::GoListJson,
        Some(line) if line.starts_with("module ") => Kind::GoMod,
        _ if go_list::is_text(text) => Kind::GoList,
        _ => Kind::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &Wanted) -> Vec<String> {
        wanted.versions.keys().map(ToString::to_string).collect()
    }

    fn read(name: &str, text: &str) -> Result<Wanted, String> {
        let mut wanted = Wanted {
            platforms: vec![
                "linux/amd64".parse().unwrap(),
                "darwin/arm64".parse().unwrap(),
            ],
            ..Wanted::default()
        };
        wanted.add(Path::new(name), text)?;
        Ok(wanted)
    }

    #[test]
    fn a_list_names_whole_versions() {
        let wanted = read(
            "list",
            "# all\n a.example/b@v1.0.0 # x\n\na.example/b@v1.0.0\n",
        )
        .unwrap();
        assert_eq!(names(&wanted), ["a.example/b@v1.0.0"]);
        let rows = [
            (
                "a.example/b",
                "line 1: \"a.example/b\" is not MODULE@VERSION",
            ),
            ("\na.example/b@v1", "line 2: a.example/b@v1: "),
            ("a.example/b@latest", "whole version"),
            ("a.example/b@v2.0.0", "a.example/b@v2.0.0: "),
        ];
        table_rows::check(rows, |(text, says)| {
            let error = read("list", text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        });
    }

    #[test]
    fn a_go_sum_says_which_zips_a_build_fetches() {
        let hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let text = format!(
            "a.example/b v1.0.0 {hash}\na.example/b v1.0.0/go.mod {hash}\na.example/c v1.0.0/go.mod {hash}\n"
        );
        for name in ["go.sum", "anything", "-"] {
            let wanted = read(name, &text).unwrap();
            assert_eq!(names(&wanted), ["a.example/b@v1.0.0", "a.example/c@v1.0.0"]);
            let zips: Vec<bool> = wanted.versions.values().map(|h| h.zip_wanted).collect();
            assert_eq!(zips, [true, false]);
        }
    }

    #[test]
    fn a_toolchain_is_a_version_for_each_platform() {
        let text = "module a.example/m\n\ngo 1.22\n\ntoolchain go1.24.1\n";
        let wanted = read("go.mod", text).unwrap();
        assert_eq!(
            names(&wanted),
            [
                "golang.org/toolchain@v0.0.1-go1.24.1.darwin-arm64",
                "golang.org/toolchain@v0.0.1-go1.24.1.linux-amd64"
            ]
        );
        let own = read("go.mod", &text.replace("1.24.1", "1.24.1-corp")).unwrap();
        assert_eq!((own.versions.len(), own.left_out.len()), (0, 1));
        for bad in ["linux", "linux/", "Linux/amd64", "linux/amd64/v2", "a b/c"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_go_list_prints_is_a_list() {
        let wanted = read(
            "-",
            "m.example/main\na.example/b v1.0.0\na.example/c v1.0.0 => ../c\n",
        )
        .unwrap();
        assert_eq!(names(&wanted), ["a.example/b@v1.0.0"]);
        assert_eq!(wanted.left_out.len(), 1);
        let json = r#"{"Path":"a.example/b","Version":"v1.0.0"}"#;
        assert_eq!(names(&read("-", json).unwrap()), ["a.example/b@v1.0.0"]);
        let error = read("-", "a.example/b v1\n").unwrap_err();
        assert!(error.starts_with("line 1: a.example/b@v1: "), "{error}");
    }

    #[test]
    fn a_tag_of_a_subfolder_is_its_version() {
        let rows = [
            ("a.example/b", "v1.0.0", "v1.0.0"),
            ("a.example/b/sub/dir", "sub/dir/v1.0.0", "v1.0.0"),
            ("a.example/b/sub/v2", "sub/v2.0.0", "v2.0.0"),
            ("a.example/b/sub", "other/v1.0.0", "other/v1.0.0"),
            ("a.example/bsub", "sub/v1.0.0", "sub/v1.0.0"),
        ];
        table_rows::check(rows, |(module, tag, version)| {
            assert_eq!(version_of(module, tag), version, "{module} {tag}");
        });
    }
}
