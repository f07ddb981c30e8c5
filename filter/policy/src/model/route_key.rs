//! What routes know the filter by.

use std::borrow::Cow;

/// The shortest key, in bytes: 32 of 64 characters are 192 bits, which nobody guesses.
pub(crate) const SHORTEST: usize = 32;

/// The longest, in bytes.
pub(crate) const LONGEST: usize = 128;

/// What parts the key from the cluster's name. No key has it.
const SEPARATOR: char = ':';

/// A secret of the policy and of the proxy's routes, which precedes the cluster's name in `x-modgate-cluster`.
///
/// Where routes match a header they cannot remove the client's own first, so a client that knows the name of a
/// cluster would reach it wherever the filter is missing. It does not know the key.
#[derive(Clone, PartialEq, Eq)]
pub struct RouteKey(String);

impl RouteKey {
    /// A key of 32 to 128 of `A-Z a-z 0-9 _ -`; else `None`.
    pub fn new(key: &str) -> Option<Self> {
        let is_long_enough = (SHORTEST..=LONGEST).contains(&key.len());
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        (is_long_enough && key.bytes().all(is_plain)).then(|| Self(key.to_owned()))
    }

    /// The header's value by which routes lead to a cluster.
    pub fn value(&self, cluster: &str) -> String {
        format!("{}{SEPARATOR}{cluster}", self.0)
    }

    /// Whether a header's value is one of those by which this key's routes lead somewhere. The time that it takes
    /// says nothing of how much of the key is right.
    pub fn is_in(&self, value: &[u8]) -> bool {
        let key = self.0.as_bytes();
        let Some((start, rest)) = value.split_at_checked(key.len()) else {
            return false;
        };
        let differs = start.iter().zip(key).fold(0, |all, (a, b)| all | (a ^ b));
        differs == 0 && rest.first() == Some(&(SEPARATOR as u8))
    }

    /// The header's value for a cluster where there may be no key: then it is the cluster's name.
    pub(crate) fn value_of<'c>(key: Option<&Self>, cluster: &'c str) -> Cow<'c, str> {
        key.map_or(Cow::Borrowed(cluster), |key| Cow::Owned(key.value(cluster)))
    }
}

/// The key is a secret.
impl std::fmt::Debug for RouteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RouteKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn only_a_value_with_the_whole_key_is_its_own() {
        let key = RouteKey::new(KEY).unwrap();
        let own = key.value("outbound|80||files.mesh.internal");
        let rows = [
            ("its own", own.clone(), true),
            ("of another cluster", key.value(""), true),
            ("the key alone", KEY.to_owned(), false),
            ("a key that begins with it", format!("{KEY}w:c"), false),
            ("the start of it", own.chars().take(20).collect(), false),
            ("another first character", own.replacen('0', "1", 1), false),
            ("another last character", own.replacen("v:", "w:", 1), false),
            ("none", String::new(), false),
        ];
        table_rows::check(rows, |(_, value, is_own)| {
            assert_eq!(key.is_in(value.as_bytes()), is_own);
        });
    }

    #[test]
    fn a_key_is_long_and_plain_and_is_not_shown() {
        for bad in [
            KEY.trim_start_matches('0'),
            &"a".repeat(129),
            &format!("{KEY}:"),
            &format!("{KEY} "),
            &format!("{KEY}ä"),
        ] {
            assert!(RouteKey::new(bad).is_none(), "{bad}");
        }
        let key = RouteKey::new(&"a_-9".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), "RouteKey(..)");
    }
}
