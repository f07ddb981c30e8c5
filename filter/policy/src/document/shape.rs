//! From JSON to the document's types, past every mistake.
//!
//! What has another shape is noted and made good with something harmless, so that reading goes on and
//! finds the next mistake. What only follows from what was made good is not reported.

use serde_json::{Map, Value};

use super::Document;
use super::error::{Path, PolicyError};
use super::place::{Step, path_of};
use super::reader::{self, Source};
use super::suggest::did_you_mean;

/// The most mistakes of shape that are reported for one document: it is read anew behind each.
const MAX_ERRORS: usize = 100;

/// The most times that a document is read.
const MAX_READINGS: usize = 5 * MAX_ERRORS;

/// The most bytes that are read again and again, so that a large document that is wrong in many places
/// does not hold up a proxy's start.
const MAX_BYTES_READ: usize = 256 << 20;

/// The least times that a document is read, however large.
const MIN_READINGS: usize = 8;

/// What is tried, one after the other, in the place of a value of the wrong shape.
const STAND_INS: usize = 4;

/// A document as far as it could be read.
#[derive(Debug)]
pub(crate) struct Shape {
    /// With something harmless in the place of what could not be read; `None` where nothing helps.
    pub(crate) document: Option<Document>,
    /// What has another shape than it should have.
    pub(crate) errors: Vec<PolicyError>,
    pub(crate) doubts: Doubts,
}

/// The places where the document says something else than was written.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Vec<Doubt>);

#[derive(Debug)]
struct Doubt {
    at: Path,
    kind: DoubtKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DoubtKind {
    /// A value that stands in for another; how many were tried.
    Placeholder(usize),
    /// A key that nobody knows, taken for the one that was probably meant.
    Renamed,
    /// A key that nobody knows, dropped: what its object lacks may have been meant by it.
    Dropped,
}

/// Reads the shape of a document that has so many bytes. `errors` is never empty where `document` is
/// `None`.
pub(super) fn read(mut value: Value, bytes: usize) -> Shape {
    let mut shape = Shape {
        document: None,
        errors: Vec::new(),
        doubts: Doubts::default(),
    };
    let readings = (MAX_BYTES_READ / bytes.max(1)).clamp(MIN_READINGS, MAX_READINGS);
    for _ in 0..readings {
        let (steps, error) = match reader::read(Source::Value(&value)) {
            Ok(document) => {
                shape.document = Some(document);
                return shape;
            }
            Err(error) => error,
        };
        if !shape.mend(&mut value, &steps, &error.to_string()) {
            return shape;
        }
        if shape.errors.len() >= MAX_ERRORS {
            break;
        }
    }
    let message = format!(
        "the check stopped after {} errors; there may be more",
        shape.errors.len()
    );
    shape.errors.push(PolicyError::at_root(message));
    shape
}

impl Doubts {
    /// Whether an error of meaning was surely in what was written, and not in what stands in for it.
    pub(crate) fn leave(&self, error: &PolicyError) -> bool {
        !self.0.iter().any(|doubt| {
            let at = doubt.at.as_str();
            let near = is_within(&error.path, at) || is_within(at, &error.path);
            let beside = doubt.kind == DoubtKind::Dropped
                && parent(&error.path).is_some_and(|object| Some(object) == parent(at));
            let names = match at {
                "$.tenants" => "no tenant ",
                "$.rules" => "no rule set ",
                "$.backends" => "no backend ",
                "$.identity" => "no source ",
                _ => return near || beside,
            };
            near || beside || error.message.starts_with(names)
        })
    }
}

impl Shape {
    /// Notes an error and makes its place good; `false` where that cannot be.
    fn mend(&mut self, value: &mut Value, steps: &[Step], message: &str) -> bool {
        let at = path_of(steps);
        if let Some(key) = quoted(message, "missing field ") {
            let Some(Value::Object(object)) = find(value, steps) else {
                return false;
            };
            let place = at.key(key);
            if object.contains_key(key) {
                return false;
            }
            object.insert(key.to_owned(), placeholder(0, message));
            self.note(at, format!("missing field `{key}`"));
            self.doubts.0.push(Doubt {
                at: place,
                kind: DoubtKind::Placeholder(1),
            });
            return true;
        }
        if let (Some((Step::Key(key), object)), true) =
            (steps.split_last(), message.starts_with("unknown field "))
        {
            let Some(Value::Object(object)) = find(value, object) else {
                return false;
            };
            return self.mend_key(object, key, at, message);
        }
        let Some(place) = find(value, steps) else {
            return false;
        };
        let known = self
            .doubts
            .0
            .iter_mut()
            .find(|doubt| doubt.at.as_str() == at.as_str());
        if let Some(Doubt {
            kind: DoubtKind::Placeholder(tried),
            ..
        }) = known
        {
            if *tried > STAND_INS {
                return false;
            }
            *place = placeholder(*tried, message);
            *tried += 1;
            return true;
        }
        let said = match (&*place, message.starts_with("unknown variant ")) {
            (Value::String(found), true) => {
                format!("{message}{}", did_you_mean(found, quotes(message).skip(1)))
            }
            _ => message.to_owned(),
        };
        *place = placeholder(0, message);
        self.note(at.clone(), said);
        self.doubts.0.push(Doubt {
            at,
            kind: DoubtKind::Placeholder(1),
        });
        true
    }

