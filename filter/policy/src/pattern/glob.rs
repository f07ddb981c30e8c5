//! One element of a pattern with wildcards, as Go's `path.Match` reads it.

/// A pattern for one path element: literals, `*`, `?` and `[classes]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// What stands before the first wildcard; every match begins with it.
    pub(super) prefix: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`: any one character.
    Any,
    /// `*`: any number of characters.
    Star,
    Class {
        negated: bool,
        ranges: Vec<(u8, u8)>,
    },
}

impl Glob {
    /// Reads the pattern of one element. It is ASCII and has neither slash nor backslash.
    ///
    /// # Errors
    /// A class that is empty, open, or has a range without an end, in words.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut rest = pattern.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            tokens.push(match byte {
                // Two stars say no more than one.
                b'*' if tokens.last() == Some(&Token::Star) => continue,
                b'*' => Token::Star,
                b'?' => Token::Any,
                b'[' => parse_class(&mut rest)?,
                byte => Token::Byte(byte),
            });
        }
        let prefix = tokens
            .iter()
            .map_while(|token| match token {
                Token::Byte(byte) => Some(char::from(*byte)),
                _ => None,
            })
            .collect();
        Ok(Self { prefix, tokens })
    }

    /// Whether every element matches, as with `*`.
    pub(super) fn is_any(&self) -> bool {
        self.tokens == [Token::Star]
    }

    /// Whether some module path could have an element that matches and has a dot in it.
    pub(super) fn can_hold_dot(&self) -> bool {
        self.tokens.iter().any(|token| match token {
            Token::Byte(byte) => *byte == b'.',
            token => token.matches(b'.'),
        })
    }

    /// Whether the whole element matches. Its time is bounded by the product of both lengths.
    pub(super) fn matches(&self, element: &str) -> bool {
        let text = element.as_bytes();
        let (mut token, mut at) = (0, 0);
        // Where to go on when what came after the last star did not fit.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let fits = match (self.tokens.get(token), text.get(at)) {
                (None, None) => return true,
                (Some(Token::Star), _) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                (Some(want), Some(&byte)) => want.matches(byte),
                _ => false,
            };
            if fits {
                token += 1;
                at += 1;
                continue;
            }
            match retry {
                Some((star, from)) if from < text.len() => {
                    retry = Some((star, from + 1));
                    token = star + 1;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn matches(&self, byte: u8) -> bool {
        match self {
            Self::Byte(want) => *want == byte,
            Self::Any | Self::Star => true,
            Self::Class { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&byte))
                    != *negated
            }
        }
    }
}

/// Reads a class; `rest` begins behind the `[`.
fn parse_class(rest: &mut &[u8]) -> Result<Token, &'static str> {
    const OPEN: &str = "a [ without a matching ]";
    let mut take = || {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        Some(byte)
    };
    let mut byte = take().ok_or(OPEN)?;
    let negated = byte == b'^';
    if negated {
        byte = take().ok_or(OPEN)?;
    }
    let mut ranges = Vec::new();
    loop {
        if byte == b']' {
            if ranges.is_empty() {
                return Err("an empty [] class");
            }
            return Ok(Token::Class { negated, ranges });
        }
        let low = byte;
        if low == b'-' {
            return Err("a range in [] without a start");
        }
        byte = take().ok_or(OPEN)?;
        let mut high = low;
        if byte == b'-' {
            high = take().ok_or(OPEN)?;
            if matches!(high, b']' | b'-') {
                return Err("a range in [] without an end");
            }
            byte = take().ok_or(OPEN)?;
        }
        ranges.push((low, high));
    }
}

/// Whether a pattern means the same in lower case, but for the case of letters.
///
/// # Errors
/// A class with a range that has a letter at one end and something else at the other, in words.
pub(super) fn check_foldable(pattern: &str) -> Result<(), &'static str> {
    let kind = |byte: u8| (byte.is_ascii_lowercase(), byte.is_ascii_uppercase());
    let mut in_class = false;
    for window in pattern.as_bytes().windows(3) {
        let [low, dash, high] = window else { continue };
        in_class = (in_class || *low == b'[') && *low != b']';
        if in_class && *dash == b'-' && kind(*low) != kind(*high) {
            return Err(
                "with fold_case, a range in [] must have letters of one case, or no letters",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_like_path_match() {
        let rows = [
            ("*", &["", "a", "a.b"][..], &[][..]),
            ("a*", &["a", "ab"], &["", "ba"]),
            (
                "*-test",
                &["-test", "a-test", "-test-test"],
                &["test", "a-tests"],
            ),
            ("a*b*c", &["abc", "aXbYc", "abbcc"], &["ab", "acb"]),
            ("a?c", &["abc", "a.c"], &["ac", "abbc"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x", "aax"]),
            ("[^a-c]x", &["dx", "-x"], &["ax", "x"]),
            ("[a-cx]", &["b", "x"], &["-", "d"]),
            ("*[0-9]", &["a1", "1", "a12"], &["a", "1a"]),
        ];
        table_rows::check(rows, |(pattern, yes, no)| {
            let glob = Glob::parse(pattern).unwrap();
            for element in yes {
                assert!(glob.matches(element), "{pattern} should match {element}");
            }
            for element in no {
                assert!(
                    !glob.matches(element),
                    "{pattern} should not match {element}"
                );
            }
        });
    }

    #[test]
    fn a_malformed_class_is_refused() {
        for pattern in ["[", "[a", "[]", "[^]", "[a-]", "[-a]", "[a-", "a[b-"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        let glob = Glob::parse(&"*a".repeat(100)).unwrap();
        assert!(!glob.matches(&"a".repeat(99)));
        assert!(glob.matches(&"a".repeat(3000)));
    }
}
