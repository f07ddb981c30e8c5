//! Logs of requests, in one file as they come: the access log's lines, plain ones of `tenant path`, and
//! what other programs write. They are read as runtimes and shells leave them: `open` undoes gzip and
//! marks, `objects` are JSON over several lines, `wrapped` lines stand in those of a container's runtime,
//! and a request is `found` in a line of another program.

mod found;
mod objects;
mod open;
mod wrapped;

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize;

use found::Found;
use wrapped::Wrapped;

/// The most bytes of a line. The access log's own have a quarter of that at most.
const MAX_LINE: usize = 128 << 10;

/// What is reported for a longer one.
const TOO_LONG: &str = "it is longer than 128 KiB";

/// How much of a log is looked at to tell lines from JSON over several lines.
const HEAD: u64 = 64 << 10;

/// A line with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line<'l> {
    /// One of the access log (docs/reference/access-log.md).
    Access(Access<'l>),
    /// `tenant path`.
    Plain {
        /// The client.
        tenant: &'l str,
        /// For what; it begins with a slash.
        path: Cow<'l, str>,
    },
    /// One of another program: for what, and nothing of the client but what the path may say.
    Foreign {
        /// It begins with a slash.
        path: Cow<'l, str>,
    },
    /// One that is something other than a request for a module.
    NoRequest(&'static str),
}

/// The members of the access log that have the request; empty where one is missing, `-` where the
/// filter had nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Access<'l> {
    /// The hash of the policy that evaluated it.
    #[serde(borrow)]
    pub(crate) modgate: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) tenant: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) operation: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) module: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) version: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) decision: Cow<'l, str>,
    #[serde(borrow)]
    pub(crate) path: Cow<'l, str>,
}

impl<'l> Line<'l> {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it is none, in words that are the same for all lines of that kind.
    pub(crate) fn read(line: &'l [u8]) -> Result<Self, &'static str> {
        let line = std::str::from_utf8(line).map_err(|_| "it is not valid UTF-8")?;
        let line = without_prefix(line.trim());
        if line.starts_with('{') {
            let access: Access<'_> = serde_json::from_str(line)
                .map_err(|_| "it looks like JSON but is not an access log line")?;
            return Ok(if access.is_foreign() {
                of_found(found::in_json(line)).unwrap_or(Line::Access(access))
            } else {
                Line::Access(access)
            });
        }
        let mut fields = line.split_whitespace();
        match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => Err("it is empty"),
            (Some(path), None, _) if path.starts_with('/') => {
                Ok(Line::Foreign { path: path.into() })
            }
            (Some(tenant), Some(path), None) => Ok(Line::Plain {
                tenant,
                path: if path.starts_with('/') {
                    path.into()
                } else {
                    format!("/{path}").into()
                },
            }),
            _ => of_found(found::in_text(line))
                .ok_or("it is neither JSON nor `tenant path`, and contains no module path"),
        }
    }
}

impl Access<'_> {
    /// Whether it has nothing that only the filter knows.
    fn is_foreign(&self) -> bool {
        [
            &self.modgate,
            &self.tenant,
            &self.operation,
            &self.module,
            &self.decision,
        ]
        .into_iter()
        .all(|member| member.is_empty())
    }
}

fn of_found(found: Option<Found<'_>>) -> Option<Line<'_>> {
    Some(match found? {
        Found::Path(path) => Line::Foreign { path },
        Found::OtherMethod => Line::NoRequest("its method is not GET"),
    })
}

/// A line without what `kubectl logs` puts before it with `--prefix` and `--timestamps`, and what other
/// collectors put before JSON.
fn without_prefix(line: &str) -> &str {
    let mut line = line;
    if line.starts_with("[pod/") {
        line = line.split_once("] ").map_or(line, |(_, rest)| rest);
    }
    if let Some((time, rest)) = line.split_once(' ')
        && is_time(time)
    {
        line = rest;
    }
    // Behind a quotation mark it would be a part of something else, such as a client's name.
    match line.find('{') {
        Some(at) if at > 0 && !line[..at].contains('"') && line.ends_with('}') => &line[at..],
        _ => line,
    }
}

/// Whether a word is a time as runtimes write it (RFC 3339).
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        let part = bytes.get(range);
        part.is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let plain = |b: &u8| b.is_ascii_digit() || b"-+:.TZ".contains(b);
    digits(0..4) && digits(5..7) && digits(11..13) && bytes[10] == b'T' && bytes.iter().all(plain)
}

