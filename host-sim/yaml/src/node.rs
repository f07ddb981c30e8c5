//! A document: values with their places.

use std::fmt;

use serde_json::{Map, Value};

/// A line and a column in a file, both from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub at: Position,
    /// What is wrong, with the path of the value where the text itself is well formed.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(at: Position, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { at, message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.at;
        write!(f, "{} at line {line} column {column}", self.message)
    }
}

impl std::error::Error for Problem {}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A null, a boolean or a number, and how it is written.
    Plain(Value, String),
    /// A string, and how it is written.
    Text(String, Writing),
    /// The elements in their order.
    List(Vec<Node>),
    /// The members in their order; a key may stand here twice.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key as JSON has it: that of an unquoted `on` is `true`, as Kubernetes reads it.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// The key as it is written, without quotes.
    pub written: String,
    /// The value.
    pub value: Node,
}

/// How a string stands in the file, as far as the places inside it can be determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// A block (`|`).
    Block {
        /// The line of the file that its first line is.
        first_line: usize,
        /// How far its lines are indented.
        indent: usize,
    },
    /// Without quotes.
    Bare,
    /// Anything else.
    Other,
}

impl Node {
    /// A member of an object, the last of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Object(members) = &self.kind else {
            return None;
        };
        let found = members.iter().rev().find(|member| member.key == key);
        found.map(|member| &member.value)
    }

    /// The string that this is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether this is null, or nothing at all.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Plain(Value::Null, _))
    }

    /// The value as JSON has it; of a key that stands twice the last.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Plain(value, _) => value.clone(),
            Kind::Text(text, _) => Value::String(text.clone()),
            Kind::List(list) => Value::Array(list.iter().map(Self::value).collect()),
            Kind::Object(members) => {
                let members = members.iter().map(|m| (m.key.clone(), m.value.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// About how much of memory a copy takes, in values: a long string counts as several.
    pub(crate) fn size(&self) -> usize {
        let of_text = |text: &str| text.len() / 64;
        1 + match &self.kind {
            Kind::Plain(_, text) | Kind::Text(text, _) => of_text(text),
            Kind::List(list) => list.iter().map(Self::size).sum(),
            Kind::Object(members) => {
                let sizes = members
                    .iter()
                    .map(|member| of_text(&member.key) + member.value.size());
                sizes.sum()
            }
        }
    }

    /// How many lists and objects lie in each other here.
    pub(crate) fn depth(&self) -> usize {
        let deepest = match &self.kind {
            Kind::Plain(..) | Kind::Text(..) => return 0,
            Kind::List(list) => list.iter().map(Self::depth).max(),
            Kind::Object(members) => members.iter().map(|member| member.value.depth()).max(),
        };
        1 + deepest.unwrap_or_default()
    }
}
