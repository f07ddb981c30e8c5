//! Names that some file systems take for one.
//!
//! x/mod's `collisionChecker` in an order of its own: sorted without regard to case, names that
//! collide stand side by side, so that no map of all folders is needed.

use std::cmp::Ordering;

use super::error::ZipFault;
use super::names::is_folder;
use crate::gomod::fold_case;

/// The order in which names that collide are neighbours: by element, without regard to case.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    // What is the same needs no folding, as far as the character in which they differ.
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let starts = (0..=same).rev().find(|at| a.is_char_boundary(*at));
    let behind = |name| str::get(name, starts.unwrap_or(0)..).unwrap_or(name);
    folded(behind(a)).cmp(folded(behind(b)))
}

/// Whether two names cannot be files of one folder tree, and why.
pub(super) fn collision(a: &str, b: &str) -> Option<ZipFault> {
    let (mut of_a, mut of_b) = (a.split('/'), b.split('/'));
    loop {
        match (of_a.next(), of_b.next()) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => {
                let same = compare(x, y) == Ordering::Equal;
                return same.then_some(ZipFault::CaseCollision);
            }
            // A folder has no content that the second could change.
            (None, None) => return (!is_folder(a)).then_some(ZipFault::Duplicate),
            _ => return Some(ZipFault::FileAndFolder),
        }
    }
}

/// The name's characters without their case, and below all others what ends an element: then
/// `a` and `a/b` are neighbours, and `a-b` is behind them.
fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .map(|c| if c == '/' { '\0' } else { fold_case(c) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_collide_are_reported() {
        let rows = [
            ("a.go", "a.go", Some(ZipFault::Duplicate)),
            ("a.go", "A.go", Some(ZipFault::CaseCollision)),
            ("x/a.go", "X/b.go", Some(ZipFault::CaseCollision)),
            ("x/y/a.go", "x/Y/b.go", Some(ZipFault::CaseCollision)),
            ("x", "x/a.go", Some(ZipFault::FileAndFolder)),
            ("straße", "STRAßE", Some(ZipFault::CaseCollision)),
            ("\u{212a}", "k", Some(ZipFault::CaseCollision)),
            ("\u{17f}", "S", Some(ZipFault::CaseCollision)),
            ("σ", "ς", Some(ZipFault::CaseCollision)),
            ("straße", "strasse", None),
            ("ı", "i", None),
            ("x/a.go", "x-y/a.go", None),
            ("x/a.go", "x/b.go", None),
            ("ab", "a/b", None),
            ("a/", "a", Some(ZipFault::FileAndFolder)),
            ("a/", "A", Some(ZipFault::CaseCollision)),
            ("a/", "A/", Some(ZipFault::CaseCollision)),
            ("a/", "A/b", Some(ZipFault::CaseCollision)),
            ("a/b/", "a", Some(ZipFault::FileAndFolder)),
            ("a/", "a/b", None),
            ("a/", "a/", None),
            ("", "a", None),
            ("", "", None),
        ];
        table_rows::check(rows, |(a, b, why)| {
            assert_eq!(collision(a, b), why, "{a} {b}");
            assert_eq!(collision(b, a), why, "{b} {a}");
        });
    }

    #[test]
    fn a_folder_and_what_is_in_it_are_neighbours() {
        let mut names = ["a-b", "A/c", "a", "a!", "a/b", "B", "a/", "ab", ""];
        names.sort_by(|x, y| compare(x, y));
        assert_eq!(names, ["", "a", "a/", "a/b", "A/c", "a!", "a-b", "ab", "B"]);
    }
}
