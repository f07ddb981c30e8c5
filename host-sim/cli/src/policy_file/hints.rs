//! What YAML takes for something else than the person who wrote it.

use std::collections::BTreeSet;

use modgate_policy::document::member_path;
use plain_yaml::{Kind, Node, Position};

/// Comments that look as if they were meant to be values: a JSON path, a place, and a sentence.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// Where there is no other value: `contact: #go-platform`.
    pub(super) instead_of_values: Vec<(String, Position, String)>,
    /// Behind one: `reason: ask in #go-platform`.
    pub(super) behind_values: Vec<(String, Position, String)>,
}

/// A problem's message, with a word more where it is known what was meant: the text is a template, or a
/// value has no quotes that needs them.
pub(super) fn of_template(text: &str, message: String) -> String {
    if text.contains("{{") && text.contains("}}") {
        return format!("{message}; this looks like a template: use the output of `helm template`");
    }
    if message.contains("block scalar") {
        return format!("{message}; quote a value that begins with > or |: \">=1.2.0\"");
    }
    if message.contains("found a tab") {
        return format!("{message}; YAML needs spaces there");
    }
    message
}

/// The comments in a YAML text that a value seems to be cut by. `#` begins a comment behind a space
/// only, and most people write a space behind it too, where they mean one.
pub(super) fn of_comments(text: &str, node: &Node) -> Comments {
    let mut search = Search {
        lines: text.lines().collect(),
        seen: BTreeSet::new(),
        found: Comments::default(),
    };
    search.look(node, "$");
    search.found
}

struct Search<'t> {
    lines: Vec<&'t str>,
    /// The places that are told: an alias is at several paths.
    seen: BTreeSet<Position>,
    found: Comments,
}

impl Search<'_> {
    fn look(&mut self, node: &Node, path: &str) {
        match &node.kind {
            Kind::List(list) => {
                for (i, item) in list.iter().enumerate() {
                    self.look_at(item, item.at, &format!("{path}[{i}]"), "-");
                }
            }
            Kind::Object(members) => {
                for member in members {
                    let path = member_path(path, &member.key);
                    self.look_at(&member.value, member.at, &path, ":");
                }
            }
            _ => {}
        }
    }

    /// Looks at a value; `at` is where its line can be found, and `before` what stands before it.
    fn look_at(&mut self, value: &Node, at: Position, path: &str, before: &str) {
        match &value.kind {
            Kind::Plain(value, _) if value.is_null() => {
                let line = self.line(at, 1);
                let rest = line.split_once(&format!("{before} ")).map(|(_, rest)| rest);
                let Some(comment) = rest.and_then(|rest| meant(rest.trim_start())) else {
                    return;
                };
                let message = format!(
                    "the value is empty, because YAML reads {comment} as a comment; quote it: \"{comment}\""
                );
                self.tell(at, path, message, true);
            }
            Kind::Text(text, _) => {
                let line = self.line(value.at, value.at.column);
                // What begins with the text itself has no quotes.
                let Some(rest) = line.strip_prefix(text.as_str()) else {
                    return;
                };
                let comment = rest.starts_with([' ', '\t']).then(|| rest.trim_start());
                let Some(comment) = comment.and_then(meant) else {
                    return;
                };
                let message = format!(
                    "the value ends before {comment}, which YAML reads as a comment; quote the whole value"
                );
                self.tell(value.at, path, message, false);
            }
            _ => self.look(value, path),
        }
    }

    fn tell(&mut self, at: Position, path: &str, message: String, instead: bool) {
        if !self.seen.insert(at) {
            return;
        }
        let told = (path.to_owned(), at, message);
        if instead {
            self.found.instead_of_values.push(told);
        } else {
            self.found.behind_values.push(told);
        }
    }

    /// A line from a column on.
    fn line(&self, at: Position, column: usize) -> String {
        let line = self.lines.get(at.line.saturating_sub(1));
        line.map_or_else(String::new, |line| line.chars().skip(column - 1).collect())
    }
}

/// The first word of a comment that has no space behind its `#`.
fn meant(comment: &str) -> Option<&str> {
    let word = comment.split_whitespace().next()?;
    let rest = word.strip_prefix('#')?;
    rest.starts_with(|c: char| c.is_alphanumeric())
        .then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_yaml_reads_as_a_comment_is_reported() {
        let text = "contact: #go-platform\nempty: # nothing yet\nother:\n  reason: ask in #go-platform now\n  \
                    quoted: \"ask #x\" #why\n  url: a#b\n  list: [a, b] #both\nlast:\n- #one\n- two #three\n- x # y\n";
        let documents = plain_yaml::parse(text).unwrap();
        let found = of_comments(text, &documents[0]);
        let short = |told: &[(String, Position, String)]| -> Vec<(String, usize)> {
            told.iter()
                .map(|(path, at, _)| (path.clone(), at.line))
                .collect()
        };
        assert_eq!(
            short(&found.instead_of_values),
            [("$.contact".to_owned(), 1), ("$.last[0]".to_owned(), 9)]
        );
        assert_eq!(
            short(&found.behind_values),
            [
                ("$.other.reason".to_owned(), 4),
                ("$.last[1]".to_owned(), 10)
            ]
        );
        let (_, _, message) = &found.instead_of_values[0];
        assert!(message.contains("\"#go-platform\""), "{message}");
    }
}
