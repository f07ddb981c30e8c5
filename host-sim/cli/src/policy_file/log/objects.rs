//! A log that is JSON over several lines: a list of objects, or objects that were made pretty.

use std::io::{self, BufRead};

use serde::de::IgnoredAny;

use super::{MAX_LINE, TOO_LONG};

/// Whether a log that begins so is no log of lines.
pub(super) fn are_in(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    match head.first() {
        // Envoy's own text begins with a time in brackets.
        Some(b'[') => matches!(head[1..].trim_ascii_start().first(), Some(b'{' | b']')),
        Some(b'{') => {
            let mut lines = head.splitn(2, |byte| *byte == b'\n');
            let (first, more) = (lines.next().unwrap_or_default(), lines.next().is_some());
            let ends_early = || {
                let read = serde_json::from_slice::<IgnoredAny>(first);
                read.is_err_and(|error| error.is_eof())
            };
            more && ends_early()
        }
        _ => false,
    }
}

/// Where in the text the next byte stands.
#[derive(Default)]
struct Place {
    /// How many brackets are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The object that is read.
    object: Vec<u8>,
    too_long: bool,
    began: u64,
    /// What stands between two objects and should not.
    between: Vec<u8>,
    line: u64,
    at_line_start: bool,
}

/// Hands out every object with the number of the line in which it begins, and what stands between them.
pub(super) fn each(
    input: &mut impl BufRead,
    mut take: impl FnMut(u64, Result<&[u8], &'static str>),
) -> io::Result<()> {
    let mut place = Place {
        line: 1,
        at_line_start: true,
        ..Place::default()
    };
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        for byte in bytes {
            place.next(*byte, &mut take);
        }
        let len = bytes.len();
        input.consume(len);
    }
    if place.depth > 0 {
        place.emit(&mut take);
    }
    place.emit_between(&mut take);
    Ok(())
}

impl Place {
    fn next(&mut self, byte: u8, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        let starts = byte == b'{' && self.at_line_start;
        self.at_line_start = byte == b'\n';
        if self.depth > 0 && starts {
            // One that was cut short: the next begins.
            self.emit(take);
        }
        if self.depth == 0 {
            self.outside(byte, take);
        } else {
            self.inside(byte, take);
        }
        self.line += u64::from(byte == b'\n');
    }

    fn outside(&mut self, byte: u8, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        match byte {
            b'{' => {
                self.emit_between(take);
                self.object.clear();
                self.object.push(byte);
                (self.depth, self.began) = (1, self.line);
                (self.in_string, self.escaped, self.too_long) = (false, false, false);
            }
            b'\n' => self.emit_between(take),
            b',' | b'[' | b']' | b' ' | b'\t' | b'\r' if self.between.is_empty() => {}
            _ if self.between.len() < MAX_LINE => self.between.push(byte),
            _ => {}
        }
    }

    fn inside(&mut self, byte: u8, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        if self.object.len() < MAX_LINE {
            self.object.push(byte);
        } else {
            self.too_long = true;
        }
        if self.in_string {
            self.in_string = byte != b'"' || self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.depth == 0 {
            self.emit(take);
        }
    }

    fn emit(&mut self, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        let object = if self.too_long {
            Err(TOO_LONG)
        } else {
            Ok(self.object.as_slice())
        };
        take(self.began, object);
        self.depth = 0;
    }

    fn emit_between(&mut self, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        if !self.between.is_empty() {
            take(self.line, Ok(&self.between));
            self.between.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(u64, String)> {
        assert!(are_in(text.as_bytes()), "{text}");
        let mut found = Vec::new();
        let read = each(&mut text.as_bytes(), |number, object| {
            let text = object.map_or_else(ToOwned::to_owned, |object| {
                String::from_utf8_lossy(object).into_owned()
            });
            found.push((number, text));
        });
        read.unwrap();
        found
    }

    #[test]
    fn objects_are_distinguished_wherever_they_are() {
        let of = |all: &[(u64, &str)]| -> Vec<(u64, String)> {
            all.iter()
                .map(|(n, text)| (*n, (*text).to_owned()))
                .collect()
        };
        assert_eq!(
            found("[{\"a\":1},{\"a\":2}]"),
            of(&[(1, "{\"a\":1}"), (1, "{\"a\":2}")])
        );
        assert_eq!(
            found("[\n {\"a\":\"}\\\"{\"},\n {\"b\":[{}]}\n]\n"),
            of(&[(2, "{\"a\":\"}\\\"{\"}"), (3, "{\"b\":[{}]}")])
        );
        assert_eq!(
            found("{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n"),
            of(&[(1, "{\n  \"a\": 1\n}"), (4, "{\n  \"a\": 2\n}")])
        );
        assert_eq!(found("[]"), of(&[]));
        // What is cut, and what is none, is handed out to be counted.
        assert_eq!(
            found("{\"a\":\n{\"b\":1}\nnothing\n{\"c\""),
            of(&[
                (1, "{\"a\":\n"),
                (2, "{\"b\":1}"),
                (3, "nothing"),
                (4, "{\"c\"")
            ])
        );
        let long = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(MAX_LINE));
        assert_eq!(found(&long), of(&[(1, TOO_LONG), (1, "{\"b\":1}")]));
    }

    #[test]
    fn lines_are_not_read_as_one_object() {
        for text in [
            "",
            "{}",
            "{\"a\":1}\n{\"a\":2}\n",
            "{\"a\":1",
            "{x\n",
            "[2026-11-30T17:00:00.000Z] \"GET / HTTP/1.1\"\n",
            "web /x\n",
        ] {
            assert!(!are_in(text.as_bytes()), "{text}");
        }
    }
}
