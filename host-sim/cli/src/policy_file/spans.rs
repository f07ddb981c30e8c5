//! JSON and YAML read with the line and column of everything in it.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

/// A line and a column in a file, both from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// A value with its place, and the places of its members' keys.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A null, a boolean or a number.
    Plain(Value),
    /// A string, and how it was written.
    Text(String, Writing),
    List(Vec<Node>),
    /// By the members' order.
    Object(Vec<Member>),
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) value: Node,
}

/// How a string stands in the file, as far as the places inside it can be determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// A block (`|`): its first line, and how far its lines are indented.
    Block { first_line: usize, indent: usize },
    /// Anything else.
    Other,
}

/// The most values that aliases may add up to: a few lines can otherwise mean billions.
const MAX_VALUES: usize = 4_000_000;

/// How deep lists and objects may lie in each other; the engine reads no deeper.
const MAX_DEPTH: usize = 120;

/// The documents of a text, JSON or YAML. Those that are empty are left out.
///
/// Scalars are what YAML 1.1 makes of them, as Kubernetes reads it: an unquoted `on` is a boolean.
/// Aliases and merge keys are resolved.
pub(crate) fn read(text: &str) -> Result<Vec<Node>, Problem> {
    let mut reader = Reader {
        lines: text.lines().collect(),
        anchors: HashMap::new(),
        values: 0,
        stack: Vec::new(),
        documents: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem {
            at: position(*error.marker()),
            message: error.info().to_owned(),
        })?;
        reader.take(event, span)?;
    }
    let is_empty = |node: &Node| matches!(node.kind, Kind::Plain(Value::Null));
    reader.documents.retain(|node| !is_empty(node));
    Ok(reader.documents)
}

struct Reader<'t> {
    lines: Vec<&'t str>,
    anchors: HashMap<usize, Node>,
    values: usize,
    stack: Vec<Open>,
    documents: Vec<Node>,
}

