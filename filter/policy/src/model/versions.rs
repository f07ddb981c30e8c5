//! Version constraints: `>=v1.2.0 <v1.5.0 || v2`.
//!
//! Versions stand in the order of Go's (x/mod `semver.Compare`), prereleases and pseudo-versions
//! included: `<v1.2.0` holds `v1.2.0-rc.1` and `v1.2.0-0.20240102030405-0123456789ab`. What stands
//! behind `+` does not count.

use std::cmp::Ordering;

use modgate_go::gomod::semver;
use modgate_go::gomod::semver::Semver;

/// The most alternatives, and the most conditions in each.
const MAX_PARTS: usize = 64;

/// A constraint: a version is in it that is in one of its alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionSet {
    alternatives: Vec<Span>,
    text: String,
}

/// What all conditions of an alternative leave: between two bounds, with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Span {
    low: Option<Bound>,
    high: Option<Bound>,
    /// Versions that are not in it.
    holes: Vec<Version>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    version: Version,
    /// Whether the version itself is in.
    inclusive: bool,
}

/// A version that was parsed once, and so can be again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    text: String,
    numbers: [u64; 3],
}

impl VersionSet {
    /// Reads a constraint: alternatives with `||` between them, each of them conditions with spaces
    /// between them. A condition is a version behind `<`, `<=`, `>`, `>=`, `=` or `!=`, a whole version
    /// alone, or the beginning of one (`v1`, `v1.2`), which means all versions that begin so; behind
    /// `<` and `>=` it is the first of them. The `v` may be left out.
    ///
    /// # Errors
    /// What is none, or one that no version can meet, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split("||").collect();
        if parts.len() > MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} alternatives"));
        }
        let alternatives = parts.into_iter().map(parse_span);
        Ok(Self {
            alternatives: alternatives.collect::<Result<_, _>>()?,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// Whether a version is in it.
    pub fn contains(&self, version: &Semver<'_>) -> bool {
        let version = &Compared {
            parts: version,
            numbers: version.numbers(),
        };
        self.alternatives.iter().any(|span| span.contains(version))
    }

    /// As the document has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Span {
    fn contains(&self, version: &Compared<'_>) -> bool {
        let above = |bound: &Bound| bound.meets(version, Ordering::Greater);
        let below = |bound: &Bound| bound.meets(version, Ordering::Less);
        self.low.as_ref().is_none_or(above)
            && self.high.as_ref().is_none_or(below)
            && !self.holes.iter().any(|hole| hole.compare(version).is_eq())
    }

    fn raise(&mut self, bound: Bound) {
        let is_higher = |known: &Bound| bound.is_tighter(known, Ordering::Greater);
        if self.low.as_ref().is_none_or(is_higher) {
            self.low = Some(bound);
        }
    }

    fn lower(&mut self, bound: Bound) {
        let is_lower = |known: &Bound| bound.is_tighter(known, Ordering::Less);
        if self.high.as_ref().is_none_or(is_lower) {
            self.high = Some(bound);
        }
    }

    /// Whether no version can be in it, as far as the bounds tell.
    fn is_empty(&self) -> bool {
        let (Some(low), Some(high)) = (&self.low, &self.high) else {
            return false;
        };
        match low.version.order(&high.version) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => {
                let is_hole = |hole: &Version| hole.order(&low.version).is_eq();
                !low.inclusive || !high.inclusive || self.holes.iter().any(is_hole)
            }
        }
    }
}

impl Bound {
    /// Whether a version lies on this side of it, or on it where that is in.
    fn meets(&self, version: &Compared<'_>, side: Ordering) -> bool {
        // The bound compared with the version, so the other way round.
        match self.version.compare(version).reverse() {
            Ordering::Equal => self.inclusive,
            order => order == side,
        }
    }

    /// Whether it leaves less on this side than the other one.
    fn is_tighter(&self, other: &Self, side: Ordering) -> bool {
        match self.version.order(&other.version) {
            Ordering::Equal => !self.inclusive,
            order => order == side,
        }
    }
}

impl Version {
    fn of(text: String) -> Self {
        let numbers = semver::parse(&text).unwrap_or_default().numbers();
        Self { text, numbers }
    }

