//! The modules that a team may speak of.

use modgate_policy::pattern::{Meaning, PatternSetBuilder};

/// A module path, which stands for itself and everything below it, as in a rule's patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Namespace(String);

/// What is no letter of a path to a pattern.
const WILDCARDS: &[char] = &['*', '?', '[', ']', '^'];

impl Namespace {
    /// Reads a pattern without wildcards.
    ///
    /// # Errors
    /// What is none, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("re:") || text.contains(WILDCARDS) {
            return Err(
                "a namespace is a module path without wildcards; it includes everything below"
                    .to_owned(),
            );
        }
        PatternSetBuilder::default().add(text, 0, Meaning::default())?;
        Ok(Self(trimmed(text).to_owned()))
    }

    /// Whether a pattern can match nothing outside: it begins with all elements of the namespace, as
    /// they are. A pattern that happens to be narrow is not looked into.
    pub(super) fn holds(&self, pattern: &str) -> bool {
        if pattern.starts_with("re:") {
            return false;
        }
        let rest = trimmed(pattern).strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl std::fmt::Display for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// As rules read it: a slash at the end means nothing.
fn trimmed(pattern: &str) -> &str {
    pattern.strip_suffix('/').unwrap_or(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_inside_where_it_begins_with_the_whole_namespace() {
        let web = Namespace::parse("corp.example/web/").unwrap();
        for inside in [
            "corp.example/web",
            "corp.example/web/",
            "corp.example/web/lib",
            "corp.example/web/*",
            "corp.example/web/lib-[0-9]*/x",
        ] {
            assert!(web.holds(inside), "{inside}");
        }
        for outside in [
            "corp.example",
            "corp.example/we",
            "corp.example/webx",
            "corp.example/web*",
            "corp.example/web[s]",
            "corp.example/web-ci",
            "corp.example/*/web",
            "*/web",
            "*",
            "corp.example/Web",
            "Corp.example/web",
            "re:corp\\.example/web/.*",
            "re:corp.example/web",
            "xcorp.example/web",
            "a.b/corp.example/web",
            "corp.example//web",
            "",
        ] {
            assert!(!web.holds(outside), "{outside}");
        }
    }

    #[test]
    fn a_namespace_is_a_module_path() {
        for bad in [
            "",
            "/",
            "*",
            "corp",
            "corp.example/*",
            "re:a\\.b",
            "corp.example/a b",
            "a.b//c",
            "Corp.example",
            "a.b/[x]",
            "a.b,c.d",
            "a.b@v1",
        ] {
            assert!(Namespace::parse(bad).is_err(), "{bad}");
        }
    }
}