/// A list or an object that has not ended.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Object(Vec<Member>, Option<(String, Position)>),
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = position(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag.suffix.to_string());
                let kind = self.scalar(text.into_owned(), style, tag.as_deref(), at);
                self.done(Node { at, kind }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(at, anchor, Content::Object(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else {
                    return Ok(());
                };
                let kind = match open.content {
                    Content::List(list) => Kind::List(list),
                    Content::Object(members, _) => Kind::Object(merged(members)?),
                };
                self.done(Node { at: open.at, kind }, open.anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(problem(at, "an alias inside the value that it refers to"));
                };
                self.values += size(&node);
                self.done(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), Problem> {
        if self.stack.len() == MAX_DEPTH {
            let message = format!("lists and objects are nested more than {MAX_DEPTH} deep");
            return Err(problem(at, message));
        }
        self.stack.push(Open {
            at,
            anchor,
            content,
        });
        Ok(())
    }

    fn done(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(problem(node.at, "too many values; aliases count in full"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.documents.push(node),
            Some(Content::List(list)) => list.push(node),
            Some(Content::Object(members, key)) => match key.take() {
                None => *key = Some((key_of(&node)?, node.at)),
                Some((key, at)) => members.push(Member {
                    key,
                    at,
                    value: node,
                }),
            },
        }
        Ok(())
    }

    fn scalar(&self, text: String, style: ScalarStyle, tag: Option<&str>, at: Position) -> Kind {
        match style {
            ScalarStyle::Plain if tag != Some("str") => plain(text),
            ScalarStyle::Literal => {
                let content = self.lines.iter().enumerate().skip(at.line - 1);
                // The span begins at the indicator or at the first line of the content.
                let first = text
                    .lines()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let blank = text
                    .lines()
                    .take_while(|line| line.trim().is_empty())
                    .count();
                let found = content.into_iter().find_map(|(i, line)| {
                    let indent = line.strip_suffix(first)?;
                    indent
                        .bytes()
                        .all(|b| b == b' ')
                        .then_some((i + 1, indent.len()))
                });
                let writing = found.map_or(Writing::Other, |(line, indent)| Writing::Block {
                    first_line: line - blank,
                    indent,
                });
                Kind::Text(text, writing)
            }
            _ => Kind::Text(text, Writing::Other),
        }
    }
}

/// What YAML 1.1 makes of a scalar without quotes, as Kubernetes' reader does.
fn plain(text: String) -> Kind {
    let value = match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Some(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Some(Value::Bool(false))
        }
        text => number(text),
    };
    value.map_or(Kind::Text(text, Writing::Other), Kind::Plain)
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    if let Ok(number) = plain.parse::<i64>() {
        return Some(number.into());
    }
    if let Some(Ok(number)) = digits
        .strip_prefix("0x")
        .map(|hex| i64::from_str_radix(hex, 16))
    {
        return Some(number.into());
    }
    let number: f64 = plain.parse().ok()?;
    Number::from_f64(number).map(Value::Number)
}

fn key_of(node: &Node) -> Result<String, Problem> {
    match &node.kind {
        Kind::Text(text, _) => Ok(text.clone()),
        // As Kubernetes does it; the engine says what is wrong with such a name.
        Kind::Plain(value) => Ok(value.to_string()),
        _ => Err(problem(node.at, "a key must be a string")),
    }
}

/// An object with its merge keys (`<<`) resolved: its own members come first, then those of each
/// merged object that are not there yet.
fn merged(members: Vec<Member>) -> Result<Vec<Member>, Problem> {
    if !members.iter().any(|member| member.key == "<<") {
        return Ok(members);
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = members.into_iter().partition(|m| m.key == "<<");
    for merge in merges {
        let sources = match merge.value.kind {
            Kind::List(list) => list,
            _ => vec![merge.value],
        };
        for source in sources {
            let Kind::Object(more) = source.kind else {
                return Err(problem(
                    merge.at,
                    "only an object, or a list of them, can be merged",
                ));
            };
            for member in more {
                if !own.iter().any(|known| known.key == member.key) {
                    own.push(member);
                }
            }
        }
    }
    Ok(own)
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::List(list) => 1 + list.iter().map(size).sum::<usize>(),
        Kind::Object(members) => 1 + members.iter().map(|m| size(&m.value)).sum::<usize>(),
        _ => 1,
    }
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn problem(at: Position, message: impl Into<String>) -> Problem {
    Problem {
        at,
        message: message.into(),
    }
}

impl Node {
    /// A member of an object, the last of that key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Object(members) = &self.kind else {
            return None;
        };
        let found = members.iter().rev().find(|member| member.key == key);
        found.map(|member| &member.value)
    }

    /// The string that this is.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The keys that stand twice in an object, with their JSON paths; a value cannot show them.
    pub(crate) fn repeated(&self, path: &str, found: &mut Vec<(String, Position, String)>) {
        match &self.kind {
            Kind::List(list) => {
                for (i, node) in list.iter().enumerate() {
                    node.repeated(&format!("{path}[{i}]"), found);
                }
            }
            Kind::Object(members) => {
                let mut seen = BTreeMap::new();
                for member in members {
                    let path = step(path, &member.key);
                    if let Some(first) = seen.insert(&member.key, member.at.line) {
                        let message = format!(
                            "the key {:?} is already defined at line {first}; control planes keep only the last",
                            member.key
                        );
                        found.push((path.clone(), member.at, message));
                    }
                    member.value.repeated(&path, found);
                }
            }
            _ => {}
        }
    }

    /// The value as JSON has it; of a key that stands twice the last.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            Kind::Plain(value) => value.clone(),
            Kind::Text(text, _) => Value::String(text.clone()),
            Kind::List(list) => Value::Array(list.iter().map(Self::value).collect()),
            Kind::Object(members) => {
                let members = members.iter().map(|m| (m.key.clone(), m.value.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// The places of everything below, by JSON path: of a member that of its key.
    pub(crate) fn places(&self, path: &str, places: &mut HashMap<String, Position>) {
        places.entry(path.to_owned()).or_insert(self.at);
        match &self.kind {
            Kind::List(list) => {
                for (i, node) in list.iter().enumerate() {
                    node.places(&format!("{path}[{i}]"), places);
                }
            }
            Kind::Object(members) => {
                for member in members {
                    let path = step(path, &member.key);
                    places.insert(path.clone(), member.at);
                    member.value.places(&path, places);
                }
            }
            _ => {}
        }
    }
}

/// A member's JSON path, written as the engine writes it.
fn step(path: &str, key: &str) -> String {
    modgate_policy::document::member_path(path, key)
}
