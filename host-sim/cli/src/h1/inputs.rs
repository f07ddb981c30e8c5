//! Which files there are to hash, and what their places say of them.

use std::path::{Component, Path, PathBuf};

use modgate_go::gomod::{ModuleVersion, unescape};
use walkdir::{DirEntry, WalkDir};

use crate::policy_file::text;

/// A file, or standard input.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub source: Source,
    /// The module by the place in a tree of modules.
    pub module: Option<ModuleVersion>,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// What messages call it.
    pub(super) fn label(&self) -> String {
        match &self.source {
            Source::Stdin => "standard input".to_owned(),
            Source::File(path) => text::name(path),
        }
    }

    /// In bytes; 0 where it is not known.
    pub(super) fn size(&self) -> u64 {
        match &self.source {
            Source::Stdin => 0,
            Source::File(path) => path.metadata().map_or(0, |meta| meta.len()),
        }
    }

    /// Where a module cache keeps the hash of this zip.
    pub(super) fn ziphash(&self) -> Option<PathBuf> {
        match &self.source {
            Source::File(path) if is_in_tree(path) => Some(path.with_extension("ziphash")),
            _ => None,
        }
    }
}

/// What one argument stands for.
///
/// # Errors
/// One sentence, where it is nothing that can be hashed.
pub(super) fn expand(argument: &Path) -> Result<Vec<Input>, String> {
    if argument == Path::new("-") {
        return Ok(vec![Input {
            source: Source::Stdin,
            module: None,
        }]);
    }
    let meta = std::fs::metadata(argument).map_err(|error| error.to_string())?;
    if !meta.is_dir() {
        return Ok(vec![of_file(argument, None)]);
    }
    let files = WalkDir::new(argument)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_unpacked_module(entry))
        .filter_map(|entry| match entry {
            Ok(entry) if is_wanted(&entry) => Some(Ok(of_file(entry.path(), Some(argument)))),
            Ok(_) => None,
            Err(error) => Some(Err(error.to_string())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        return Err(
            "the folder has no module zips: there is no @v/VERSION.zip or .mod below it and no zip in it"
                .to_owned(),
        );
    }
    Ok(files)
}

/// Beside `cache` a module cache has folders named `module@version`: their files are sources.
fn is_unpacked_module(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() > 0 && entry.file_type().is_dir() && name.contains('@') && name != "@v"
}

fn is_wanted(entry: &DirEntry) -> bool {
    let extension = entry.path().extension();
    let is = |wanted: &str| extension.is_some_and(|extension| extension == wanted);
    let in_tree = is_in_tree(entry.path());
    entry.file_type().is_file()
        && ((in_tree && (is("zip") || is("mod"))) || (entry.depth() == 1 && is("zip")))
}

fn is_in_tree(path: &Path) -> bool {
    path.parent()
        .and_then(Path::file_name)
        .is_some_and(|folder| folder == "@v")
}

fn of_file(path: &Path, root: Option<&Path>) -> Input {
    Input {
        source: Source::File(path.to_owned()),
        module: module_of(path, root),
    }
}

/// The module of `.../cache/download/MODULE/@v/VERSION.EXT`, or of `MODULE/@v/VERSION.EXT` below
/// the folder that was given, both escaped.
fn module_of(path: &Path, root: Option<&Path>) -> Option<ModuleVersion> {
    if !is_in_tree(path) {
        return None;
    }
    let version = unescape(path.file_stem()?.to_str()?).ok()?.into_owned();
    let folder = std::path::absolute(path.parent()?.parent()?).ok()?;
    let parts: Vec<&str> = folder
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    let cache = parts
        .windows(2)
        .rposition(|pair| pair == ["cache", "download"]);
    let escaped = match (cache, root) {
        (Some(at), _) => parts.get(at + 2..)?.join("/"),
        (None, Some(root)) => {
            let root = std::path::absolute(root).ok()?;
            folder.strip_prefix(root).ok()?.to_str()?.to_owned()
        }
        (None, None) => return None,
    };
    ModuleVersion::new(&unescape(&escaped).ok()?, &version).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_module_cache_names_the_module() {
        let module = |path: &str, root: Option<&str>| {
            module_of(Path::new(path), root.map(Path::new)).map(|module| module.to_string())
        };
        let toml = "github.com/BurntSushi/toml@v1.0.0-RC1";
        let place = "github.com/!burnt!sushi/toml/@v/v1.0.0-!r!c1.zip";
        let cache = format!("/home/x/go/pkg/mod/cache/download/{place}");
        assert_eq!(module(&cache, None).as_deref(), Some(toml));
        assert_eq!(
            module(&format!("/srv/{place}"), Some("/srv")).as_deref(),
            Some(toml)
        );
        assert_eq!(module(&format!("/srv/{place}"), None), None);
        assert_eq!(module("/srv/x.zip", Some("/srv")), None);
    }
}
