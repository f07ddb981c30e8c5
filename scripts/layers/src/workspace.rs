//! The crates of the workspace, as `cargo metadata` lists them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The workspace's crates and the order that they declare.
pub struct Workspace {
    /// The crates' names, lowest first.
    pub order: Vec<String>,
    pub packages: Vec<Package>,
}

pub struct Package {
    pub name: String,
    /// Names of the workspace's crates that it depends on, for its own tests too.
    pub dependencies: Vec<String>,
    /// The folder of its library; `None` for a crate that is a program only.
    pub source: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<PackageDoc>,
    metadata: Option<WorkspaceDoc>,
}

#[derive(Deserialize)]
struct WorkspaceDoc {
    layers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct PackageDoc {
    name: String,
    dependencies: Vec<DependencyDoc>,
    targets: Vec<TargetDoc>,
}

#[derive(Deserialize)]
struct DependencyDoc {
    name: String,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct TargetDoc {
    kind: Vec<String>,
    src_path: PathBuf,
}

/// Asks cargo for the crates of the workspace at `root`.
///
/// # Errors
///
/// Cargo's own words, or what its answer lacks.
pub fn read(root: &Path) -> Result<Workspace, String> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(root.join("Cargo.toml"))
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    parse(&output.stdout)
}

fn parse(metadata: &[u8]) -> Result<Workspace, String> {
    let metadata: Metadata =
        serde_json::from_slice(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let order = metadata
        .metadata
        .and_then(|workspace| workspace.layers)
        .ok_or(
            "Cargo.toml: [workspace.metadata] has no `layers`, the crates' names, lowest first",
        )?;
    let packages = metadata.packages.into_iter().map(package).collect();
    Ok(Workspace { order, packages })
}

fn package(package: PackageDoc) -> Package {
    let is_library = |target: &&TargetDoc| {
        target
            .kind
            .iter()
            .any(|kind| kind == "lib" || kind == "cdylib")
    };
    let source = package
        .targets
        .iter()
        .find(is_library)
        .and_then(|target| target.src_path.parent());
    Package {
        source: source.map(Path::to_owned),
        dependencies: package
            .dependencies
            .into_iter()
            .filter(|it| it.path.is_some())
            .map(|it| it.name)
            .collect(),
        name: package.name,
    }
}
