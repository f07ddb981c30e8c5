//! From the parser's events to documents.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use crate::node::{Kind, Member, Node, Position, Problem, Writing};
use crate::scalar::plain;

/// The most values that aliases may add up to: a few lines can otherwise mean billions.
const MAX_VALUES: usize = 4_000_000;

/// How deep lists and objects may lie in each other: as deep as `serde_json` reads them, about.
const MAX_DEPTH: usize = 120;

/// The documents of a text, JSON or YAML. Those that are empty are left out.
///
/// # Errors
/// The first thing that cannot be read: what is not YAML, what is nested too deep, aliases that add up to
/// too much, keys that are not scalars, tags that would make another value of a text (`!!binary`).
pub fn parse(text: &str) -> Result<Vec<Node>, Problem> {
    let mut reader = Reader {
        lines: text.lines().collect(),
        anchors: HashMap::new(),
        values: 0,
        stack: Vec::new(),
        documents: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Problem::new(position(*error.marker()), error.info()))?;
        reader.take(event, span)?;
    }
    reader.documents.retain(|node| !node.is_null());
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
    Object(Members),
}

/// The members of an object until now.
#[derive(Default)]
struct Members {
    own: Vec<Member>,
    /// The values of its merge keys, with the keys' places.
    merged: Vec<(Position, Node)>,
    /// The key whose value is next.
    key: Option<Node>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = position(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(text.into_owned(), style, tag.as_deref(), at)?;
                self.done(Node { at, kind }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(at, anchor, Content::Object(Members::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else {
                    return Ok(());
                };
                let kind = match open.content {
                    Content::List(list) => Kind::List(list),
                    Content::Object(members) => Kind::Object(members.merge()?),
                };
                self.done(Node { at: open.at, kind }, open.anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    let message = "an alias inside the value that it refers to";
                    return Err(Problem::new(at, message));
                };
                self.values += node.size();
                if self.values > MAX_VALUES {
                    return Err(too_many(at));
                }
                if self.stack.len() + node.depth() > MAX_DEPTH {
                    return Err(too_deep(at));
                }
                let node = node.clone();
                self.done(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), Problem> {
        if self.stack.len() == MAX_DEPTH {
            return Err(too_deep(at));
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
            return Err(too_many(node.at));
        }
        if anchor > 0 {
            self.values += node.size();
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.documents.push(node),
            Some(Content::List(list)) => list.push(node),
            Some(Content::Object(members)) => members.take(node)?,
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: String,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: Position,
    ) -> Result<Kind, Problem> {
        let standard = tag.filter(|tag| tag.is_yaml_core_schema());
        let standard = standard.map(|tag| tag.suffix.as_str());
        match (standard, style) {
            // Readers that know these make another value of the text than stands there.
            (Some("int" | "float" | "bool" | "null"), ScalarStyle::Plain) | (Some("str"), _) => {}
            (Some(name), _) => {
                let message = format!("the tag !!{name} is not supported; write the value itself");
                return Err(Problem::new(at, message));
            }
            (None, _) => {}
        }
        Ok(match style {
            ScalarStyle::Plain if standard != Some("str") => plain(text),
            ScalarStyle::Literal => self.literal(text, at),
            _ => Kind::Text(text, Writing::Other),
        })
    }

    /// A block; its place is where the same lines are found.
    fn literal(&self, text: String, at: Position) -> Kind {
        let is_blank = |line: &&str| line.trim().is_empty();
        let first = text
            .lines()
            .find(|line| !is_blank(line))
            .unwrap_or_default();
        let blank = text.lines().take_while(is_blank).count();
        // The span begins at the indicator or at the first line of the content.
        let mut content = self.lines.iter().enumerate().skip(at.line - 1);
        let found = content.find_map(|(i, line)| {
            let indent = line.strip_suffix(first)?;
            let is_indent = indent.bytes().all(|byte| byte == b' ');
            is_indent.then_some((i + 1, indent.len()))
        });
        let writing = found.map_or(Writing::Other, |(line, indent)| Writing::Block {
            first_line: line - blank,
            indent,
        });
        Kind::Text(text, writing)
    }
}

impl Members {
    /// A key, or the value that belongs to the last one.
    fn take(&mut self, node: Node) -> Result<(), Problem> {
        let Some(key) = self.key.take() else {
            self.key = Some(node);
            return Ok(());
        };
        let (name, written) = match key.kind {
            Kind::Text(text, Writing::Bare) if text == "<<" => {
                self.merged.push((key.at, node));
                return Ok(());
            }
            Kind::Text(text, _) => (text.clone(), text),
            // As Kubernetes does it; whoever reads the object says what is wrong with such a name.
            Kind::Plain(value, written) => (value.to_string(), written),
            _ => return Err(Problem::new(key.at, "a key must be a string")),
        };
        self.own.push(Member {
            key: name,
            at: key.at,
            written,
            value: node,
        });
        Ok(())
    }

    /// The members with the merge keys (`<<`) resolved: the object's own come first, then those of each
    /// merged object that are not there yet.
    fn merge(self) -> Result<Vec<Member>, Problem> {
        let mut own = self.own;
        if self.merged.is_empty() {
            return Ok(own);
        }
        let mut known: HashSet<String> = own.iter().map(|member| member.key.clone()).collect();
        for (at, merge) in self.merged {
            let sources = match merge.kind {
                Kind::List(list) => list,
                _ => vec![merge],
            };
            for source in sources {
                let Kind::Object(more) = source.kind else {
                    let message = "only an object, or a list of them, can be merged";
                    return Err(Problem::new(at, message));
                };
                own.extend(
                    more.into_iter()
                        .filter(|member| known.insert(member.key.clone())),
                );
            }
        }
        Ok(own)
    }
}

fn too_many(at: Position) -> Problem {
    Problem::new(at, "too many values; aliases count in full")
}

fn too_deep(at: Position) -> Problem {
    let message = format!("lists and objects are nested more than {MAX_DEPTH} deep");
    Problem::new(at, message)
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
