//! A token's claim: its name, or the names on the way to it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::Text;

/// Which claim of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimDoc {
    /// One at the top, by its name, dots and all.
    Name(Text),
    /// One inside others, such as `["realm", "tenant"]`.
    Path(Vec<Text>),
}

impl<'de> Deserialize<'de> for ClaimDoc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = ClaimDoc;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim's name, or its path as a list of names")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<ClaimDoc, E> {
        Ok(ClaimDoc::Name(Text(name.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<ClaimDoc, A::Error> {
        let mut path = Vec::new();
        while let Some(name) = names.next_element()? {
            path.push(name);
        }
        Ok(ClaimDoc::Path(path))
    }
}
