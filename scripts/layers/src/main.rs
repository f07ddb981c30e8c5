//! `scripts/lint layers`: refuses imports that go upwards.
//!
//! Two orders are checked, and both are written where a reader looks for them:
//!
//! - the crates', lowest first, in `[workspace.metadata.layers]` of the workspace's `Cargo.toml`: a
//!   crate depends only on crates before it;
//! - the folders' of a crate, in the line `Layers, lowest first: a, b, c.` of its `lib.rs`: a module
//!   imports only from itself and from modules before it. Deeper down, folders beside each other
//!   have no written order, but must not import each other in a circle.
//!
//! In reading order: [`workspace`] (which crates there are), [`tree`] (a crate's modules and files),
//! [`imports`] (the paths that a file names), [`rules`] (which of them are wrong).

mod imports;
mod rules;
mod tree;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = std::env::args().nth(1).unwrap_or_else(|| String::from("."));
    match check(Path::new(&root)) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in &faults {
                eprintln!("layers: {fault}");
            }
            eprintln!("layers: {} imports or declarations are wrong", faults.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("layers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every fault of the workspace at `root`, as lines that begin with the place.
///
/// # Errors
///
/// What could not be read, with its path.
fn check(root: &Path) -> Result<Vec<String>, String> {
    let workspace = workspace::read(root)?;
    let mut faults = rules::crates(&workspace);
    for package in &workspace.packages {
        let Some(source) = &package.source else {
            continue;
        };
        let tree = tree::read(root, source)?;
        faults.extend(rules::folders(&tree));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests;
