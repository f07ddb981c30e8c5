//! Table tests that report every bad row, not the first alone.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How much of a row stands before what is wrong with it: its name is its first part.
const SHOWN: usize = 160;

/// Runs the check on every row, and fails at the end with all rows that it panicked on.
///
/// # Panics
/// Where a row is bad, or there is none: a table that somebody emptied would pass.
#[track_caller]
pub fn check<R: Debug>(rows: impl IntoIterator<Item = R>, mut check: impl FnMut(R)) {
    let mut bad = Vec::new();
    let mut count = 0;
    for row in rows {
        count += 1;
        let name: String = format!("{row:?}").chars().take(SHOWN).collect();
        // What a row leaves half done is the test's own, and each row makes its own.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(row))) {
            bad.push(format!("{name}: {}", message(&*panic)));
        }
    }
    assert!(count > 0, "the table has no rows");
    assert!(
        bad.is_empty(),
        "{} of {count} rows are bad:\n{}",
        bad.len(),
        bad.join("\n")
    );
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bad_rows_are_reported_by_name() {
        let rows = [("good", 1, 1), ("less", 1, 2), ("more", 2, 1)];
        let result = catch_unwind(|| check(rows, |(_, have, want)| assert_eq!(have, want)));
        let panic = result.unwrap_err();
        let said = message(&*panic);
        assert!(said.starts_with("2 of 3 rows are bad:\n"), "{said}");
        let named = ["(\"less\", 1, 2): assertion", "(\"more\", 2, 1): assertion"];
        assert!(named.iter().all(|row| said.contains(row)), "{said}");
        assert!(!said.contains("good"), "{said}");
    }

    #[test]
    #[should_panic(expected = "the table has no rows")]
    fn an_empty_table_is_no_test() {
        check([] as [&str; 0], |_| {});
    }

    #[test]
    fn good_rows_pass() {
        check(["a", "b"], |row| assert_eq!(row.len(), 1));
    }
}
