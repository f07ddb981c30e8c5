//! `re:` patterns: an anchored regular expression, compiled to a table so that a decision's time is
//! bounded by the path's length whatever the expression is.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start, syntax};
use regex_automata::{Anchored, MatchKind};

use modgate_go::gomod::is_path_byte;

/// The largest table of one expression, in bytes. An alternation of fifty names is half as large.
pub(super) const MAX_TABLE_BYTES: usize = 256 << 10;

/// The most bytes that are used to make a table; it bounds the time, some hundredths of a second.
const MAX_BUILD_BYTES: usize = 2 * MAX_TABLE_BYTES;

/// The largest automaton that a table is made of, in bytes.
const MAX_NFA_BYTES: usize = MAX_TABLE_BYTES / 2;

/// A compiled `re:` pattern. It must match the whole module path.
#[derive(Clone, Debug)]
pub(super) struct Regex {
    table: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Regex {
    /// Compiles an expression (ASCII; syntax of the `regex` crate, without Unicode classes), to which
    /// with `fold_case` `A` and `a` are the same.
    ///
    /// # Errors
    /// What is no regular expression, or one whose table would be larger than 256 KiB.
    pub(super) fn compile(expression: &str, fold_case: bool) -> Result<Self, String> {
        let syntax = syntax::Config::new()
            .unicode(false)
            .utf8(false)
            .case_insensitive(fold_case);
        syntax::parse_with(expression, &syntax).map_err(|error| last_line(&error.to_string()))?;
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::All)
                    .dfa_size_limit(Some(MAX_TABLE_BYTES))
                    .determinize_size_limit(Some(MAX_BUILD_BYTES)),
            )
            .thompson(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(MAX_NFA_BYTES)),
            )
            .syntax(syntax)
            .build(expression)
            .map_err(|error| format!("too complex for the limit on matching time: {error}"))?;
        let start = table
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| error.to_string())?;
        Ok(Self { table, start })
    }

    /// Whether the whole path matches: the search is anchored at the start, and only a match that
    /// ends where the path ends is looked at.
    pub(super) fn matches(&self, path: &str) -> bool {
        let state = self.run(self.start, path.as_bytes());
        self.table.is_match_state(self.table.next_eoi_state(state))
    }

    /// Which of the paths above this one match whole, by their place, the shortest first.
    pub(super) fn matches_above(&self, path: &str) -> impl Iterator<Item = usize> {
        let mut state = self.start;
        let mut rest = path.as_bytes();
        let mut ends = path.match_indices('/').enumerate();
        let mut read = 0;
        std::iter::from_fn(move || {
            for (i, (end, _)) in ends.by_ref() {
                let (element, behind) = rest.split_at_checked(end - read)?;
                state = self.run(state, element);
                if self.table.is_dead_state(state) {
                    return None;
                }
                (rest, read) = (behind, end);
                if self.table.is_match_state(self.table.next_eoi_state(state)) {
                    return Some(i);
                }
            }
            None
        })
    }

    /// The size of its table, in bytes.
    pub(super) fn table_bytes(&self) -> usize {
        self.table.memory_usage()
    }

    /// Whether something that begins with `path` and a slash could match.
    pub(super) fn reaches_below(&self, path: &str) -> bool {
        let below = self
            .table
            .next_state(self.run(self.start, path.as_bytes()), b'/');
        // The table tells of a match one byte late, so one more byte must leave it alive.
        (0..=u8::MAX)
            .filter(|&byte| is_path_byte(byte))
            .any(|byte| !self.table.is_dead_state(self.table.next_state(below, byte)))
    }

    /// Most expressions begin with a host, and most paths are on another: no more is read than can
    /// still match.
    fn run(&self, from: StateID, bytes: &[u8]) -> StateID {
        let mut state = from;
        for &byte in bytes {
            if self.table.is_dead_state(state) {
                break;
            }
            state = self.table.next_state(state, byte);
        }
        state
    }
}

/// The parser's errors draw the expression over several lines; the last says what is wrong.
fn last_line(error: &str) -> String {
    error.lines().last().unwrap_or(error).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_path_must_match() {
        let regex = Regex::compile(r"^github\.com/[^/]+/.*-test$", false).unwrap();
        assert!(regex.matches("github.com/a/b-test"));
        assert!(regex.matches("github.com/a/b/c-test"));
        assert!(!regex.matches("github.com/a/b-test/v2"));
        assert!(!regex.matches("xgithub.com/a/b-test"));

        let unanchored = Regex::compile("corp|acme", false).unwrap();
        assert!(unanchored.matches("corp") && unanchored.matches("acme"));
        assert!(!unanchored.matches("corp.example"));
    }

    #[test]
    fn it_knows_what_could_lie_below() {
        let regex = Regex::compile(r"(corp|acme)\.example/[^/]+/lib", false).unwrap();
        assert!(regex.reaches_below("corp.example"));
        assert!(regex.reaches_below("acme.example/team"));
        assert!(!regex.reaches_below("corp.example/team/lib"));
        assert!(!regex.reaches_below("other.example"));
    }

    #[test]
    fn it_knows_which_paths_above_match() {
        let regex = Regex::compile(r"a\.b(/c)?(/d)?", false).unwrap();
        let above = |path| regex.matches_above(path).collect::<Vec<_>>();
        assert_eq!(above("a.b/c/d/e"), [0, 1, 2]);
        assert_eq!(above("a.b/d/c/e"), [0, 1]);
        assert!(above("a.b").is_empty() && above("x/a.b/c").is_empty());
    }

    #[test]
    fn an_alternation_of_many_names_is_no_trouble() {
        let names: Vec<String> = (0..60).map(|i| format!("team-{i}-service")).collect();
        let regex = Regex::compile(
            &format!(r"github\.com/corp/({})(/.*)?", names.join("|")),
            false,
        );
        assert!(regex.unwrap().matches("github.com/corp/team-59-service/v2"));
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        for bad in [
            "(",
            "a{2,1}",
            r"\p{Greek}",
            "[a-z]{1000}{1000}",
            "(a|b)*a(a|b){20}",
            // Small in words, and half a second to make a table of.
            "(.{0,200}/){0,3}x",
        ] {
            assert!(Regex::compile(bad, false).is_err(), "{bad}");
        }
    }
}
