//! Which names a module's zip may have (module reference, "Module zip files"; x/mod `zip.CheckZip`).

use super::error::ZipFault;
use crate::gomod::{ModuleVersion, check_file_path};

/// Whose files they are: a module that is known beforehand, or the one that the first name tells.
#[derive(Debug, Default)]
pub(super) struct Names(Option<Root>);

/// A module and what all its files' names begin with.
#[derive(Debug)]
struct Root {
    module: ModuleVersion,
    prefix: Box<str>,
}

impl Root {
    fn of(module: ModuleVersion) -> Self {
        let prefix = format!("{module}/").into();
        Self { module, prefix }
    }

    /// The module that a file of this name must belong to.
    fn guess(name: &str) -> Option<Self> {
        let (path, rest) = name.split_once('@')?;
        let (version, _) = rest.split_once('/')?;
        ModuleVersion::new(path, version).ok().map(Self::of)
    }
}

impl Names {
    pub(super) fn of(module: ModuleVersion) -> Self {
        Self(Some(Root::of(module)))
    }

    /// What all names begin with; empty before the first.
    pub(super) fn prefix(&self) -> &str {
        self.0.as_ref().map_or("", |root| &root.prefix)
    }

    /// The module; none where it was not given and there was no file.
    pub(super) fn into_module(self) -> Option<ModuleVersion> {
        self.0.map(|root| root.module)
    }

    /// The path in the module of a file that has this name in the zip; of a folder with the slash at
    /// its end, and of the module's root empty.
    pub(super) fn check<'a>(&mut self, name: &'a str) -> Result<&'a str, ZipFault> {
        if self.0.is_none() {
            self.0 = Root::guess(name);
        }
        let root = self.0.as_ref().ok_or(ZipFault::NoModule)?;
        let path = name
            .strip_prefix(&*root.prefix)
            .ok_or(ZipFault::OtherModule)?;
        if path.is_empty() {
            return Ok(path);
        }
        if let Some(folder) = path.strip_suffix('/') {
            return check_file_path(folder)
                .map(|()| path)
                .map_err(ZipFault::Name);
        }
        check_file_path(path).map_err(ZipFault::Name)?;
        let (folder, base) = path.rsplit_once('/').unwrap_or(("", path));
        if !base.eq_ignore_ascii_case("go.mod") {
            return Ok(path);
        }
        if !folder.is_empty() {
            return Err(ZipFault::NestedGoMod);
        }
        if base != "go.mod" {
            return Err(ZipFault::GoModCase);
        }
        Ok(path)
    }
}

/// Whether this path in the module is a folder's: Go tells them by their names alone.
pub(super) fn is_folder(path: &str) -> bool {
    path.is_empty() || path.ends_with('/')
}
