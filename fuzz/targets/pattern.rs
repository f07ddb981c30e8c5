//! Patterns of module paths: all lines but the last are patterns, the last is a path.
//!
//! What a set says is what its patterns say one by one; a glob says what it says as a regular
//! expression; and an expression says what another implementation of expressions makes of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modgate_fuzz::budget::{OF_A_POLICY, OF_A_REQUEST, within};
use modgate_go::gomod::check_path;
use modgate_policy::pattern::{Meaning, PatternSet, PatternSetBuilder, Rank};

const ALLOW: Meaning = Meaning {
    allows: true,
    exact: false,
    fold_case: false,
    covers_below: false,
};

/// How many patterns of an input are taken.
const MOST_PATTERNS: usize = 4;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (patterns, path) = text
        .rsplit_once('\n')
        .unwrap_or((text, "golang.org/x/text"));
    let good: Vec<(&str, PatternSet)> = patterns
        .lines()
        .take(MOST_PATTERNS)
        .filter_map(|pattern| Some((pattern, set(&[pattern]).ok()?)))
        .collect();
    // The engine is only asked for modules.
    if check_path(path).is_err() {
        return;
    }
    for (pattern, alone) in &good {
        let matches = match_of(alone, path).is_some();
        check_below(pattern, alone, path, matches);
        match pattern.strip_prefix("re:") {
            Some(expression) => check_expression(expression, path, matches),
            None => check_glob(pattern, path, matches),
        }
    }
    check_together(&good, path);
});

fn set(patterns: &[&str]) -> Result<PatternSet, String> {
    within(OF_A_POLICY, || {
        let mut builder = PatternSetBuilder::default();
        for (rank, pattern) in patterns.iter().enumerate() {
            builder.add(pattern, rank as Rank, ALLOW)?;
        }
        Ok(builder.build())
    })
}

fn match_of(set: &PatternSet, path: &str) -> Option<Rank> {
    within(OF_A_REQUEST, || set.first_match(path))
}

/// The first that matches alone is the one that matches in the set.
fn check_together(good: &[(&str, PatternSet)], path: &str) {
    let patterns: Vec<&str> = good.iter().map(|(pattern, _)| *pattern).collect();
    let together = match set(&patterns) {
        Ok(together) => together,
        Err(why) => {
            assert!(why.contains("together"), "good alone, bad together: {why}");
            return;
        }
    };
    let first = |said: &dyn Fn(&PatternSet) -> Option<Rank>| {
        let place = good.iter().position(|(_, alone)| said(alone).is_some());
        place.map(|place| place as Rank)
    };
    assert_eq!(
        match_of(&together, path),
        first(&|alone| match_of(alone, path)),
        "{path}"
    );
    assert_eq!(
        together.allow_below(path),
        first(&|alone| alone.allow_below(path)),
        "below {path}"
    );
    let above = within(OF_A_REQUEST, || {
        together.first_matches_above(path, &mut |_| true)
    });
    let one_by_one: Vec<_> = path
        .match_indices('/')
        .map(|(end, _)| together.first_match(&path[..end]))
        .collect();
    assert_eq!(above, one_by_one, "above {path}");
}

/// What matches a path and not one above it lies below that one.
fn check_below(pattern: &str, alone: &PatternSet, path: &str, matches: bool) {
    if !matches {
        return;
    }
    for (end, _) in path.match_indices('/') {
        let above = &path[..end];
        if match_of(alone, above).is_none() {
            let below = within(OF_A_REQUEST, || alone.allow_below(above));
            assert_eq!(below, Some(0), "{pattern} below {above}");
        }
    }
    if !pattern.starts_with("re:") {
        let deeper = format!("{path}/x");
        assert!(match_of(alone, &deeper).is_some(), "{pattern}, {deeper}");
    }
}

/// A glob, written as an expression, matches the same.
fn check_glob(pattern: &str, path: &str, matches: bool) {
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let mut expression = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => {
                expression.push_str("(?:[");
                if chars.next_if_eq(&'^').is_some() {
                    expression.push('^');
                }
                for c in chars.by_ref().take_while(|&c| c != ']') {
                    match c {
                        '-' => expression.push('-'),
                        c => expression.push_str(&escaped(c)),
                    }
                }
                expression.push_str("])");
            }
            c => expression.push_str(&escaped(c)),
        }
    }
    expression.push_str("(?:/.*)?");
    check_expression(&expression, path, matches);
    let by_expression = set(&[&format!("re:{expression}")]);
    if let Ok(by_expression) = by_expression {
        assert_eq!(
            match_of(&by_expression, path).is_some(),
            matches,
            "{pattern} as {expression}, {path}"
        );
    }
}

fn escaped(c: char) -> String {
    format!("\\x{:02x}", u32::from(c))
}

/// The whole path matches, to the engine and to another implementation.
fn check_expression(expression: &str, path: &str, matches: bool) {
    let whole = format!("^(?:{expression})$");
    let other = regex_lite::RegexBuilder::new(&whole)
        .size_limit(1 << 15)
        .build();
    if let Ok(other) = other {
        assert_eq!(other.is_match(path), matches, "{expression}, {path}");
    }
}
