//! Compiles what a document says of private names.

use std::collections::BTreeMap;

use super::Errors;
use crate::document::{IntegrityDoc, Path, SumdbDoc, Text};
use crate::model::private::{Private, PrivateNames, Says};
use crate::pattern::{Meaning, PatternSetBuilder, Rank};

/// How a pattern is meant: as `GOPRIVATE` has it, and what is like it. On many hosts another case of the
/// letters is the same repository, and below a private path everything is.
const MEANING: Meaning = Meaning {
    allows: false,
    exact: false,
    fold_case: false,
    covers_below: true,
};

/// Compiles what the document says of private names.
pub(crate) fn compile(
    errors: &mut Errors,
    root: &Path,
    integrity: Option<&IntegrityDoc>,
    databases: Option<&BTreeMap<String, SumdbDoc>>,
) -> PrivateNames {
    let mut lists: Vec<(Path, &Vec<Text>, Says)> = Vec::new();
    if let Some(patterns) = integrity.and_then(|integrity| integrity.private.as_ref()) {
        let at = root.key("integrity").key("private");
        lists.push((at, patterns, Says::Integrity));
    }
    for (name, database) in databases.into_iter().flatten() {
        let at = root.key("sumdb").key(name);
        if let Some(patterns) = &database.private {
            lists.push((at.key("private"), patterns, Says::Private));
        }
        if let Some(patterns) = &database.modules {
            lists.push((at.key("modules"), patterns, Says::OwnedBy(name.clone())));
        }
    }
    let count: usize = lists.iter().map(|(_, patterns, _)| patterns.len()).sum();
    let mut names = PrivateNames::default();
    let mut builder = PatternSetBuilder::default();
    for (at, patterns, says) in &lists {
        if patterns.is_empty() {
            let message = "an empty list matches nothing; leave it out, or use \"*\" for all";
            errors.add(at, message);
        }
        for (i, pattern) in patterns.iter().enumerate() {
            let is_expression = pattern.starts_with("re:");
            let rank = names.patterns.len();
            let folded = Meaning {
                fold_case: true,
                ..MEANING
            };
            let added = if is_expression {
                builder.add(pattern, (rank + count) as Rank, folded)
            } else {
                // A class of letters has no other case: it is as it is written, and nothing else.
                let _ = builder.add(pattern, (rank + count) as Rank, folded);
                builder.add(pattern, rank as Rank, MEANING)
            };
            if let Err(message) = added {
                let message = format!("the pattern {:?}: {message}", &**pattern);
                errors.add(&at.index(i), message);
            }
            let text = pattern.strip_suffix('/').unwrap_or(pattern);
            names.patterns.push(Private {
                text: (!is_expression).then(|| text.to_owned()),
                says: says.clone(),
            });
        }
    }
    if count > 0 {
        names.set = Some(builder.build());
    }
    names
}
