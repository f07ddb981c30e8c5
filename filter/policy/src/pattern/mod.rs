//! Patterns of module paths: GOPRIVATE's globs, which end at path elements, and `re:` expressions.

mod glob;
mod regex;
mod trie;

use glob::Glob;
use regex::Regex;
use trie::{Element, NONE, Trie};

use modgate_go::gomod::is_path_byte;

/// The most elements that a pattern can have.
const MAX_ELEMENTS: usize = 32;

/// The most `re:` patterns that one set can have: each of them is tried on its own.
pub const MAX_EXPRESSIONS: usize = 64;

/// The most bytes that the tables of one set's `re:` patterns can have together, and so the bound of
/// the time that it takes to make them: some tenths of a second.
const MAX_TABLE_BYTES_OF_SET: usize = 8 * regex::MAX_TABLE_BYTES;

/// A place in the order in which patterns are tried; the lowest that matches decides.
pub type Rank = u32;

/// How a pattern is meant. The default: as `GOPRIVATE` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// What it is to [`PatternSet::allow_below`].
    pub allows: bool,
    /// Whether it matches nothing below the paths that it describes.
    pub exact: bool,
    /// Whether `A` and `a` are the same to it.
    pub fold_case: bool,
    /// Whether an expression matches, as globs do, what lies below the paths that it describes.
    pub covers_below: bool,
}

/// Ranked patterns.
#[derive(Clone, Debug)]
pub struct PatternSet {
    trie: Trie,
    /// The patterns to which case is nothing, in lower case.
    folded: Trie,
    /// By ascending rank.
    expressions: Vec<Expression>,
}

#[derive(Clone, Debug)]
struct Expression {
    rank: Rank,
    meaning: Meaning,
    regex: Regex,
}

/// Collects patterns into a [`PatternSet`].
#[derive(Debug)]
pub struct PatternSetBuilder {
    set: PatternSet,
    /// The bytes of the expressions' tables; one that was refused counts as the largest.
    table_bytes: usize,
}

impl Default for PatternSetBuilder {
    fn default() -> Self {
        Self {
            set: PatternSet {
                trie: Trie::new(),
                folded: Trie::new(),
                expressions: Vec::new(),
            },
            table_bytes: 0,
        }
    }
}

impl PatternSetBuilder {
    /// Adds a pattern with its rank.
    ///
    /// # Errors
    /// A pattern that is malformed or that no module path can match, in words.
    pub fn add(&mut self, pattern: &str, rank: Rank, meaning: Meaning) -> Result<(), String> {
        match pattern.strip_prefix("re:") {
            Some(expression) => self.add_expression(expression, rank, meaning),
            None => self.add_glob(pattern, rank, meaning),
        }
    }

    /// The finished set.
    pub fn build(mut self) -> PatternSet {
        self.set.trie.finish();
        self.set.folded.finish();
        self.set
            .expressions
            .sort_by_key(|expression| expression.rank);
        self.set
    }

    fn add_expression(&mut self, text: &str, rank: Rank, meaning: Meaning) -> Result<(), String> {
        if !text.is_ascii() {
            return Err("module paths are ASCII, so this can never match".to_owned());
        }
        if self.set.expressions.len() == MAX_EXPRESSIONS {
            return Err(format!(
                "more than {MAX_EXPRESSIONS} re: patterns in one set; use globs, which have no such limit"
            ));
        }
        if self.table_bytes > MAX_TABLE_BYTES_OF_SET {
            return Err(
                "the re: patterns of this set are together too complex; use globs, or more sets"
                    .to_owned(),
            );
        }
        self.table_bytes += regex::MAX_TABLE_BYTES;
        let regex = Regex::compile(text, meaning.fold_case)?;
        self.table_bytes -= regex::MAX_TABLE_BYTES.saturating_sub(regex.table_bytes());
        self.set.expressions.push(Expression {
            rank,
            meaning,
            regex,
        });
        Ok(())
    }

    fn add_glob(&mut self, pattern: &str, rank: Rank, meaning: Meaning) -> Result<(), String> {
        // As GOPRIVATE does it: a slash at the end means nothing.
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        check_characters(pattern)?;
        let (folded, trie);
        let pattern = if meaning.fold_case {
            glob::check_foldable(pattern)?;
            folded = pattern.to_ascii_lowercase();
            trie = &mut self.set.folded;
            &folded
        } else {
            trie = &mut self.set.trie;
            pattern
        };
        let count = pattern.split('/').count();
        if count > MAX_ELEMENTS {
            return Err(format!("more than {MAX_ELEMENTS} path elements"));
        }
        let mut elements = Vec::with_capacity(count);
        for (i, text) in pattern.split('/').enumerate() {
            elements.push(parse_element(text, i == 0)?);
        }
        trie.insert(elements.into_iter(), rank, meaning);
        Ok(())
    }
}

impl PatternSet {
    /// The lowest rank of a pattern that matches this module path.
    pub fn first_match(&self, path: &str) -> Option<Rank> {
        self.first_match_where(path, &mut |_| true)
    }

