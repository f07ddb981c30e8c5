//! The `retract` directives of a go.mod file (module reference, "retract directive"), read as the Go
//! command reads those of a dependency (x/mod `modfile.ParseLax`).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::go_mod::{Token, directives};
use super::semver;
use super::semver::Semver;

/// The most retractions that a file may have.
const MAX_INTERVALS: usize = 4096;

/// Versions that a module's author has taken back: those between two, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    low: String,
    high: String,
}

impl Interval {
    /// Whether a version was taken back. A bound that is no version is lower than every one, as it is
    /// to the Go command.
    pub fn contains(&self, version: &Semver<'_>) -> bool {
        let order = |bound: &str| semver::parse(bound).map(|bound| bound.compare(version));
        order(&self.low).is_none_or(Ordering::is_le)
            && order(&self.high).is_some_and(Ordering::is_ge)
    }

    /// The lowest and the highest version of it.
    pub fn bounds(&self) -> (&str, &str) {
        (&self.low, &self.high)
    }
}

/// Those of the versions, which come in ascending order, that lie in one of the intervals; each with
/// something to know it by. Merged, the intervals stand in ascending order too, so that both are gone
/// through once.
pub fn among<'v, T>(
    intervals: &[Interval],
    versions: impl Iterator<Item = (T, Semver<'v>)>,
) -> Vec<T> {
    if intervals.is_empty() {
        return Vec::new();
    }
    let merged = merged(intervals);
    let mut merged = merged.iter().peekable();
    let mut found = Vec::new();
    for (this, version) in versions {
        while merged
            .next_if(|(_, high)| high.compare(&version).is_lt())
            .is_some()
        {}
        let Some((low, _)) = merged.peek() else {
            break;
        };
        if low.is_none_or(|low| low.compare(&version).is_le()) {
            found.push(this);
        }
    }
    found
}

/// The bounds of intervals that hold the same versions, in ascending order and apart from each other.
/// Without a low one there is no version below.
fn merged(intervals: &[Interval]) -> Vec<(Option<Semver<'_>>, Semver<'_>)> {
    let bounds = intervals.iter().filter_map(|interval| {
        let (low, high) = interval.bounds();
        let (low, high) = (semver::parse(low), semver::parse(high)?);
        let is_empty = low.is_some_and(|low| low.compare(&high).is_gt());
        (!is_empty).then_some((low, high))
    });
    let mut bounds: Vec<_> = bounds.collect();
    bounds.sort_unstable_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let mut merged: Vec<(Option<Semver<'_>>, Semver<'_>)> = Vec::new();
    for (low, high) in bounds {
        match merged.last_mut() {
            Some((_, last)) if low.is_none_or(|low| low.compare(last).is_le()) => {
                if high.compare(last).is_gt() {
                    *last = high;
                }
            }
            _ => merged.push((low, high)),
        }
    }
    merged
}

/// Reads the retractions of a go.mod file.
///
/// # Errors
/// What the Go command could not read either, with the number of the line.
pub fn retractions(go_mod: &[u8]) -> Result<Vec<Interval>, String> {
    let text = String::from_utf8_lossy(go_mod);
    let mut intervals = Vec::new();
    directives(&text, |directive| {
        if directive.verb != "retract" {
            return Ok(());
        }
        // What the Go command does not understand of a dependency's it leaves aside.
        if let Some(interval) = interval(directive.arguments)? {
            if intervals.len() == MAX_INTERVALS {
                return Err("too many retractions".to_owned());
            }
            intervals.push(interval);
        }
        Ok(())
    })?;
    Ok(intervals)
}