/// Hands out every line with its number, from 1, without its end; instead of one that is too long to
/// be held, why.
///
/// # Errors
/// What the reader says.
pub(crate) fn each_line(
    input: impl Read,
    mut take: impl FnMut(u64, Result<&[u8], &'static str>),
) -> io::Result<()> {
    let (head, input) = open::peeked(open::text_of(input)?, HEAD)?;
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut wrapped = Wrapped::default();
    if objects::are_in(&head) {
        objects::each(&mut input, |number, object| match object {
            Ok(object) => wrapped.push(number, object, &mut take),
            Err(why) => take(number, Err(why)),
        })?;
        wrapped.finish(&mut take);
        return Ok(());
    }
    let mut kept = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        kept.clear();
        let limit = MAX_LINE as u64 + 1;
        input.by_ref().take(limit).read_until(b'\n', &mut kept)?;
        if kept.is_empty() {
            wrapped.finish(&mut take);
            return Ok(());
        }
        if kept.last() != Some(&b'\n') && kept.len() > MAX_LINE {
            input.skip_until(b'\n')?;
            take(number, Err(TOO_LONG));
            continue;
        }
        let line = kept.strip_suffix(b"\n").unwrap_or(&kept);
        wrapped.push(number, line, &mut take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, Result<usize, &'static str>)> {
        let mut found = Vec::new();
        let taken = each_line(text, |number, line| {
            found.push((number, line.map(<[u8]>::len)));
        });
        taken.unwrap();
        found
    }

    #[test]
    fn lines_have_numbers_and_those_that_are_too_long_are_not_held() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"a\n\nbc"), [(1, Ok(1)), (2, Ok(0)), (3, Ok(2))]);
        let most = vec![b'x'; MAX_LINE];
        assert_eq!(lines(&most), [(1, Ok(MAX_LINE))]);
        let text = [&most, &b"\n"[..], &most, b"x\nb\n", &most, &most].concat();
        let why = Err("it is longer than 128 KiB");
        assert_eq!(
            lines(&text),
            [(1, Ok(MAX_LINE)), (2, why), (3, Ok(1)), (4, why)]
        );
    }

    #[test]
    fn lines_of_both_kinds_are_read_and_no_others() {
        let json = br#"{"status":200,"tenant":"web","module":"a.b/\u0063","modgate":"x"}"#;
        let Ok(Line::Access(access)) = Line::read(json) else {
            panic!("no line of the access log");
        };
        assert_eq!((&*access.tenant, &*access.module), ("web", "a.b/c"));
        assert_eq!(access.path, "");
        let plain = |tenant, path: &'static str| {
            let path = path.into();
            Ok(Line::Plain { tenant, path })
        };
        assert_eq!(Line::read(b" web\t/a.b\r"), plain("web", "/a.b"));
        assert_eq!(Line::read(b"web a.b/@latest"), plain("web", "/a.b/@latest"));
        let rows = [
            ("/a.b/@latest", "/a.b/@latest"),
            (
                "[pod/goproxy-1/envoy] 1.1.1.1 - - [x] \"GET /a.b/@v/list HTTP/1.1\"",
                "/a.b/@v/list",
            ),
            (
                "{\"path\":\"/a.b/@v/list\",\"method\":\"GET\"}",
                "/a.b/@v/list",
            ),
        ];
        table_rows::check(rows, |(line, path)| {
            let path = path.into();
            assert_eq!(
                Line::read(line.as_bytes()),
                Ok(Line::Foreign { path }),
                "{line}"
            );
        });
        let post = Line::read(b"\"POST /a.b/@v/list HTTP/1.1\"");
        assert!(matches!(post, Ok(Line::NoRequest(_))));
        let text = String::from_utf8(json.to_vec()).unwrap();
        for before in [
            "[pod/goproxy-5d9/envoy] ",
            "2026-11-30T17:00:00.123456789Z ",
            "[pod/goproxy-5d9/envoy] 2026-11-30T17:00:00.1+01:00 ",
            "goproxy-1  | ",
            "Nov 30 17:00:00 host envoy[7]: ",
        ] {
            let line = format!("{before}{text}");
            let Ok(Line::Access(access)) = Line::read(line.as_bytes()) else {
                panic!("{line}");
            };
            assert_eq!(access.module, "a.b/c");
        }
        assert_eq!(
            Line::read(b"[pod/x/y] 2026-11-30T17:00:00Z web /a.b"),
            plain("web", "/a.b")
        );
        for bad in [
            &b""[..],
            b" \r",
            b"web",
            b"a b c",
            b"\"client {\" {}",
            b"{",
            b"{}}",
            b"{\"tenant\":1}",
            b"{\"tenant\":\"a\",\"tenant\":\"b\"}",
            b"web /\xff",
        ] {
            assert!(Line::read(bad).is_err(), "{bad:?}");
        }
    }
}
