//! A file, the policies in it, and everything that is wrong with them.

use std::collections::HashMap;
use std::path::Path;

use envoy_wasm_scenario::shown;
use modgate_policy::document::PolicyError;
use modgate_policy::tools::PolicySource;
use plain_yaml::{Node, Position, Writing};
use serde_json::Value;

use super::find::{Embedded, policies};
use super::hints::{self, Comments};
use super::places;
use super::source::{Text, at_root};

/// A policy that was found in a file.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The file's name, `standard input` for `-`.
    pub(crate) file: String,
    /// Where in the file it stands, in words; `None` where it is the whole file.
    pub(crate) place: Option<String>,
    /// The policy, or what is wrong with it.
    pub(crate) policy_source: Result<PolicySource, Vec<Finding>>,
    /// The document as it was written, as JSON; null where the policy is refused.
    pub(crate) value: Value,
    /// What the file says otherwise than it seems to.
    pub(crate) warnings: Vec<Finding>,
    places: Places,
}

/// Something to tell, with its place.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// From 1; absent where a place cannot be determined.
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
        // Names and values of the document are in both.
        let [path, message] = [&self.path, &self.message].map(|text| shown(text, usize::MAX));
        write!(f, ": {path}: {message}")
    }
}

/// Where what stands, by JSON path; of what lies in a string, where in the string.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) known: HashMap<String, Position>,
    /// The strings' own places, the outermost first, and how they are written.
    outer: Vec<(Position, Writing)>,
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
        self.outer.iter().rev().fold(at, |at, outer| match *outer {
            (_, Writing::Block { first_line, indent }) => Position {
                line: first_line + at.line - 1,
                column: indent + at.column,
            },
            (outer, Writing::Bare | Writing::Other) => outer,
        })
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
    match Text::open(path) {
        Ok(text) => load_text(text),
        Err(finding) => failed(finding),
    }
}

/// What the filter reads of a policy's file: JSON as it stands, else the document of the one policy in it.
///
/// # Errors
/// Everything that is wrong with it, with its places, in one line.
pub(crate) fn as_json(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return Ok(bytes.to_owned());
    }
    let loaded = match Text::of(path, bytes.to_owned()) {
        Ok(text) => load_text(text),
        Err(finding) => failed(finding),
    };
    let [one] = loaded.as_slice() else {
        return Err(SEVERAL.to_owned());
    };
    match &one.policy_source {
        Ok(_) => Ok(one.value.to_string().into_bytes()),
        Err(findings) => {
            let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
            Err(findings.join("; "))
        }
    }
}

const SEVERAL: &str = "it contains several policies; give only one";

fn failed(finding: Finding) -> Vec<Loaded> {
    vec![Loaded {
        file: finding.file.clone(),
        place: None,
        policy_source: Err(vec![finding]),
        value: Value::Null,
        warnings: Vec::new(),
        places: Places::default(),
    }]
}

fn load_text(Text { file, text, json }: Text) -> Vec<Loaded> {
    let documents = match (plain_yaml::parse(&text), json) {
        (Ok(documents), _) => documents,
        // JSON that a reader of YAML does not take; without the places of what stands in it.
        (Err(_), true) => {
            let places = Places::default();
            let policy_source = with(
                PolicySource::from_json(text.as_bytes()),
                &file,
                &places,
                Vec::new(),
            );
            return vec![Loaded {
                file,
                place: None,
                value: value_of(&policy_source, || {
                    serde_json::from_str(&text).unwrap_or_default()
                }),
                policy_source,
                warnings: Vec::new(),
                places,
            }];
        }
        (Err(problem), false) => {
            let message = hints::of_template(&text, problem.message);
            return failed(at_root(&file, Some(problem.at), message));
        }
    };
    let found: Vec<_> = documents.iter().flat_map(policies).collect();
    if found.is_empty() {
        let message = "it contains no policy: a policy is a document of its own, a string of a ConfigMap, or \
                       the configuration of a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy or \
                       Envoy filter";
        let message = hints::of_template(&text, message.to_owned());
        return failed(at_root(&file, None, message));
    }
    found
        .into_iter()
        .map(|found| {
            let (places, policy_source, value) = match found.policy {
                Embedded::Object(node) => {
                    // Only the text itself shows what a value cannot, such as a number above 2^53.
                    let exact = (json && found.place.is_none()).then_some(&*text);
                    // What stands in a string is written as that string's lines are.
                    let lines = if found.outer.is_empty() { &*text } else { "" };
                    whole(&file, exact, lines, &node, found.outer)
                }
                Embedded::Text { text, yaml } => in_string(&file, &text, found.outer, yaml),
            };
            let (policy_source, warnings) = match policy_source {
                Ok((policy_source, warnings)) => (Ok(policy_source), warnings),
                Err(findings) => (Err(findings), Vec::new()),
            };
            let value = policy_source.as_ref().map_or(Value::Null, |_| value);
            Loaded {
                file: file.clone(),
                place: found.place,
                policy_source,
                value,
                warnings,
                places,
            }
        })
        .collect()
}

