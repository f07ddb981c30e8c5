//! From a document to any type of serde's.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Unexpected, Visitor};
use serde_json::Value;

use crate::key::Key;
use crate::node::{Kind, Member, Node, Position, Problem};
use crate::parse::parse;

/// Reads the one document of a text. Where a string is wanted, a scalar without quotes is one as it is
/// written, be it a number or a boolean for others; only null is not. Where anything may stand, `on`, `yes`
/// and the other words that are booleans in YAML 1.1 alone are strings; they are booleans where one is wanted.
///
/// # Errors
/// What [`parse`] refuses, a second document, keys that stand twice, and what the type does not take: with
/// its place, and its path in the message.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut documents = parse(text)?;
    if let Some(second) = documents.get(1) {
        let message = "there is a second document; give only one";
        return Err(Problem::new(second.at, message));
    }
    let start = Position { line: 1, column: 1 };
    let node = documents.pop().unwrap_or_else(|| Node {
        at: start,
        kind: Kind::Plain(Value::Null, String::new()),
    });
    T::deserialize(At(&node)).map_err(|error| {
        let path = error.path.strip_prefix('.').unwrap_or(&error.path);
        let message = match path {
            "" => error.message,
            path => format!("{path}: {}", error.message),
        };
        Problem::new(error.at.unwrap_or(start), message)
    })
}

/// What a type does not take, and where, as far as it is known.
#[derive(Debug)]
pub(crate) struct Error {
    at: Option<Position>,
    path: String,
    message: String,
}

impl Error {
    /// The place where it is, unless one further inside is known.
    fn or_at(mut self, at: Position) -> Self {
        self.at.get_or_insert(at);
        self
    }

    fn below(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            at: None,
            path: String::new(),
            message: message.to_string(),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        match found {
            // Nothing, as it is called in YAML.
            Unexpected::Unit => {
                Self::custom(format_args!("invalid type: null, expected {expected}"))
            }
            found => Self::custom(format_args!("invalid type: {found}, expected {expected}")),
        }
    }
}

/// The step to a member, as JSON paths have it.
fn step(key: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@');
    if !key.is_empty() && key.chars().all(is_name) {
        return format!(".{key}");
    }
    format!("[{key:?}]")
}

#[derive(Clone, Copy)]
struct At<'n>(&'n Node);

impl At<'_> {
    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Plain(value, written) => match value {
                Value::Bool(_) if !is_boolean_everywhere(written) => visitor.visit_str(written),
                Value::Bool(value) => visitor.visit_bool(*value),
                Value::Number(number) => {
                    match (number.as_u64(), number.as_i64(), number.as_f64()) {
                        (Some(number), _, _) => visitor.visit_u64(number),
                        (None, Some(number), _) => visitor.visit_i64(number),
                        (None, None, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
                    }
                }
                _ => visitor.visit_unit(),
            },
            Kind::Text(text, _) => visitor.visit_str(text),
            Kind::List(list) => visitor.visit_seq(Elements {
                rest: list.iter().enumerate(),
            }),
            Kind::Object(members) => {
                no_key_twice(members)?;
                visitor.visit_map(Entries {
                    rest: members.iter(),
                    value: None,
                })
            }
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Plain(value, written) if !value.is_null() => visitor.visit_str(written),
            _ => self.any(visitor),
        }
    }
}

/// Whether YAML 1.2 takes the scalar for a boolean, too.
fn is_boolean_everywhere(written: &str) -> bool {
    written.eq_ignore_ascii_case("true") || written.eq_ignore_ascii_case("false")
}

/// Serde keeps the last of two members, or refuses both without a word of where.
fn no_key_twice(members: &[Member]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for member in members {
        let Some(first) = seen.insert(&member.written, member.at.line) else {
            continue;
        };
        let message = format!("the key is already defined (line {first})");
        let error = <Error as de::Error>::custom(message);
        return Err(error.or_at(member.at).below(&step(&member.written)));
    }
    Ok(())
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor).map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match &self.0.kind {
            Kind::Plain(Value::Bool(value), _) => visitor.visit_bool(*value),
            _ => self.any(visitor),
        };
        read.map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor).map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() {
            return visitor.visit_none();
        }
        visitor
            .visit_some(self)
            .map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor
            .visit_enum(Choice(self.0))
            .map_err(|error| error.or_at(self.0.at))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct
    }
}

struct Elements<'n> {
    rest: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((i, node)) = self.rest.next() else {
            return Ok(None);
        };
        let element = seed.deserialize(At(node));
        element
            .map(Some)
            .map_err(|error| error.or_at(node.at).below(&format!("[{i}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Entries<'n> {
    rest: std::slice::Iter<'n, Member>,
    value: Option<&'n Member>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.value = self.rest.next();
        let Some(member) = self.value else {
            return Ok(None);
        };
        let key = seed.deserialize(Key(&member.written));
        key.map(Some).map_err(|error| error.or_at(member.at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(member) = self.value.take() else {
            return Err(de::Error::custom("a value without its key"));
        };
        let value = seed.deserialize(At(&member.value));
        value.map_err(|error| error.or_at(member.value.at).below(&step(&member.written)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A variant: its name alone, or an object whose one key is the name.
struct Choice<'n>(&'n Node);

impl<'de, 'n> de::EnumAccess<'de> for Choice<'n> {
    type Error = Error;
    type Variant = Content<'n>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'n>), Error> {
        match &self.0.kind {
            Kind::Object(members) if members.len() == 1 => {
                let member = &members[0];
                let name = seed
                    .deserialize(Key(&member.written))
                    .map_err(|error| error.or_at(member.at))?;
                Ok((name, Content(Some(member))))
            }
            Kind::Object(_) => Err(de::Error::invalid_type(
                Unexpected::Map,
                &"an object with one key",
            )),
            _ => Ok((seed.deserialize(At(self.0))?, Content(None))),
        }
    }
}

struct Content<'n>(Option<&'n Member>);

impl<'n> Content<'n> {
    fn with<T>(self, read: impl FnOnce(At<'n>) -> Result<T, Error>) -> Result<T, Error> {
        let Some(member) = self.0 else {
            return Err(de::Error::invalid_type(
                Unexpected::UnitVariant,
                &"an object with this key",
            ));
        };
        read(At(&member.value))
            .map_err(|error| error.or_at(member.value.at).below(&step(&member.written)))
    }
}

impl<'de> de::VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(_) => self.with(<() as de::Deserialize>::deserialize),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.with(|at| seed.deserialize(at))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.with(|at| at.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.with(|at| at.deserialize_any(visitor))
    }
}
