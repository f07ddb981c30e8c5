//! The dashboards, read as Grafana reads them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tools::root;

/// A dashboard.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its file.
    pub file: PathBuf,
    /// The whole of it.
    pub json: Value,
}

/// Something that a dashboard asks of Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Dashboard, panel and letter, for messages.
    pub place: String,
    /// The expression, with Grafana's variables in it.
    pub expression: String,
    /// Whether only the value at the end of the time shown is asked for.
    pub instant: bool,
}

/// A series of an answer. Points that are no number are left out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Series {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Times in seconds since 1970, and values.
    pub points: Vec<(f64, f64)>,
}

/// What the queries of all dashboards brought, from which pictures are drawn.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Answers {
    /// The time shown, in seconds since 1970.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// The series of each query, by its place.
    pub series: BTreeMap<String, Vec<Series>>,
}

/// All committed dashboards, by name.
///
/// # Panics
/// Where one cannot be read or shows nothing, or none is there: a test that loops over them would pass.
pub fn boards() -> Vec<Board> {
    boards_in(&root().join("grafana/dashboards"))
}

fn boards_in(folder: &Path) -> Vec<Board> {
    let files = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let path = |file: io::Result<fs::DirEntry>| file.map(|file| file.path());
    let files: Result<Vec<PathBuf>, io::Error> = files.map(path).collect();
    let mut files = files.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let json =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let board = Board { file, json };
        let asks = !board.queries().is_empty();
        assert!(asks, "{} has no query", board.file.display());
        board
    };
    let boards: Vec<Board> = files.into_iter().map(read).collect();
    assert!(!boards.is_empty(), "{} is empty", folder.display());
    boards
}

/// Runs the program that makes the dashboards.
///
/// # Panics
/// Where it cannot be run at all.
pub fn make(catalogue: &Path, into: &Path) -> Output {
    let model = root().join(".tools/opt/dashboards/wheel");
    assert!(
        model.exists(),
        "Grafana's model of dashboards is not there; run `make setup`, which puts it into .tools/opt"
    );
    Command::new("python3")
        .arg("-B")
        .arg(root().join("grafana/generate"))
        .arg(catalogue)
        .arg(into)
        .env("PYTHONPATH", model)
        .output()
        .unwrap_or_else(|e| panic!("python3 cannot be run: {e}"))
}

impl Board {
    /// The address that links use.
    pub fn uid(&self) -> &str {
        text(&self.json["uid"])
    }

    /// Rows and panels on the open page.
    pub fn top(&self) -> &[Value] {
        list(&self.json["panels"])
    }

    /// All panels, those in folded rows too, without the rows.
    pub fn panels(&self) -> Vec<&Value> {
        let all = self.top().iter();
        let all = all.flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"])));
        all.filter(|panel| panel["type"] != "row").collect()
    }

    /// The variables.
    pub fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    /// What the panels ask, and the annotations.
    pub fn queries(&self) -> Vec<Query> {
        let of_panel = |panel: &Value| -> Vec<Query> {
            let title = text(&panel["title"]).to_owned();
            let query = |target: &Value| Query {
                place: format!("{}: {title}: {}", self.uid(), text(&target["refId"])),
                expression: text(&target["expr"]).to_owned(),
                instant: target["instant"] == true,
            };
            list(&panel["targets"]).iter().map(query).collect()
        };
        let annotation = |annotation: &Value| Query {
            place: format!("{}: {}", self.uid(), text(&annotation["name"])),
            expression: text(&annotation["expr"]).to_owned(),
            instant: false,
        };
        let panels = self.panels();
        let of_panels = panels.into_iter().flat_map(of_panel);
        let annotations = list(&self.json["annotations"]["list"]).iter();
        of_panels.chain(annotations.map(annotation)).collect()
    }
}

impl Series {
    /// The last value.
    ///
    /// # Panics
    /// Where it has no points.
    pub fn last(&self) -> f64 {
        self.points
            .last()
            .map_or_else(|| panic!("no points: {self:?}"), |(_, value)| *value)
    }

    /// The mean of the values in a time.
    pub fn mean(&self, from: f64, to: f64) -> f64 {
        let inside = self.points.iter().filter(|(at, _)| (from..to).contains(at));
        let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// A text; empty where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A list; empty where there is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "is empty")]
    fn a_folder_without_dashboards_is_no_dashboards() {
        boards_in(tempfile::tempdir().unwrap().path());
    }

    #[test]
    #[should_panic(expected = "has no query")]
    fn a_dashboard_without_queries_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.json"), "{}").unwrap();
        boards_in(folder.path());
    }
}
