//! Private names: the modules of which no checksum database hears but their own.

use super::rules::behind_gopkg_in;
use crate::pattern::{PatternSet, Rank};

/// The patterns of all private names of a policy.
#[derive(Clone, Debug, Default)]
pub struct PrivateNames {
    pub(crate) patterns: Vec<Private>,
    /// The ranks are places among the patterns, first as they are written, then with case folded.
    pub(crate) set: Option<PatternSet>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Private {
    /// As `GONOSUMDB` has it; `None` for an expression, which it has not.
    pub(crate) text: Option<String>,
    pub(crate) says: Says,
}

/// What makes a name private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
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
    pub fn kept_from(&self, database: &str, module: &str) -> Option<String> {
        let is_own = |says: &Says| matches!(says, Says::OwnedBy(owner) if owner == database);
        if self.find(module, &is_own).is_some() {
            return None;
        }
        let (private, as_written) = self.find(module, &|_| true)?;
        let text = private.text.as_ref().filter(|_| as_written);
        Some(text.map_or(module, String::as_str).to_owned())
    }

    /// Whether the filter itself must not ask this database about a module.
    pub(crate) fn is_not_queried(&self, database: &str, module: &str) -> bool {
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
