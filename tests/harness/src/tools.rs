//! Where the programs are that the tests start. All of them are put there by the project's scripts.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The files of a folder below the root whose names end so, by name.
///
/// # Panics
/// Where there is no such folder.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let entries = std::fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

/// A program that `scripts/setup` has provided.
///
/// # Panics
/// Where it is not there: a missing part is a failure, never a silent skip.
pub fn tool(name: &str) -> PathBuf {
    let path = root().join(".tools/bin").join(name);
    assert!(
        path.exists(),
        "{name} is not there; run `make setup`, which puts it into .tools/bin"
    );
    path
}

/// A file that `make build` has left in `dist/`.
///
/// # Panics
/// Where it is not there.
pub fn dist(name: &str) -> PathBuf {
    let path = root().join("dist").join(name);
    assert!(path.exists(), "dist/{name} is not there; run `make build`");
    path.canonicalize().unwrap_or(path)
}

/// What the machine's own Go takes modules from.
pub fn upstream_goproxy() -> String {
    let output = std::process::Command::new(tool("go"))
        .args(["env", "GOPROXY"])
        .output()
        .unwrap_or_else(|error| panic!("go env GOPROXY cannot be run: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
