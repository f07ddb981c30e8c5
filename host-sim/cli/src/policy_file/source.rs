//! A file as text, and as one document with the place of everything in it.

use std::path::Path;

use modgate_policy::document::PolicyError;
use plain_yaml::{Node, Position};

use super::load::{Finding, Places, finding, position, repeated};
use super::{places, text};

/// A file that was read.
#[derive(Debug)]
pub(super) struct Text {
    /// Its name, `standard input` for `-`.
    pub(super) file: String,
    pub(super) text: String,
    /// Whether it is JSON, and not only YAML.
    pub(super) json: bool,
}

impl Text {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// What cannot be read, is no UTF-8, or is no JSON where it must be.
    pub(super) fn open(path: &Path) -> Result<Self, Finding> {
        let bytes = text::bytes(path).map_err(|error| {
            at_root(&text::name(path), None, format!("cannot be read: {error}"))
        })?;
        Self::of(path, bytes)
    }

    /// The same of bytes that were read already.
    ///
    /// # Errors
    /// As [`Text::open`].
    pub(super) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, Finding> {
        let file = text::name(path);
        let text = text::decode(bytes).map_err(|error| {
            let at = Position {
                line: error.line,
                column: 1,
            };
            at_root(&file, Some(at), error.message)
        })?;
        let json = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        if let (Err(error), true) = (&json, is_json(path, &text)) {
            return Err(at_root(&file, Some(position(error)), error.to_string()));
        }
        let json = json.is_ok();
        Ok(Self { file, text, json })
    }
}

/// A file that is one document, and no policy yet.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) document: Node,
    places: Places,
}

impl Source {
    /// Reads a file, JSON or YAML.
    ///
    /// # Errors
    /// What is no document, or more than one, and keys that stand twice.
    pub(crate) fn read(path: &Path) -> Result<Self, Vec<Finding>> {
        let Text { file, text, .. } = Text::open(path).map_err(|finding| vec![finding])?;
        let failed = |at, message: &str| vec![at_root(&file, at, message.to_owned())];
        let mut documents = plain_yaml::parse(&text)
            .map_err(|problem| failed(Some(problem.at), &problem.message))?;
        let document = match (documents.pop(), documents.is_empty()) {
            (Some(document), true) => document,
            (None, _) => return Err(failed(None, "it is empty; an empty document is written {}")),
            (Some(second), false) => {
                return Err(failed(
                    Some(second.at),
                    "there is a second document; give only one",
                ));
            }
        };
        let mut places = Places::default();
        places::of(&document, "$", &mut places.known);
        let repeated = repeated(&file, &places, &document);
        if !repeated.is_empty() {
            return Err(repeated);
        }
        Ok(Self {
            file,
            document,
            places,
        })
    }

    /// What is to be told of a place in it.
    pub(crate) fn finding(&self, error: PolicyError) -> Finding {
        finding(&self.file, &self.places, error)
    }
}

/// What is to be told of a file as a whole.
pub(super) fn at_root(file: &str, at: Option<Position>, message: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        path: "$".to_owned(),
        message,
    }
}

/// Whether a file must be JSON: YAML would take what the filter refuses, such as a comma too many.
fn is_json(path: &Path, text: &str) -> bool {
    let by_name = path
        .extension()
        .is_some_and(|extension| extension == "json");
    by_name || (path == Path::new("-") && text.trim_start().starts_with('{'))
}
