//! What users write as patterns, and what they expect of them.

use super::*;

fn set(patterns: &[&str]) -> PatternSet {
    let mut builder = PatternSetBuilder::default();
    for (rank, pattern) in patterns.iter().enumerate() {
        builder.add(pattern, rank as Rank, true).unwrap();
    }
    builder.build()
}

fn refused(pattern: &str) -> String {
    PatternSetBuilder::default()
        .add(pattern, 0, true)
        .expect_err(pattern)
}

#[test]
fn a_pattern_ends_at_a_path_element() {
    let set = set(&["corp.example/acme"]);
    assert_eq!(set.first_match("corp.example/acme"), Some(0));
    assert_eq!(set.first_match("corp.example/acme/lib/v2"), Some(0));
    assert_eq!(set.first_match("corp.example/acme-evil"), None);
    assert_eq!(set.first_match("corp.example"), None);
    assert_eq!(set.first_match("corp.example/Acme"), None);
}

#[test]
fn the_first_pattern_decides_whatever_its_form() {
    let set = set(&[
        "re:corp\\.example/[a-z]+-test",
        "corp.example/*/lib",
        "corp.example/pay*",
        "corp.example/payments",
        "*",
    ]);
    assert_eq!(set.first_match("corp.example/pay-test"), Some(0));
    assert_eq!(set.first_match("corp.example/payments/lib"), Some(1));
    assert_eq!(set.first_match("corp.example/payments"), Some(2));
    assert_eq!(set.first_match("other.example"), Some(4));
}

#[test]
fn globs_with_one_prefix_are_told_apart() {
    let set = set(&[
        "a.b/x-*-one",
        "a.b/x-*-two",
        "a.b/y*",
        "a.b/[xy]z",
        "*.org/q?",
    ]);
    assert_eq!(set.first_match("a.b/x-1-one"), Some(0));
    assert_eq!(set.first_match("a.b/x-1-two/sub"), Some(1));
    assert_eq!(set.first_match("a.b/yz"), Some(2));
    assert_eq!(set.first_match("a.b/xz"), Some(3));
    assert_eq!(set.first_match("golang.org/q1"), Some(4));
    assert_eq!(set.first_match("golang.org/q12"), None);
}

#[test]
fn it_knows_which_patterns_lie_below() {
    let set = set(&["corp.example/team/lib", "*.org/x", "re:re\\.example/[a-z]+"]);
    assert_eq!(set.allow_below("corp.example"), Some(0));
    assert_eq!(set.allow_below("corp.example/team"), Some(0));
    assert_eq!(set.allow_below("corp.example/team/lib"), None);
    assert_eq!(set.allow_below("golang.org"), Some(1));
    assert_eq!(set.allow_below("re.example"), Some(2));
    assert_eq!(set.allow_below("none.example"), None);
}

#[test]
fn it_knows_what_matches_each_path_above() {
    let set = set(&["re:a\\.b/c/d", "a.b/c", "*.b/*/d/e", "re:.*/x/x"]);
    let above = set.first_matches_above("a.b/c/d/e/f");
    assert_eq!(above, [None, Some(1), Some(0), Some(1)]);
    assert!(set.first_matches_above("a.b").is_empty());
    // Further below than any pattern reaches, the same as before.
    let long = format!("q.b{}", "/x".repeat(2000));
    let above = set.first_matches_above(&long);
    assert_eq!(above.len(), 2000);
    assert!(above[2..].iter().all(|rank| *rank == Some(3)));
    for (rank, (end, _)) in above.iter().zip(long.match_indices('/')) {
        let (path, _) = long.split_at(end);
        assert_eq!(*rank, set.first_match(path), "{path}");
    }
}

#[test]
fn expressions_are_bounded_together() {
    let mut builder = PatternSetBuilder::default();
    let added: Vec<_> = (0..40)
        .map(|rank| builder.add(&format!("re:(a|b)*a(a|b){{10}}{rank}"), rank, true))
        .collect();
    assert!(added[0].is_ok(), "{added:?}");
    let refused = added.last().unwrap().as_ref().unwrap_err();
    assert!(refused.contains("together too complex"), "{refused}");
}

#[test]
fn what_can_never_match_is_refused_with_the_reason() {
    for (pattern, hint) in [
        ("", "empty"),
        ("corp", "no dot"),
        ("Corp.example", "lower case"),
        ("corp.example//lib", "empty path element"),
        ("/corp.example", "empty path element"),
        ("corp.example/.git", "dot"),
        ("corp.example/lib@v1", "versions are no part"),
        ("https://corp.example", "scheme"),
        ("corp.example/a,corp.example/b", "commas"),
        ("corp.example/!acme", "escape"),
        ("corp.example/a\\.b", "re:"),
        ("corp.example/é", "no module path"),
        ("corp.example/[a", "without its ]"),
        ("re:(", "unclosed"),
        ("re:é", "ASCII"),
    ] {
        let message = refused(pattern);
        assert!(message.contains(hint), "{pattern}: {message}");
    }
}

#[test]
fn a_wildcard_can_stand_for_the_dot_of_a_domain() {
    let set = set(&["corp*"]);
    assert_eq!(set.first_match("corp.example/lib"), Some(0));
}
