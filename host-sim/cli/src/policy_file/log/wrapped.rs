//! Lines as container runtimes keep them: Docker's JSON, and CRI's with a time and a stream before each.
//! Both cut long lines into pieces.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{MAX_LINE, TOO_LONG};

/// Puts pieces of lines together, for each stream of a container.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    of_stdout: Option<Partial>,
    of_others: Option<Partial>,
}

/// The beginning of a line.
#[derive(Debug)]
struct Partial {
    /// The number of the first line.
    number: u64,
    text: Vec<u8>,
}

/// What a line holds.
struct Piece<'l> {
    is_stdout: bool,
    text: Cow<'l, str>,
    /// Whether the line ends with it.
    is_end: bool,
}

/// A line of Docker's `json-file`, and what Fluent Bit makes of one of CRI.
#[derive(Deserialize)]
struct Docker<'l> {
    #[serde(borrow)]
    log: Cow<'l, str>,
    #[serde(borrow)]
    stream: Cow<'l, str>,
    #[serde(rename = "_p", borrow, default)]
    tag: Option<Cow<'l, str>>,
}

impl Wrapped {
    /// Hands a line on as the container wrote it.
    pub(super) fn push(
        &mut self,
        number: u64,
        line: &[u8],
        take: &mut impl FnMut(u64, Result<&[u8], &'static str>),
    ) {
        let Some(piece) = piece_of(line) else {
            take(number, Ok(line));
            return;
        };
        let place = if piece.is_stdout {
            &mut self.of_stdout
        } else {
            &mut self.of_others
        };
        if piece.is_end && place.is_none() {
            take(number, Ok(piece.text.as_bytes()));
            return;
        }
        let partial = place.get_or_insert_with(|| Partial {
            number,
            text: Vec::new(),
        });
        if partial.text.len() <= MAX_LINE {
            partial.text.extend(piece.text.as_bytes());
        }
        if piece.is_end {
            emit(place.take(), take);
        }
    }

    /// Hands on what has no end.
    pub(super) fn finish(self, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
        emit(self.of_stdout, take);
        emit(self.of_others, take);
    }
}

fn emit(partial: Option<Partial>, take: &mut impl FnMut(u64, Result<&[u8], &'static str>)) {
    let Some(partial) = partial else {
        return;
    };
    if partial.text.len() > MAX_LINE {
        take(partial.number, Err(TOO_LONG));
    } else {
        take(partial.number, Ok(&partial.text));
    }
}

fn piece_of(line: &[u8]) -> Option<Piece<'_>> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    if line.starts_with('{') {
        // Nearly all lines are of the access log, which has no member of that name.
        return if line.contains("\"log\"") {
            of_docker(line)
        } else {
            None
        };
    }
    of_cri(line)
}

fn of_docker(line: &str) -> Option<Piece<'_>> {
    let docker: Docker<'_> = serde_json::from_str(line).ok()?;
    let has_end = docker.log.ends_with('\n');
    // Collectors take the line feed away; what is an object then is whole.
    let is_object = || serde_json::from_str::<IgnoredAny>(&docker.log).is_ok();
    let is_end = match docker.tag.as_deref() {
        Some(tag) => tag != "P",
        None => has_end || docker.log.starts_with('{') && is_object(),
    };
    let text = if has_end {
        Cow::Owned(docker.log.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        docker.log
    };
    Some(Piece {
        is_stdout: docker.stream == "stdout",
        text,
        is_end,
    })
}

/// `2026-11-30T17:00:00.123456789Z stdout F text`; `P` where the line goes on in the next.
fn of_cri(line: &str) -> Option<Piece<'_>> {
    let mut parts = line.splitn(4, ' ');
    let (time, stream, tags, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let tag = tags.split(':').next()?;
    let is_cri =
        super::is_time(time) && matches!(stream, "stdout" | "stderr") && matches!(tag, "P" | "F");
    is_cri.then(|| Piece {
        is_stdout: stream == "stdout",
        text: text.into(),
        is_end: tag == "F",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(lines: &[&str]) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let mut take = |number, line: Result<&[u8], &'static str>| {
            let text = line.map_or_else(ToOwned::to_owned, |line| {
                String::from_utf8_lossy(line).into_owned()
            });
            found.push((number, text));
        };
        let mut wrapped = Wrapped::default();
        for (number, line) in (1..).zip(lines) {
            wrapped.push(number, line.as_bytes(), &mut take);
        }
        wrapped.finish(&mut take);
        found
    }

    #[test]
    fn a_line_is_what_the_container_wrote() {
        let of = |all: &[(u64, &str)]| -> Vec<(u64, String)> {
            all.iter()
                .map(|(n, text)| (*n, (*text).to_owned()))
                .collect()
        };
        let time = "2026-11-30T17:00:00.123456789Z";
        assert_eq!(
            unwrapped(&[
                &format!("{time} stdout F {{\"a\":1}}"),
                &format!("{time} stdout P {{\"b\""),
                &format!("{time} stderr F between"),
                &format!("{time} stdout P :2,"),
                "web /x",
                &format!("{time} stdout F \"c\":3}}\r"),
                &format!("{time} stderr P no end"),
            ]),
            of(&[
                (1, "{\"a\":1}"),
                (3, "between"),
                (5, "web /x"),
                (2, "{\"b\":2,\"c\":3}"),
                (7, "no end"),
            ])
        );
        assert_eq!(
            unwrapped(&[
                r#"{"log":"{\"a\":1}\n","stream":"stdout","time":"x"}"#,
                r#"{"log":"{\"b\"","stream":"stdout","time":"x"}"#,
                r#"{"log":":2}\r\n","stream":"stdout","time":"x"}"#,
                r#"{"time":"x","stream":"stdout","_p":"F","log":"web /x"}"#,
                r#"{"time":"x","stream":"stdout","log":"{}"}"#,
                r#"{"log":"no stream"}"#,
                r#"{"log":1,"stream":"stdout"}"#,
            ]),
            of(&[
                (1, "{\"a\":1}"),
                (2, "{\"b\":2}"),
                (4, "web /x"),
                (5, "{}"),
                (6, r#"{"log":"no stream"}"#),
                (7, r#"{"log":1,"stream":"stdout"}"#),
            ])
        );
        let long = "x".repeat(MAX_LINE);
        let line = format!("{time} stdout P {long}");
        let end = format!("{time} stdout F {long}");
        assert_eq!(
            unwrapped(&[&line, &end, "a"]),
            of(&[(1, TOO_LONG), (3, "a")])
        );
    }
}