    /// The lowest rank that `admits` admits, of a pattern that matches this module path. Every rank of
    /// a matching pattern that is lower than the result was asked about, and refused.
    pub fn first_match_where(
        &self,
        path: &str,
        admits: &mut dyn FnMut(Rank) -> bool,
    ) -> Option<Rank> {
        let mut best = NONE;
        for expression in &self.expressions {
            if expression.matches(path) && admits(expression.rank) {
                best = expression.rank;
                break;
            }
        }
        let best = self.in_tries(path, best, admits);
        (best != NONE).then_some(best)
    }

    /// For each path above this one, the shortest first: the lowest rank that `admits` admits, of a
    /// pattern that matches it.
    ///
    /// A path of 4096 bytes can have 2048 above it, so each expression reads it once for all of them.
    pub fn first_matches_above(
        &self,
        path: &str,
        admits: &mut dyn FnMut(Rank) -> bool,
    ) -> Vec<Option<Rank>> {
        let mut ranks: Vec<Rank> = vec![NONE; path.matches('/').count()];
        for expression in self.expressions.iter().filter(|e| admits(e.rank)) {
            for above in expression.regex.matches_above(path) {
                let covered = if expression.meaning.covers_below {
                    ranks.len()
                } else {
                    above + 1
                };
                for rank in ranks.get_mut(above..covered).unwrap_or_default() {
                    *rank = (*rank).min(expression.rank);
                }
                if expression.meaning.covers_below {
                    break;
                }
            }
        }
        let mut in_tries = NONE;
        for ((end, _), (i, rank)) in path.match_indices('/').zip(ranks.iter_mut().enumerate()) {
            // No pattern is longer, so what is below matches the same.
            if i <= MAX_ELEMENTS {
                in_tries = self.in_tries(path.get(..end).unwrap_or_default(), NONE, admits);
            }
            *rank = (*rank).min(in_tries);
        }
        let matched = |rank| (rank != NONE).then_some(rank);
        ranks.into_iter().map(matched).collect()
    }

    /// The lowest rank of an allowing pattern that can match something strictly below this path.
    pub fn allow_below(&self, path: &str) -> Option<Rank> {
        let mut best = self.trie.lowest_allow_below(path);
        if !self.folded.is_empty() {
            let folded = path.to_ascii_lowercase();
            best = best.min(self.folded.lowest_allow_below(&folded));
        }
        for expression in &self.expressions {
            if expression.rank >= best {
                break;
            }
            if expression.meaning.allows && expression.regex.reaches_below(path) {
                best = expression.rank;
            }
        }
        (best != NONE).then_some(best)
    }

    /// The lowest rank below `limit` of a glob that matches and counts; `limit` where there is none.
    fn in_tries(&self, path: &str, limit: Rank, admits: &mut dyn FnMut(Rank) -> bool) -> Rank {
        let best = self.trie.lowest_match(path, limit, admits);
        if self.folded.is_empty() {
            return best;
        }
        let folded = path.to_ascii_lowercase();
        self.folded.lowest_match(&folded, best, admits)
    }
}

impl Expression {
    fn matches(&self, path: &str) -> bool {
        let covers = self.meaning.covers_below;
        self.regex.matches(path) || (covers && self.regex.matches_above(path).next().is_some())
    }
}

fn check_characters(pattern: &str) -> Result<(), String> {
    if pattern.is_empty() {
        return Err("an empty pattern matches nothing".to_owned());
    }
    for c in pattern.chars() {
        let why = match c {
            ',' => "write one pattern per list element, without commas",
            '@' => "a pattern is a module path, without a version",
            ':' => "a pattern is a module path, without a scheme or port",
            '!' => "write upper-case letters unescaped, without !",
            '\\' => "a module path has no backslash; begin a regular expression with re:",
            '/' | '*' | '?' | '[' | ']' | '^' => continue,
            c if c.is_ascii() && is_path_byte(c as u8) => continue,
            _ => "not valid in a module path",
        };
        return Err(format!("the character {c:?}: {why}"));
    }
    Ok(())
}

fn parse_element(text: &str, is_first: bool) -> Result<Element<'_>, String> {
    if text.is_empty() {
        return Err("an empty path element can never match".to_owned());
    }
    if text.contains(['*', '?', '[', ']', '^']) {
        let glob = Glob::parse(text)?;
        if is_first && !glob.can_hold_dot() {
            return Err(no_domain(text));
        }
        return Ok(Element::Glob(glob));
    }
    if text.starts_with('.') || text.ends_with('.') {
        return Err(format!(
            "the element {text:?} begins or ends with a dot, so no module path can match"
        ));
    }
    if is_first {
        if !text.contains('.') {
            return Err(no_domain(text));
        }
        let domain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        if !text.bytes().all(domain) || text.starts_with('-') {
            return Err(format!(
                "the first element {text:?} is not a lower-case domain name, so this can never match"
            ));
        }
    }
    Ok(Element::Literal(text))
}

fn no_domain(text: &str) -> String {
    format!(
        "the first element {text:?} has no dot, so no module path can match; use * for any host"
    )
}

#[cfg(test)]
mod tests;
