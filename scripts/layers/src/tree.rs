//! The modules of a crate: what `lib.rs` declares, and the files below it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::{self, Import};

/// A crate's modules as they lie in folders.
pub struct Tree {
    /// `lib.rs`, as messages name it.
    pub library: String,
    /// Folders and files beside `lib.rs`, as modules.
    pub modules: Vec<String>,
    /// Module paths of all folders.
    pub folders: Vec<Vec<String>>,
    /// The modules in the order that `lib.rs` states, lowest first; `None` where it states none.
    pub layers: Option<Vec<String>>,
    pub files: Vec<File>,
}

/// One source file.
pub struct File {
    /// As messages name it.
    pub path: String,
    /// `["decision", "route"]` for `decision/route.rs`; empty for `lib.rs`.
    pub module: Vec<String>,
    pub imports: Vec<Import>,
}

/// Reads the crate whose `lib.rs` is in `source`. Paths are told from `root`.
///
/// # Errors
///
/// A file that cannot be read or is not Rust, with its path.
pub fn read(root: &Path, source: &Path) -> Result<Tree, String> {
    let root = root
        .canonicalize()
        .map_err(|error| format!("{}: {error}", root.display()))?;
    let mut reader = Reader {
        root,
        modules: Vec::new(),
        folders: Vec::new(),
        files: Vec::new(),
    };
    reader.folder(source, &[])?;
    let library = source.join("lib.rs");
    let text =
        fs::read_to_string(&library).map_err(|error| format!("{}: {error}", library.display()))?;
    Ok(Tree {
        library: reader.shown(&library),
        layers: layers(&text),
        modules: reader.modules,
        folders: reader.folders,
        files: reader.files,
    })
}

struct Reader {
    root: PathBuf,
    modules: Vec<String>,
    folders: Vec<Vec<String>>,
    files: Vec<File>,
}

impl Reader {
    fn folder(&mut self, folder: &Path, module: &[String]) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut entries = fs::read_dir(folder)
            .map_err(failed)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            let below = [module, &[name.to_owned()]].concat();
            if path.is_dir() {
                if name == "bin" && module.is_empty() {
                    continue;
                }
                self.declare(&below);
                self.folders.push(below.clone());
                self.folder(&path, &below)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let is_folders_own =
                    name == "mod" || (module.is_empty() && matches!(name, "lib" | "main"));
                let of_file = if is_folders_own {
                    module.to_vec()
                } else {
                    below
                };
                self.file(&path, of_file)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, module: Vec<String>) -> Result<(), String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let shown = self.shown(path);
        let imports = imports::of(&text, &module).map_err(|error| format!("{shown}: {error}"))?;
        self.declare(&module);
        self.files.push(File {
            path: shown,
            module,
            imports,
        });
        Ok(())
    }

    fn declare(&mut self, module: &[String]) {
        if let [top] = module
            && !self.modules.contains(top)
        {
            self.modules.push(top.clone());
        }
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// The names in `//! Layers, lowest first: a, b, c.`, which may go on over several lines.
fn layers(text: &str) -> Option<Vec<String>> {
    const MARK: &str = "Layers, lowest first:";
    let documentation: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .collect();
    let documentation = documentation.join(" ");
    let (_, list) = documentation.split_once(MARK)?;
    let (list, _) = list.split_once('.')?;
    let plain = |name: &str| name.trim().trim_matches(['`', '[', ']']).to_owned();
    Some(
        list.split(',')
            .map(plain)
            .filter(|name| !name.is_empty())
            .collect(),
    )
}
