//! One version of one module.

use std::fmt;

use super::name_error::NameError;
use super::{check_path, is_canonical_for};

/// A module path and a canonical version that fits it. Displays as `PATH@VERSION`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleVersion {
    path: Box<str>,
    version: Box<str>,
}

impl ModuleVersion {
    /// Checks both, unescaped, as x/mod's `module.Check` does.
    ///
    /// # Errors
    /// What is wrong with the path, with the version, or with the two together.
    pub fn new(path: &str, version: &str) -> Result<Self, NameError> {
        check_path(path)?;
        is_canonical_for(path, version)?;
        Ok(Self {
            path: path.into(),
            version: version.into(),
        })
    }

    /// The module path, unescaped.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The canonical version, unescaped.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.path, self.version)
    }
}