/// The one policy in a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn the_policy(path: &Path) -> Result<PolicySource, String> {
    load_one(path).map(|(policy_source, _)| policy_source)
}

/// The one policy in a file, and its document.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn load_one(path: &Path) -> Result<(PolicySource, Value), String> {
    one_of(path, load(path))
}

fn one_of(path: &Path, mut found: Vec<Loaded>) -> Result<(PolicySource, Value), String> {
    let Some(first) = found.pop().filter(|_| found.is_empty()) else {
        return Err(format!("{}: {SEVERAL}", path.display()));
    };
    let value = first.value;
    let policy_source = first.policy_source.map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("the policy is refused\n{}", lines.join("\n"))
    });
    Ok((policy_source?, value))
}

/// A policy with what is said of its file, or what is wrong with it.
type Read = Result<(PolicySource, Vec<Finding>), Vec<Finding>>;

type Outcome = (Places, Read, Value);

/// A policy in the file's own language; `text` is its JSON where that is the whole file, and `lines` how
/// it is written where it is not.
fn whole(
    file: &str,
    text: Option<&str>,
    lines: &str,
    node: &Node,
    outer: Vec<(Position, Writing)>,
) -> Outcome {
    let mut places = Places {
        known: HashMap::new(),
        outer,
    };
    places::of(node, "$", &mut places.known);
    let mut findings = repeated(file, &places, node);
    let value = node.value();
    let (policy_source, comments) = match text {
        Some(text) => (
            PolicySource::from_json(text.as_bytes()),
            Comments::default(),
        ),
        None => (
            PolicySource::from_json(value.to_string().as_bytes()),
            hints::of_comments(lines, node),
        ),
    };
    let told = |said: Vec<(String, Position, String)>| -> Vec<Finding> {
        said.into_iter()
            .map(|(path, at, message)| Finding {
                file: file.to_owned(),
                line: Some(places.outside(at).line),
                column: Some(places.outside(at).column),
                path,
                message,
            })
            .collect()
    };
    findings.extend(told(comments.instead_of_values));
    let warnings = told(comments.behind_values);
    let policy_source =
        with(policy_source, file, &places, findings).map(|policy_source| (policy_source, warnings));
    (places, policy_source, value)
}

fn value_of(
    policy_source: &Result<PolicySource, Vec<Finding>>,
    written: impl FnOnce() -> Value,
) -> Value {
    policy_source.as_ref().map_or(Value::Null, |_| written())
}

/// A policy in a string of the file.
fn in_string(file: &str, text: &str, outer: Vec<(Position, Writing)>, yaml: bool) -> Outcome {
    let places = Places {
        known: HashMap::new(),
        outer,
    };
    let refused = |at: Position, message: String| {
        let at = places.outside(at);
        Err(vec![at_root(file, Some(at), message)])
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let refusal = if yaml {
            match plain_yaml::parse(text) {
                Ok(documents) if documents.len() == 1 => {
                    return whole(file, None, text, &documents[0], places.outer);
                }
                Ok(documents) => {
                    let second = documents.get(1).map(|second| second.at);
                    let at = second.unwrap_or(Position { line: 1, column: 1 });
                    refused(at, "the string must be one document".to_owned())
                }
                Err(problem) => refused(problem.at, problem.message),
            }
        } else {
            let message =
                format!("the string must be JSON: {error} (counted from the start of the string)");
            refused(position(&error), message)
        };
        return (places, refusal, Value::Null);
    }
    let mut places = places;
    if let Some(node) = plain_yaml::parse(text)
        .ok()
        .as_ref()
        .and_then(|all| all.first())
    {
        places::of(node, "$", &mut places.known);
    }
    let policy_source = with(
        PolicySource::from_json(text.as_bytes()),
        file,
        &places,
        Vec::new(),
    );
    let value = serde_json::from_str(text).unwrap_or_default();
    (
        places,
        policy_source.map(|policy_source| (policy_source, Vec::new())),
        value,
    )
}

pub(super) fn repeated(file: &str, places: &Places, node: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    places::repeated(node, "$", &mut found);
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
    policy_source: Result<PolicySource, Vec<PolicyError>>,
    file: &str,
    places: &Places,
    mut findings: Vec<Finding>,
) -> Result<PolicySource, Vec<Finding>> {
    let errors = match policy_source {
        Ok(policy_source) if findings.is_empty() => return Ok(policy_source),
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    for error in errors {
        let known = findings
            .iter()
            .any(|f| f.path == error.path && error.message.contains("is in this object twice"));
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