    fn parts(&self) -> Semver<'_> {
        semver::parse(&self.text).unwrap_or_default()
    }

    fn compare(&self, version: &Compared<'_>) -> Ordering {
        let numbers = self.numbers.cmp(&version.numbers);
        numbers.then_with(|| self.parts().compare(version.parts))
    }

    fn order(&self, other: &Self) -> Ordering {
        self.parts().compare(&other.parts())
    }
}

/// A version that is held against many bounds, which most times its numbers decide.
struct Compared<'a> {
    parts: &'a Semver<'a>,
    numbers: [u64; 3],
}

fn parse_span(text: &str) -> Result<Span, String> {
    let mut span = Span::default();
    let mut conditions = text.split_whitespace().peekable();
    if conditions.peek().is_none() {
        return Err("an empty alternative; write a condition such as \"<v1.2.0\"".to_owned());
    }
    let mut count = 0;
    while let Some(condition) = conditions.next() {
        count += 1;
        if count > MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} conditions"));
        }
        let named = condition.trim_start_matches(['<', '>', '=', '!']);
        let (operator, _) = condition
            .split_at_checked(condition.len() - named.len())
            .unwrap_or_default();
        // An operator may stand apart from its version.
        let named = if named.is_empty() {
            conditions.next().unwrap_or_default()
        } else {
            named
        };
        add_condition(&mut span, operator, named)?;
    }
    if span.is_empty() {
        return Err(format!("no version can meet {:?}", text.trim()));
    }
    Ok(span)
}

fn add_condition(span: &mut Span, operator: &str, named: &str) -> Result<(), String> {
    let version = read_version(named)?;
    let parts = version.parts();
    let is_whole = parts.patch.is_some();
    if !is_whole && operator.is_empty() {
        let (low, high) = whole_line(&parts);
        span.raise(Bound {
            version: low,
            inclusive: true,
        });
        span.lower(Bound {
            version: high,
            inclusive: false,
        });
        return Ok(());
    }
    // As in Go's own queries: v1.2 is the first of many versions, or all of them.
    if !is_whole && !matches!(operator, "<" | ">=") {
        return Err(format!(
            "{operator}{named}: write all three numbers; {named} could mean several versions"
        ));
    }
    let bound = |inclusive| Bound {
        version: version.clone(),
        inclusive,
    };
    match operator {
        "<" => span.lower(bound(false)),
        "<=" => span.lower(bound(true)),
        ">" => span.raise(bound(false)),
        ">=" => span.raise(bound(true)),
        "" | "=" => {
            span.raise(bound(true));
            span.lower(bound(true));
        }
        "!=" => span.holes.push(version),
        _ => {
            return Err(format!(
                "{operator:?} is not a valid operator; use <, <=, >, >=, = or !="
            ));
        }
    }
    Ok(())
}

fn read_version(named: &str) -> Result<Version, String> {
    let text = if named.starts_with('v') {
        named.to_owned()
    } else {
        format!("v{named}")
    };
    let hint = match named {
        "" => "an operator without a version",
        _ if named.starts_with(['^', '~']) => "^ and ~ are not supported; write both bounds",
        _ if named.contains(',') => "separate conditions with spaces, not commas",
        _ if named.contains(['x', '*']) => {
            "wildcards are not supported; v1.2 alone means all of its versions"
        }
        _ => "write it with a v, such as v1.2.3",
    };
    match semver::parse(&text) {
        Some(parts) if matches!(parts.build, "" | "+incompatible") => Ok(Version::of(text)),
        Some(_) => Err(format!(
            "{named:?}: module versions do not have this after the +"
        )),
        None => Err(format!("{named:?} is not a valid version: {hint}")),
    }
}

/// From the lowest version of `v1` or `v1.2` to the lowest behind it.
fn whole_line(parts: &Semver<'_>) -> (Version, Version) {
    let minor = parts.minor;
    let low = format!("v{}.{}.0-0", parts.major, minor.unwrap_or("0"));
    let high = match minor {
        Some(minor) => format!("v{}.{}.0-0", parts.major, next(minor)),
        None => format!("v{}.0.0-0", next(parts.major)),
    };
    (Version::of(low), Version::of(high))
}

