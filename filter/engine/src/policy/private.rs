//! Private names: the modules of which no checksum database hears but their own.

use std::collections::BTreeMap;

use super::compile::Errors;
use super::document::{IntegrityDoc, SumdbDoc, Text};
use super::error::Path;
use super::pattern::{Meaning, PatternSet, PatternSetBuilder, Rank};
use super::rules::behind_gopkg_in;

/// How a pattern is meant: as `GOPRIVATE` has it, and what is like it. On many hosts another case of the
/// letters is the same repository, and below a private path everything is.
const MEANING: Meaning = Meaning {
    allows: false,
    exact: false,
    fold_case: false,
    covers_below: true,
};

/// The patterns of all private names of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrivateNames {
    patterns: Vec<Private>,
    /// The ranks are places among the patterns, first as they are written, then with case folded.
    set: Option<PatternSet>,
}

#[derive(Clone, Debug)]
struct Private {
    /// As `GONOSUMDB` has it; `None` for an expression, which it has not.
    text: Option<String>,
    says: Says,
}

/// What makes a name private.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Says {
    /// `integrity.private`.
    Integrity,
    /// The `private` of some database.
    Private,
    /// The `modules` of this database, which is their own.
    OwnedBy(String),
}

impl PrivateNames {
    /// What to set `GONOSUMDB` to for a module of which this database must not hear; `None` where it
    /// may.
    pub(crate) fn kept_from(&self, database: &str, module: &str) -> Option<String> {
        let is_own = |says: &Says| matches!(says, Says::OwnedBy(owner) if owner == database);
        if self.find(module, &is_own).is_some() {
            return None;
        }
        let (private, as_written) = self.find(module, &|_| true)?;
        let text = private.text.as_ref().filter(|_| as_written);
        Some(text.map_or(module, String::as_str).to_owned())
    }

    /// Whether the filter itself must not ask this database about a module.
    pub(crate) fn is_not_asked(&self, database: &str, module: &str) -> bool {
        self.find(module, &|says| *says == Says::Integrity)
            .is_some()
            || self.kept_from(database, module).is_some()
    }

    /// The first pattern that matches and counts, and whether it does so as it is written.
    fn find(&self, module: &str, counts: &dyn Fn(&Says) -> bool) -> Option<(&Private, bool)> {
        let set = self.set.as_ref()?;
        let count = self.patterns.len();
        let of_rank = |rank: Rank| {
            let rank = rank as usize;
            let private = self.patterns.get(rank.checked_sub(count).unwrap_or(rank))?;
            Some((private, rank < count))
        };
        let mut admits = |rank| of_rank(rank).is_some_and(|(private, _)| counts(&private.says));
        if let Some(rank) = set.first_match_where(module, &mut admits) {
            return of_rank(rank);
        }
        let alias = behind_gopkg_in(module)?;
        let (private, _) = of_rank(set.first_match_where(&alias, &mut admits)?)?;
        Some((private, false))
    }
}

/// Compiles what the document says of private names.
pub(super) fn compile(
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
