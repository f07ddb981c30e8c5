//! What users write as patterns, and what they expect of them.

use super::*;

const ALLOW: Meaning = Meaning {
    allows: true,
    exact: false,
    fold_case: false,
    covers_below: false,
};

fn set(patterns: &[&str]) -> PatternSet {
    let mut builder = PatternSetBuilder::default();
    for (rank, pattern) in patterns.iter().enumerate() {
        builder.add(pattern, rank as Rank, ALLOW).unwrap();
    }
    builder.build()
}

fn refused(pattern: &str) -> String {
    PatternSetBuilder::default()
        .add(pattern, 0, ALLOW)
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
fn globs_with_one_prefix_are_distinguished() {
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
    let above = set.first_matches_above("a.b/c/d/e/f", &mut |_| true);
    assert_eq!(above, [None, Some(1), Some(0), Some(1)]);
    assert!(set.first_matches_above("a.b", &mut |_| true).is_empty());
    // Further below than any pattern reaches, the same as before.
    let long = format!("q.b{}", "/x".repeat(2000));
    let above = set.first_matches_above(&long, &mut |_| true);
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
        .map(|rank| builder.add(&format!("re:(a|b)*a(a|b){{10}}{rank}"), rank, ALLOW))
        .collect();
    assert!(added[0].is_ok(), "{added:?}");
    let refused = added.last().unwrap().as_ref().unwrap_err();
    assert!(refused.contains("together too complex"), "{refused}");
}

#[test]
fn what_can_never_match_is_refused_with_the_reason() {
    let rows = [
        ("", "empty"),
        ("corp", "no dot"),
        ("Corp.example", "lower-case"),
        ("corp.example//lib", "empty path element"),
        ("/corp.example", "empty path element"),
        ("corp.example/.git", "dot"),
        ("corp.example/lib@v1", "without a version"),
        ("https://corp.example", "scheme"),
        ("corp.example/a,corp.example/b", "commas"),
        ("corp.example/!acme", "escape"),
        ("corp.example/a\\.b", "re:"),
        ("corp.example/é", "not valid in a module path"),
        ("corp.example/[a", "without a matching ]"),
        ("re:(", "unclosed"),
        ("re:é", "ASCII"),
    ];
    table_rows::check(rows, |(pattern, hint)| {
        let message = refused(pattern);
        assert!(message.contains(hint), "{pattern}: {message}");
    });
}

#[test]
fn a_wildcard_can_stand_for_the_dot_of_a_domain() {
    let set = set(&["corp*"]);
    assert_eq!(set.first_match("corp.example/lib"), Some(0));
}

#[test]
fn an_exact_pattern_says_nothing_of_what_lies_below() {
    let mut builder = PatternSetBuilder::default();
    let exact = Meaning {
        exact: true,
        ..Meaning::default()
    };
    builder.add("corp.example/lib", 0, exact).unwrap();
    builder.add("corp.example/*", 1, exact).unwrap();
    builder.add("corp.example", 2, ALLOW).unwrap();
    let set = builder.build();
    assert_eq!(set.first_match("corp.example/lib"), Some(0));
    assert_eq!(set.first_match("corp.example/other"), Some(1));
    assert_eq!(set.first_match("corp.example/lib/v2"), Some(2));
    // A deep path has no exact pattern above it, however long it is.
    let deep = format!("corp.example{}", "/x".repeat(40));
    let above = set.first_matches_above(&deep, &mut |_| true);
    assert_eq!(above.iter().filter(|rank| **rank == Some(1)).count(), 1);
}

#[test]
fn case_is_nothing_to_a_folded_pattern() {
    let mut builder = PatternSetBuilder::default();
    let folded = Meaning {
        fold_case: true,
        covers_below: true,
        ..Meaning::default()
    };
    builder.add("github.com/BoltDB-go/bolt", 0, folded).unwrap();
    builder.add("github.com/Evil[A-Z]*", 1, folded).unwrap();
    builder
        .add("re:github\\.com/typo/.*-Test", 2, folded)
        .unwrap();
    builder.add("github.com/boltdb-go", 3, ALLOW).unwrap();
    let set = builder.build();
    assert_eq!(set.first_match("github.com/boltdb-GO/Bolt/v2"), Some(0));
    assert_eq!(set.first_match("github.com/evilx"), Some(1));
    assert_eq!(set.first_match("github.com/EVIL1"), None);
    assert_eq!(set.first_match("github.com/typo/a-TEST/v3"), Some(2));
    assert_eq!(set.first_match("github.com/boltdb-go/other"), Some(3));
    assert_eq!(set.first_match("github.com/BOLTDB-go/other"), None);
    for bad in ["github.com/[a-Z]", "github.com/x[^0-z]"] {
        let mut builder = PatternSetBuilder::default();
        let error = builder.add(bad, 0, folded).unwrap_err();
        assert!(error.contains("one case"), "{bad}: {error}");
    }
}

#[test]
fn an_expression_that_covers_is_no_shorter_than_a_glob() {
    let mut builder = PatternSetBuilder::default();
    let covers = Meaning {
        covers_below: true,
        ..Meaning::default()
    };
    builder
        .add("re:github\\.com/[^/]+/.*-test", 0, covers)
        .unwrap();
    let set = builder.build();
    assert_eq!(set.first_match("github.com/a/b-test/v2"), Some(0));
    assert_eq!(set.first_match("github.com/a/b-test/v2/sub"), Some(0));
    assert_eq!(set.first_match("github.com/a/b-tests"), None);
    let above = set.first_matches_above("github.com/a/b-test/v2/sub", &mut |_| true);
    assert_eq!(above, [None, None, Some(0), Some(0)]);
}

#[test]
fn ranks_that_do_not_count_are_skipped_one_by_one() {
    let set = set(&["corp.example/lib", "corp.example/lib", "corp.example", "*"]);
    for refused in 0..4 {
        let mut requested = Vec::new();
        let found = set.first_match_where("corp.example/lib", &mut |rank| {
            requested.push(rank);
            rank >= refused
        });
        assert_eq!(found, Some(refused));
        assert!(
            (0..refused).all(|rank| requested.contains(&rank)),
            "{requested:?}"
        );
    }
}
