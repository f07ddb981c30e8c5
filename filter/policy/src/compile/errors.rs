//! What is wrong with a document, and where.

use crate::document::{Path, PolicyError, Text, did_you_mean, name_error, reserved_error};
use crate::pattern::{Meaning, PatternSetBuilder, Rank};

/// Collects errors with their places.
#[derive(Default)]
pub(crate) struct Errors(pub(crate) Vec<PolicyError>);

impl Errors {
    pub(crate) fn add(&mut self, path: &Path, message: impl Into<String>) {
        self.0.push(path.error(message));
    }

    /// Notes what is wrong with the name of something.
    pub(crate) fn check_name(&mut self, path: &Path, what: &str, name: &str) {
        let error = name_error(what, name).or_else(|| reserved_error(what, name));
        if let Some(message) = error {
            self.add(path, message);
        }
    }

    /// Adds a list of patterns with one rank.
    pub(crate) fn add_patterns(
        &mut self,
        path: &Path,
        patterns: &[Text],
        builder: &mut PatternSetBuilder,
        rank: Rank,
        meaning: Meaning,
    ) {
        if patterns.is_empty() {
            self.add(
                path,
                "an empty list matches nothing; leave it out, or use \"*\" for all",
            );
        }
        for (i, pattern) in patterns.iter().enumerate() {
            if let Err(message) = builder.add(pattern, rank, meaning) {
                self.add(
                    &path.index(i),
                    format!("the pattern {:?}: {message}", &**pattern),
                );
            }
        }
    }

    /// The place of a name among known ones.
    pub(crate) fn find<T>(
        &mut self,
        path: &Path,
        what: &str,
        name: &str,
        known: &[T],
        name_of: impl Fn(&T) -> &str,
    ) -> Option<usize> {
        let found = known.iter().position(|item| name_of(item) == name);
        if found.is_none() {
            let names: Vec<_> = known.iter().map(&name_of).take(10).collect();
            let list = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            let hint = did_you_mean(name, known.iter().map(&name_of));
            self.add(
                path,
                format!("no {what} is named {name:?}; there are: {list}{hint}"),
            );
        }
        found
    }
}
