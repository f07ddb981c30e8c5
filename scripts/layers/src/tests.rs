//! Small workspaces with one fault planted in each: what the check says of it, and that it says
//! nothing of the same workspace without it.

use std::fs;
use std::path::Path;

use super::check;

const SOUND: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = ['low', 'high']\nresolver = '3'\n[workspace.metadata]\nlayers = ['low', 'high']\n",
    ),
    ("low/Cargo.toml", "[package]\nname = 'low'\n"),
    ("low/src/lib.rs", ""),
    (
        "high/Cargo.toml",
        "[package]\nname = 'high'\n[dependencies]\nlow = { path = '../low' }\n",
    ),
    (
        "high/src/lib.rs",
        "//! Layers, lowest first: `ground`,\n//! upper.\nmod ground;\nmod upper;\n",
    ),
    (
        "high/src/ground/mod.rs",
        "mod a;\nmod b;\n/// See [`crate::upper`].\npub struct Stone;\n",
    ),
    ("high/src/ground/a/mod.rs", "use crate::ground::Stone;\n"),
    ("high/src/ground/b/mod.rs", "use super::a::Brick;\n"),
    (
        "high/src/upper/mod.rs",
        "use crate::ground::{self, Stone};\nuse low::Sand;\npub(crate) mod c;\n",
    ),
    (
        "high/src/upper/c.rs",
        "pub(super) fn build() { super::super::ground::lay(); crate::say!() }\n",
    ),
];

#[test]
fn a_workspace_without_a_fault_passes() {
    assert_eq!(faults(&[]), Vec::<String>::new());
}

#[test]
fn every_planted_fault_is_reported_with_its_place() {
    let rows: &[(&str, &str, &str, &str)] = &[
        (
            "use of a layer above",
            "high/src/ground/mod.rs",
            "mod a;\nmod b;\nuse crate::upper::Roof;\n",
            "high/src/ground/mod.rs:3: `ground` must not import `upper`, which is above it (high/src/lib.rs)",
        ),
        (
            "in a group, over several lines",
            "high/src/ground/a/mod.rs",
            "use crate::{\n    ground::Stone,\n    upper::{self, Roof},\n};\n",
            "high/src/ground/a/mod.rs:3: `ground` must not import `upper`, which is above it (high/src/lib.rs)",
        ),
        (
            "without use, in an expression",
            "high/src/ground/a/mod.rs",
            "fn lay() { let _ = vec![crate::upper::roof()]; }\n",
            "high/src/ground/a/mod.rs:1: `ground` must not import `upper`, which is above it (high/src/lib.rs)",
        ),
        (
            "by super, out of a test inside a file",
            "high/src/ground/a/mod.rs",
            "mod tests {\n    use super::super::super::upper::Roof;\n}\n",
            "high/src/ground/a/mod.rs:2: `ground` must not import `upper`, which is above it (high/src/lib.rs)",
        ),
        (
            "an item of lib.rs, which may come from anywhere",
            "high/src/ground/a/mod.rs",
            "use crate::Roof;\n",
            "high/src/ground/a/mod.rs:1: `crate::Roof` is not a module: name the module that holds it",
        ),
        (
            "folders inside a folder",
            "high/src/ground/a/mod.rs",
            "use crate::ground::b::Mortar;\n",
            "high/src/ground/a/mod.rs:1: `a` and `b` import each other in a circle",
        ),
        (
            "a module that the layers forget",
            "high/src/lib.rs",
            "//! Layers, lowest first: ground.\n",
            "high/src/lib.rs: the layers do not name `upper`",
        ),
        (
            "folders, and no order",
            "high/src/lib.rs",
            "//! A house.\n",
            "high/src/lib.rs: states no order: `Layers, lowest first: ...`",
        ),
        (
            "a crate that depends on one above it",
            "low/Cargo.toml",
            "[package]\nname = 'low'\n[dev-dependencies]\nhigh = { path = '../high' }\n",
            "Cargo.toml: low must not depend on high, which is above it",
        ),
        (
            "a crate without a place",
            "Cargo.toml",
            "[workspace]\nmembers = ['low', 'high']\nresolver = '3'\n[workspace.metadata]\nlayers = ['low']\n",
            "Cargo.toml: [workspace.metadata] layers does not name high",
        ),
    ];
    let missed: Vec<String> = rows
        .iter()
        .filter_map(|(name, file, text, expected)| {
            let faults = faults(&[(*file, *text)]);
            (!faults.iter().any(|fault| fault == expected)).then(|| format!("{name}: {faults:?}"))
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

fn faults(changes: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in SOUND.iter().chain(changes) {
        write(&folder.path().join(path), text);
    }
    check(&folder.path().canonicalize().unwrap()).unwrap()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