    fn mend_key(
        &mut self,
        object: &mut Map<String, Value>,
        key: &str,
        at: Path,
        message: &str,
    ) -> bool {
        let Some(member) = object.remove(key) else {
            return false;
        };
        let known = message.strip_prefix(&format!("unknown field `{key}`"));
        let known: Vec<&str> = quotes(known.unwrap_or_default()).collect();
        let hint = did_you_mean(key, known.iter().copied());
        let meant = known
            .into_iter()
            .find(|known| hint.contains(&format!("{known:?}")) && !object.contains_key(*known));
        let kind = match meant {
            Some(meant) => {
                object.insert(meant.to_owned(), member);
                DoubtKind::Renamed
            }
            None => DoubtKind::Dropped,
        };
        self.note(at.clone(), format!("{message}{hint}"));
        self.doubts.0.push(Doubt { at, kind });
        true
    }

    /// Keeps an error that does not lie in what stands in for something else.
    fn note(&mut self, at: Path, message: impl Into<String>) {
        let follows = self.doubts.0.iter().any(|doubt| {
            matches!(doubt.kind, DoubtKind::Placeholder(_))
                && is_within(at.as_str(), doubt.at.as_str())
        });
        if !follows {
            self.errors.push(at.error(message));
        }
    }
}

/// What is put in the place of something else at the nth attempt. An enumeration's message names the
/// values that it has.
fn placeholder(attempt: usize, message: &str) -> Value {
    if message.starts_with("unknown variant ") {
        if let Some(variant) = quotes(message).nth(1) {
            return Value::String(variant.to_owned());
        }
    }
    match attempt {
        0 => Value::Object(Map::new()),
        1 => Value::Array(Vec::new()),
        2 => Value::String(String::new()),
        _ => Value::Bool(false),
    }
}

fn find<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    let mut found = value;
    for step in steps {
        found = match step {
            Step::Index(index) => found.get_mut(*index)?,
            Step::Key(key) => found.get_mut(key.as_str())?,
        };
    }
    Some(found)
}

/// Whether a JSON path is another or lies below it.
fn is_within(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The object that a member's path lies in; the last step of a path is its last `.name` or `[...]`.
fn parent(path: &str) -> Option<&str> {
    let end = match path.strip_suffix("']") {
        Some(rest) => rest.rfind("['")?,
        None => path.rfind(['.', '['])?,
    };
    path.get(..end)
}

/// The text between the backticks that follow a message's beginning.
fn quoted<'m>(message: &'m str, beginning: &str) -> Option<&'m str> {
    message
        .strip_prefix(beginning)?
        .strip_prefix('`')?
        .strip_suffix('`')
}

/// The texts between backticks.
fn quotes(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}
