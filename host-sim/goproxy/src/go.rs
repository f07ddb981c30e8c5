//! The `go` command of this machine.

use super::Error;
use std::env;
use std::path::{Path, PathBuf};

/// Where the project's set-up puts its programs, below the checkout.
const TOOLS: &str = ".tools/bin/go";

/// How far above this program the checkout can be: `dist/modgate`, `target/release/deps/NAME`.
const LEVELS: usize = 4;

/// A `go` command that is there.
#[derive(Clone, Debug)]
pub struct Go {
    program: PathBuf,
}

impl Go {
    /// The one that the project's set-up provides where this program stands in a checkout, else the
    /// first in `PATH`.
    ///
    /// # Errors
    /// There is none; the sentence says where it was looked for.
    pub fn find() -> Result<Self, Error> {
        let own = env::current_exe().unwrap_or_default();
        let path = env::var_os("PATH").unwrap_or_default();
        let checkouts = own.ancestors().skip(1).take(LEVELS);
        let tools = checkouts.map(|folder| folder.join(TOOLS));
        let in_path = env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("go"));
        tools
            .chain(in_path)
            .find(|program| program.is_file())
            .map(|program| Self { program })
            .ok_or_else(|| Error::NoGo {
                looked: format!("{TOOLS} of the checkout and the folders of PATH"),
            })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }
}