/// The number behind a decimal one of any length.
fn next(number: &str) -> String {
    let kept = number.trim_end_matches('9');
    let nines = number.len() - kept.len();
    let mut digits = kept.to_owned();
    match digits.pop() {
        Some(last) => digits.push(char::from(last as u8 + 1)),
        None => digits.push('1'),
    }
    digits.extend(std::iter::repeat_n('0', nines));
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(constraint: &str, version: &str) -> bool {
        let set = VersionSet::parse(constraint).unwrap_or_else(|e| panic!("{constraint}: {e}"));
        set.contains(&semver::parse(version).unwrap())
    }

    #[test]
    fn versions_are_in_or_out_as_go_orders_them() {
        let rows = [
            (
                "<0.31.0",
                &[
                    "v0.30.9",
                    "v0.31.0-rc.1",
                    "v0.0.0-20240102030405-0123456789ab",
                ][..],
                &["v0.31.0", "v0.31.0+incompatible", "v1.0.0"][..],
            ),
            (
                "<= v1.2.3",
                &["v1.2.3", "v1.2.3-pre"],
                &["v1.2.4-0.20240102030405-0123456789ab"],
            ),
            (
                ">v1.2.3",
                &["v1.2.4-pre", "v1.10.0"],
                &["v1.2.3", "v1.2.3-pre"],
            ),
            (
                ">=1.2.0 <1.5.0",
                &["v1.2.0", "v1.5.0-rc1"],
                &["v1.2.0-rc1", "v1.5.0"],
            ),
            (
                ">=1.2.0 !=1.2.7 <1.5.0 || v2 || =3.0.0-beta.1",
                &[
                    "v1.2.6",
                    "v2.0.0-alpha",
                    "v2.9.9+incompatible",
                    "v3.0.0-beta.1",
                ],
                &["v1.2.7", "v1.6.0", "v3.0.0-0", "v3.0.0", "v3.0.0-beta.2"],
            ),
            (
                "v1.2",
                &["v1.2.0", "v1.2.0-pre", "v1.2.99"],
                &["v1.1.9", "v1.3.0", "v1.3.0-0"],
            ),
            ("v1.9", &["v1.9.1"], &["v1.10.0", "v1.90.0"]),
            ("v99", &["v99.1.0"], &["v100.0.0", "v100.0.0-0"]),
            (
                "v1.2.3",
                &["v1.2.3", "v1.2.3+incompatible"],
                &["v1.2.3-pre", "v1.2.4"],
            ),
            ("<2", &["v1.9.0", "v2.0.0-rc1"], &["v2.0.0"]),
            (">=v1.2", &["v1.2.0", "v3.0.0"], &["v1.2.0-rc1"]),
            (">1.0.0 >1.2.0 >=1.1.0", &["v1.2.1"], &["v1.2.0"]),
            (
                "!=1.0.0",
                &["v1.0.1", "v1.0.0-pre"],
                &["v1.0.0", "v1.0.0+incompatible"],
            ),
        ];
        table_rows::check(rows, |(constraint, inside, outside)| {
            for version in inside {
                assert!(contains(constraint, version), "{version} in {constraint}");
            }
            for version in outside {
                assert!(
                    !contains(constraint, version),
                    "{version} not in {constraint}"
                );
            }
        });
    }

    #[test]
    fn an_invalid_constraint_is_refused() {
        let rows = [
            ("", "empty alternative"),
            ("<1.2.0 ||", "empty alternative"),
            ("<", "without a version"),
            ("<=v1.2", "all three numbers"),
            (">v1", "all three numbers"),
            ("=v1", "all three numbers"),
            ("^1.2.0", "write both bounds"),
            ("~1.2.0", "write both bounds"),
            ("1.2.x", "wildcards are not"),
            (">=1.0.0,<2.0.0", "commas"),
            ("=>1.0.0", "operator"),
            ("==1.0.0", "operator"),
            ("1.2.3.4", "not a valid version"),
            ("v01.2.3", "not a valid version"),
            ("master", "not a valid version"),
            ("1.2.3+meta", "after the +"),
            (">2.0.0 <1.0.0", "no version can meet"),
            (">1.0.0 <1.0.0", "no version can meet"),
            ("=1.0.0 !=1.0.0", "no version can meet"),
            ("v1 v2", "no version can meet"),
        ];
        table_rows::check(rows, |(bad, why)| {
            let error = VersionSet::parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad:?}: {error}");
        });
    }
}
