//! Logs of requests: the access log's lines, and plain ones of `tenant path`, in one file as they come.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use serde::Deserialize;

/// The most bytes of a line. The access log's own have a quarter of that at most.
const MAX_LINE: usize = 128 << 10;

/// A line that tells of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line<'l> {
    /// One of the access log (docs/access-log.md).
    Access(Access<'l>),
    /// `tenant path`.
    Plain {
        /// Who asked.
        tenant: &'l str,
        /// For what; it begins with a slash.
        path: Cow<'l, str>,
    },
}

/// The members of the access log that tell what was asked; empty where one is missing, `-` where the
/// filter had nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Access<'l> {
    /// The hash of the policy that judged it.
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
        let line = std::str::from_utf8(line).map_err(|_| "it is no UTF-8")?;
        let line = line.trim();
        if line.starts_with('{') {
            let access = serde_json::from_str(line);
            return access
                .map(Line::Access)
                .map_err(|_| "it begins as JSON and is no line of the access log");
        }
        let mut fields = line.split_whitespace();
        match (fields.next(), fields.next(), fields.next()) {
            (None, ..) => Err("it is empty"),
            (Some(tenant), Some(path), None) => Ok(Line::Plain {
                tenant,
                path: if path.starts_with('/') {
                    path.into()
                } else {
                    format!("/{path}").into()
                },
            }),
            _ => Err("it is neither JSON nor `tenant path`"),
        }
    }
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
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut kept = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        kept.clear();
        let limit = MAX_LINE as u64 + 1;
        input.by_ref().take(limit).read_until(b'\n', &mut kept)?;
        if kept.is_empty() {
            return Ok(());
        }
        if kept.last() != Some(&b'\n') && kept.len() > MAX_LINE {
            input.skip_until(b'\n')?;
            take(number, Err("it is longer than 128 KiB"));
            continue;
        }
        take(number, Ok(kept.strip_suffix(b"\n").unwrap_or(&kept)));
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
        for bad in [
            &b""[..],
            b" \r",
            b"web",
            b"a b c",
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
