//! A file, the policies in it, and everything that is wrong with them.

use std::collections::HashMap;
use std::path::Path;

use modgate_engine::policy::{Desk, PolicyError};
use serde_json::Value;

use super::find::{Embedded, policies};
use super::source::{Text, at_root};
use super::spans::{self, Node, Position, Writing};

/// A policy that was found in a file.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The file's name, `standard input` for `-`.
    pub(crate) file: String,
    /// Where in the file it stands, in words; `None` where it is the whole file.
    pub(crate) place: Option<String>,
    /// The policy, or what is wrong with it.
    pub(crate) desk: Result<Desk, Vec<Finding>>,
    /// The document as it was written, as JSON; null where the policy is refused.
    pub(crate) value: Value,
    places: Places,
}

/// Something to tell, with its place.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// From 1; absent where a place cannot be told.
    pub(crate) line: Option<usize>,
    /// From 1, in characters.
    pub(crate) column: Option<usize>,
    pub(crate) path: String,
    pub(crate) message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}: {}", self.path, self.message)
    }
}

/// Where what stands, by JSON path; of what lies in a string, where in the string.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) known: HashMap<String, Position>,
    /// The string's own place, and how it is written.
    outer: Option<(Position, Writing)>,
}

impl Places {
    /// The place of a JSON path, else of the nearest that stands above it.
    fn of(&self, path: &str) -> Option<Position> {
        let mut path = path;
        loop {
            if let Some(&at) = self.known.get(path) {
                return Some(self.outside(at));
            }
            let end = path.rfind(['.', '['])?;
            path = &path[..end];
        }
    }

    fn outside(&self, at: Position) -> Position {
        match self.outer {
            None => at,
            Some((_, Writing::Block { first_line, indent })) => Position {
                line: first_line + at.line - 1,
                column: indent + at.column,
            },
            Some((outer, Writing::Other)) => outer,
        }
    }
}

impl Loaded {
    /// A finding of the engine with its place in the file.
    pub(crate) fn place(&self, error: PolicyError) -> Finding {
        finding(&self.file, &self.places, error)
    }
}

pub(super) fn finding(file: &str, places: &Places, error: PolicyError) -> Finding {
    let at = places.of(&error.path);
    Finding {
        file: file.to_owned(),
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        path: error.path,
        message: error.message,
    }
}

/// Every policy in a file; `-` is standard input. A file in which none is found is one finding.
pub(crate) fn load(path: &Path) -> Vec<Loaded> {
    let failed = |finding: Finding| {
        vec![Loaded {
            file: finding.file.clone(),
            place: None,
            desk: Err(vec![finding]),
            value: Value::Null,
            places: Places::default(),
        }]
    };
    let Text { file, text, json } = match Text::open(path) {
        Ok(text) => text,
        Err(finding) => return failed(finding),
    };
    let documents = match (spans::read(&text), json) {
        (Ok(documents), _) => documents,
        // JSON that a reader of YAML does not take; without the places of what stands in it.
        (Err(_), true) => {
            let places = Places::default();
            let desk = with(Desk::from_json(text.as_bytes()), &file, &places, Vec::new());
            return vec![Loaded {
                file,
                place: None,
                value: value_of(&desk, || serde_json::from_str(&text).unwrap_or_default()),
                desk,
                places,
            }];
        }
        (Err(problem), false) => {
            return failed(at_root(&file, Some(problem.at), problem.message));
        }
    };
    let found: Vec<_> = documents.iter().flat_map(policies).collect();
    if found.is_empty() {
        let message = "no policy in it: a policy is a document of its own, or the configuration of \
                       a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy or Envoy filter";
        return failed(at_root(&file, None, message.to_owned()));
    }
    found
        .into_iter()
        .map(|found| {
            let (places, desk, value) = match found.policy {
                Embedded::Object(node) => {
                    // Only the text itself shows what a value cannot, such as a number above 2^53.
                    let text = (json && found.place.is_none()).then_some(&*text);
                    let (places, desk) = whole(&file, text, node);
                    let value = value_of(&desk, || node.value());
                    (places, desk, value)
                }
                Embedded::Text { text, at, writing } => {
                    let (places, desk) = in_string(&file, text, at, writing);
                    let value = value_of(&desk, || serde_json::from_str(text).unwrap_or_default());
                    (places, desk, value)
                }
            };
            Loaded {
                file: file.clone(),
                place: found.place,
                desk,
                value,
                places,
            }
        })
        .collect()
}

/// The one policy in a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn the_policy(path: &Path) -> Result<Desk, String> {
    load_one(path).map(|(desk, _)| desk)
}

/// The one policy in a file, and its document.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn load_one(path: &Path) -> Result<(Desk, Value), String> {
    let mut found = load(path);
    let Some(first) = found.pop().filter(|_| found.is_empty()) else {
        return Err(format!(
            "{}: several policies are in it; give one",
            path.display()
        ));
    };
    let value = first.value;
    let desk = first.desk.map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("the policy is refused\n{}", lines.join("\n"))
    });
    Ok((desk?, value))
}

type Outcome = (Places, Result<Desk, Vec<Finding>>);

/// A policy in the file's own language; `text` is its JSON where that is the whole file.
fn whole(file: &str, text: Option<&str>, node: &Node) -> Outcome {
    let mut places = Places::default();
    node.places("$", &mut places.known);
    let repeated = repeated(file, &places, node);
    let desk = match text {
        Some(text) => Desk::from_json(text.as_bytes()),
        None => Desk::from_json(node.value().to_string().as_bytes()),
    };
    let desk = with(desk, file, &places, repeated);
    (places, desk)
}

fn value_of(desk: &Result<Desk, Vec<Finding>>, written: impl FnOnce() -> Value) -> Value {
    desk.as_ref().map_or(Value::Null, |_| written())
}

/// JSON in a string of the file.
fn in_string(file: &str, text: &str, at: Position, writing: Writing) -> Outcome {
    let mut places = Places {
        known: HashMap::new(),
        outer: Some((at, writing)),
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let at = places.outside(position(&error));
        let finding = Finding {
            file: file.to_owned(),
            line: Some(at.line),
            column: Some(at.column),
            path: "$".to_owned(),
            message: format!("the string must be JSON: {error}, counted from its beginning"),
        };
        return (places, Err(vec![finding]));
    }
    if let Some(node) = spans::read(text).ok().as_ref().and_then(|all| all.first()) {
        node.places("$", &mut places.known);
    }
    let desk = with(Desk::from_json(text.as_bytes()), file, &places, Vec::new());
    (places, desk)
}

pub(super) fn repeated(file: &str, places: &Places, node: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    node.repeated("$", &mut found);
    let finding = |(path, at, message): (String, Position, String)| {
        let at = places.outside(at);
        Finding {
            file: file.to_owned(),
            line: Some(at.line),
            column: Some(at.column),
            path,
            message,
        }
    };
    found.into_iter().map(finding).collect()
}

/// What the engine says, with its places, behind what it cannot see.
fn with(
    desk: Result<Desk, Vec<PolicyError>>,
    file: &str,
    places: &Places,
    mut findings: Vec<Finding>,
) -> Result<Desk, Vec<Finding>> {
    let errors = match desk {
        Ok(desk) if findings.is_empty() => return Ok(desk),
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    for error in errors {
        let known = findings
            .iter()
            .any(|f| f.path == error.path && error.message.contains("stands twice"));
        if !known {
            findings.push(finding(file, places, error));
        }
    }
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Err(findings)
}

pub(super) fn position(error: &serde_json::Error) -> Position {
    Position {
        line: error.line().max(1),
        column: error.column().max(1),
    }
}