/// A version, or `[low, high]`; what stands behind it does not count.
fn interval(tokens: &[Token<'_>]) -> Result<Option<Interval>, &'static str> {
    let (low, high) = match tokens {
        [
            Token::Sign('['),
            low,
            Token::Sign(','),
            high,
            Token::Sign(']'),
            ..,
        ] => (low, high),
        [Token::Sign('[' | '('), ..] | [] => return Ok(None),
        [single, ..] => (single, single),
    };
    let (low, high) = (version(low)?, version(high)?);
    Ok(low.zip(high).map(|(low, high)| Interval { low, high }))
}

/// The text of a version, whatever it is; `None` where the Go command takes it for none.
fn version(token: &Token<'_>) -> Result<Option<String>, &'static str> {
    match token {
        Token::Word(text) if !text.contains(['"', '\'', '`']) => Ok(Some((*text).to_owned())),
        Token::Quoted(text) if text.contains('\\') => Err("an escape sequence in a version"),
        Token::Quoted(text) => Ok(Some(text.replace('"', ""))),
        Token::Sign(sign) => Ok(Some(sign.to_string())),
        Token::Word(_) | Token::Raw(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(go_mod: &str) -> Vec<(String, String)> {
        let intervals = retractions(go_mod.as_bytes()).unwrap();
        let both = |i: Interval| (i.low, i.high);
        intervals.into_iter().map(both).collect()
    }

    #[test]
    fn every_form_is_read() {
        let go_mod = "module corp.example/lib // retract v9.9.9\r\n\ngo 1.21\n\
            require (\n\tretract v8.0.0\n)\n\
            retract v1.0.0 // was a mistake\n\
            retract [v1.1.0, v1.2.0]\n\
            retract (\n\t// many\n\tv1.3.0\n\n\t[ v1.4.0 ,\"v1.5.0\" ] // both\n\t`v1.6.0`\n\tv1.7.0 then more\n)\n\
            unknown thing\n";
        let single = |v: &str| (v.to_owned(), v.to_owned());
        assert_eq!(
            read(go_mod),
            [
                single("v1.0.0"),
                ("v1.1.0".to_owned(), "v1.2.0".to_owned()),
                single("v1.3.0"),
                ("v1.4.0".to_owned(), "v1.5.0".to_owned()),
                single("v1.7.0"),
            ]
        );
        assert!(read("module m\n").is_empty());
    }

    #[test]
    fn what_go_cannot_read_is_an_error_with_its_line() {
        let rows = [
            ("module m\nretract (\nv1.0.0\n", "a ( without"),
            ("module m\nretract (\n) v1.0.0\n", "line 3"),
            ("module m\nrequire \"x\n", "line 2"),
            ("module m /* x */\n", "line 1"),
        ];
        table_rows::check(rows, |(bad, line)| {
            let error = retractions(bad.as_bytes()).unwrap_err();
            assert!(error.contains(line), "{bad:?}: {error}");
        });
        assert!(retractions(b"retract \"v1\\x2e0.0\"").is_err());
        assert_eq!(read("module m // \u{e9}\n)\n( (\n)\n"), []);
        assert!(retractions(b"module m // \xff\n").is_ok());
    }

    #[test]
    fn merged_intervals_hold_what_each_holds() {
        // Nested, touching, doubled, from the lowest on, the wrong way round, and one that is none.
        let go_mod = "retract (\n\t[v1.5.0, v1.6.0]\n\t[v1.1.0, v1.2.0]\n\t[v1.2.0, v1.3.0]\n\
            \t[v1.1.5, v1.1.6]\n\t[v1.9.0, v1.8.0]\n\tv1.5.0\n\t[x, v1.0.1]\n\tv1.9.5\n\tmaster\n)\n";
        let intervals = retractions(go_mod.as_bytes()).unwrap();
        let mut versions = Vec::new();
        for (minor, patch) in (0..11).flat_map(|minor| (0..8).map(move |patch| (minor, patch))) {
            versions.push(format!("v1.{minor}.{patch}-rc.1"));
            versions.push(format!("v1.{minor}.{patch}"));
        }
        let parsed = || versions.iter().map(|v| (v, semver::parse(v).unwrap()));
        let each = |(_, version): &(&String, Semver<'_>)| {
            intervals.iter().any(|interval| interval.contains(version))
        };
        let want: Vec<&String> = parsed().filter(each).map(|(text, _)| text).collect();
        assert_eq!(among(&intervals, parsed()), want);
        assert_eq!(want.len(), 55);
        assert!(among(&[], parsed()).is_empty());
    }

    #[test]
    fn an_interval_has_both_its_ends() {
        let interval = &retractions(b"retract [v1.1.0, v1.2.0]").unwrap()[0];
        let contains = |v: &str| interval.contains(&semver::parse(v).unwrap());
        assert!(contains("v1.1.0") && contains("v1.2.0") && contains("v1.2.0-pre"));
        assert!(!contains("v1.1.0-pre") && !contains("v1.2.1"));
    }
}
