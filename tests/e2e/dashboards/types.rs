//! The dashboards by the types that Grafana publishes of itself, of versions 10 to 13: a key that a version
//! does not have, or a value that it does not know, is an error of the compiler.

use std::fs;
use std::path::Path;
use std::process::Command;

use modgate_harness::grafana::{Board, boards, text};
use modgate_harness::tools::{root, tool};
use serde_json::Value;

const VERSIONS: [&str; 4] = ["10", "11", "12", "13"];

/// The kinds of panels whose options have a type, and its module.
const KINDS: [(&str, &str); 7] = [
    ("bargauge", "BarGauge"),
    ("heatmap", "Heatmap"),
    ("stat", "Stat"),
    ("state-timeline", "StateTimeline"),
    ("status-history", "StatusHistory"),
    ("table", "Table"),
    ("timeseries", "TimeSeries"),
];

/// What is in an annotation for the Prometheus data source, whose part of it has no type.
const ANNOTATION: [&str; 5] = ["expr", "step", "tagKeys", "textFormat", "titleFormat"];

/// What the Foundation SDK gives every variable, and only one for intervals has by these types.
const VARIABLE: [&str; 3] = ["auto", "auto_min", "auto_count"];

/// Enumerations by their values, as JSON has them. `Some` may leave things out, for which Grafana has
/// defaults.
const PLAIN: &str = "
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Some<T> = T extends string ? `${T}` : T extends (infer E)[] ? Some<E>[]
  : T extends object ? { [K in keyof T]?: Some<T[K]> } : T;
";

/// Without what has no type.
fn typed(board: &Board) -> Value {
    let mut json = board.json.clone();
    for (list, untyped) in [
        ("/annotations/list", &ANNOTATION[..]),
        ("/templating/list", &VARIABLE[..]),
    ] {
        let items = json.pointer_mut(list).and_then(Value::as_array_mut);
        for item in items.unwrap() {
            let item = item.as_object_mut().unwrap();
            item.retain(|key, _| !untyped.contains(&key.as_str()));
        }
    }
    json
}

/// A program that says of each dashboard, and of the options and looks of each panel, which type it has.
fn program(version: &str, boards: &[Board]) -> String {
    let mut lines = vec![
        "import type { Dashboard } from '@grafana/schema';".to_owned(),
        PLAIN.to_owned(),
    ];
    // Its package lists its files by their whole names.
    let end = if version == "11" { ".d.ts" } else { "" };
    for (kind, name) in KINDS {
        let folder = kind.replace('-', "");
        lines.push(format!(
            "import type * as {name} from '@grafana/schema/dist/esm/raw/composable/{folder}/panelcfg/x/\
             {name}PanelCfg_types.gen{end}';"
        ));
    }
    for (number, board) in boards.iter().enumerate() {
        lines.push(format!(
            "export const board{number}: Plain<Dashboard> = {};",
            typed(board)
        ));
        for (at, panel) in board.panels().into_iter().enumerate() {
            let kind = text(&panel["type"]);
            let known = KINDS.iter().find(|(known, _)| *known == kind);
            let (_, name) = known.unwrap_or_else(|| panic!("no type of {kind}"));
            // Tables have what is the default, and so nothing.
            if let Some(options) = panel.get("options") {
                let name = format!("options{number}_{at}: Some<{name}.Options>");
                lines.push(format!("export const {name} = {options};"));
            }
            if let Some(custom) = panel.pointer("/fieldConfig/defaults/custom") {
                let name = format!("look{number}_{at}: Some<{name}.FieldConfig>");
                lines.push(format!("export const {name} = {custom};"));
            }
        }
    }
    lines.join("\n")
}

/// What the compiler has to say of these dashboards in a version; empty where it is content.
fn complaints(version: &str, boards: &[Board], dir: &Path) -> String {
    let installed = root().join(".tools/opt/types/node_modules");
    assert!(
        installed.exists(),
        "Grafana's types are not there; run `make setup`, which puts them into .tools/opt"
    );
    let dir = dir.join(version);
    let named = dir.join("node_modules/@grafana");
    fs::create_dir_all(&named).unwrap();
    let schema = installed.join(format!("grafana-schema-{version}"));
    // Its files know each other by this name.
    std::os::unix::fs::symlink(schema, named.join("schema")).unwrap();
    let file = dir.join("boards.ts");
    fs::write(&file, program(version, boards)).unwrap();
    let output = Command::new(tool("node"))
        .arg(installed.join("typescript/lib/tsc.js"))
        .args([
            "--noEmit",
            "--strict",
            "--skipLibCheck",
            "--preserveSymlinks",
        ])
        .args(["--allowImportingTsExtensions", "--target", "es2022"])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{output:?}");
    said
}

#[test]
fn grafanas_own_types_of_four_versions_take_every_dashboard() {
    let dir = tempfile::tempdir().unwrap();
    let boards = boards();
    assert!(boards.len() >= 6);
    for version in VERSIONS {
        let said = complaints(version, &boards, dir.path());
        assert!(said.is_empty(), "Grafana {version}: {said}");
    }
}

#[test]
fn a_key_or_value_that_a_grafana_does_not_know_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = boards().swap_remove(0);
    let panels = board.json["panels"].as_array_mut().unwrap();
    let stat = panels.iter_mut().find(|panel| panel["type"] == "stat");
    let stat = stat.unwrap();
    stat["options"]["graphMode"] = "curve".into();
    stat["fieldConfig"]["defaults"]["units"] = "ms".into();
    stat["gridPos"]["width"] = 3.into();
    for version in VERSIONS {
        let said = complaints(version, std::slice::from_ref(&board), dir.path());
        for wrong in ["'\"curve\"'|\"curve\"", "units", "width"] {
            let is_said = wrong.split('|').any(|wrong| said.contains(wrong));
            assert!(is_said, "Grafana {version}: {wrong}: {said}");
        }
    }
}
