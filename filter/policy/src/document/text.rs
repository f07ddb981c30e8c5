//! Strings of the document, with help for what YAML makes of them when they are not quoted.

use std::fmt;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A string. A boolean or a number in its place is refused with the hint to quote it: YAML 1.1, as
/// `kubectl` reads it, turns an unquoted `no`, `on` or `1.20` into something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Text, E> {
        Ok(Text(value))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
        Err(E::custom(format!(
            "expected a string, found the boolean {value}: quote it (unquoted yes, no, on, off, y \
             and n are booleans in YAML)"
        )))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
        Err(number(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
        Err(number(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
        Err(number(value))
    }
}

fn number<E: de::Error>(value: impl fmt::Display) -> E {
    E::custom(format!(
        "expected a string, found the number {value}: quote it"
    ))
}
