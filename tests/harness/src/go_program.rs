//! The small Go programs in `tests/go`, which judge with Go's own packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{root, tool};

/// Builds `tests/go/NAME` into a folder, and gives the program.
///
/// # Panics
/// Where Go cannot build it.
pub fn build(name: &str, into: &Path) -> PathBuf {
    let program = into.join(name);
    let built = Command::new(tool("go"))
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(root().join("tests/go").join(name))
        .status()
        .unwrap_or_else(|e| panic!("go cannot be run: {e}"));
    assert!(built.success(), "go build of tests/go/{name} failed");
    program
}
