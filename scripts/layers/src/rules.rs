//! What is wrong: an order that is not declared, an import that goes upwards, a circle.

use std::collections::BTreeMap;

use crate::imports::Import;
use crate::tree::{File, Tree};
use crate::workspace::Workspace;

/// Crates that depend on one above them, and crates whose place nobody states.
pub fn crates(workspace: &Workspace) -> Vec<String> {
    let place = |name: &str| workspace.order.iter().position(|it| it == name);
    let mut faults = Vec::new();
    for package in &workspace.packages {
        let Some(own) = place(&package.name) else {
            faults.push(format!(
                "Cargo.toml: [workspace.metadata] layers does not name {}",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if place(dependency).is_some_and(|other| other >= own) {
                faults.push(format!(
                    "Cargo.toml: {} must not depend on {dependency}, which is above it",
                    package.name
                ));
            }
        }
    }
    let exists = |name: &&String| {
        workspace
            .packages
            .iter()
            .any(|package| package.name == **name)
    };
    for name in workspace.order.iter().filter(|name| !exists(name)) {
        faults.push(format!(
            "Cargo.toml: [workspace.metadata] layers names {name}, which is not a crate here"
        ));
    }
    faults
}

/// Imports of one crate that go upwards, and folders beside each other that import in a circle.
pub fn folders(tree: &Tree) -> Vec<String> {
    let mut faults = circles(tree);
    let Some(layers) = &tree.layers else {
        let top = tree
            .folders
            .iter()
            .filter(|folder| folder.len() == 1)
            .count();
        if top > 1 {
            faults.push(format!(
                "{}: states no order: `Layers, lowest first: ...`",
                tree.library
            ));
        }
        return faults;
    };
    faults.extend(undeclared(tree, layers));
    for file in &tree.files {
        faults.extend(
            file.imports
                .iter()
                .filter_map(|import| upward(tree, layers, file, import)),
        );
    }
    faults
}

fn undeclared(tree: &Tree, layers: &[String]) -> Vec<String> {
    let missing = tree
        .modules
        .iter()
        .filter(|module| !layers.contains(module));
    let unknown = layers.iter().filter(|layer| !tree.modules.contains(layer));
    missing
        .map(|module| format!("{}: the layers do not name `{module}`", tree.library))
        .chain(unknown.map(|layer| {
            format!(
                "{}: the layers name `{layer}`, which is not a module",
                tree.library
            )
        }))
        .collect()
}

fn upward(tree: &Tree, layers: &[String], file: &File, import: &Import) -> Option<String> {
    let from = file.module.first()?;
    let to = import.path.first()?;
    if from == to || import.is_macro {
        return None;
    }
    let place = format!("{}:{}", file.path, import.line);
    let Some(target) = layers.iter().position(|layer| layer == to) else {
        return Some(format!(
            "{place}: `crate::{to}` is not a module: name the module that holds it"
        ));
    };
    let own = layers.iter().position(|layer| layer == from)?;
    (target > own).then(|| {
        format!(
            "{place}: `{from}` must not import `{to}`, which is above it ({})",
            tree.library
        )
    })
}

/// For each folder: which folders in it import which others beside them, and where for the first time.
type Edges<'t> = BTreeMap<&'t [String], BTreeMap<&'t str, BTreeMap<&'t str, String>>>;

fn circles(tree: &Tree) -> Vec<String> {
    let mut edges = Edges::new();
    for file in &tree.files {
        for import in &file.imports {
            add(&mut edges, tree, file, import);
        }
    }
    let mut faults = Vec::new();
    for beside in edges.values() {
        for (from, targets) in beside {
            for (to, place) in targets {
                if reaches(beside, to, from, &mut Vec::new()) {
                    faults.push(format!(
                        "{place}: `{from}` and `{to}` import each other in a circle"
                    ));
                }
            }
        }
    }
    faults
}

/// Counts an import where it leaves one folder for another beside it, below the first level of a
/// crate that states its layers.
fn add<'t>(edges: &mut Edges<'t>, tree: &'t Tree, file: &'t File, import: &'t Import) {
    let shared = file
        .module
        .iter()
        .zip(&import.path)
        .take_while(|(one, other)| one == other)
        .count();
    if shared == 0 && tree.layers.is_some() {
        return;
    }
    let is_folder = |path: &[String]| tree.folders.iter().any(|folder| folder == path);
    let (Some(from), Some(to)) = (file.module.get(..=shared), import.path.get(..=shared)) else {
        return;
    };
    if !is_folder(from) || !is_folder(to) {
        return;
    }
    let (Some((from, above)), Some(to)) = (from.split_last(), to.last()) else {
        return;
    };
    let targets = edges.entry(above).or_default().entry(from).or_default();
    targets
        .entry(to)
        .or_insert_with(|| format!("{}:{}", file.path, import.line));
}

fn reaches<'t>(
    edges: &BTreeMap<&'t str, BTreeMap<&'t str, String>>,
    from: &'t str,
    goal: &str,
    seen: &mut Vec<&'t str>,
) -> bool {
    if from == goal {
        return true;
    }
    if seen.contains(&from) {
        return false;
    }
    seen.push(from);
    let next = edges.get(from).into_iter().flat_map(BTreeMap::keys);
    next.into_iter()
        .any(|next| reaches(edges, next, goal, seen))
}
