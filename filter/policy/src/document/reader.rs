//! JSON as the document's types read it: an object where a type has keys, and nothing else.
//!
//! `serde_json` would take a list for an object, by the order of the keys in the source.
//!
//! There is one reader for both sources, the text and a tree of values, so that the code which reads each
//! type is there once. It tells where reading ended.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number, Value};

use super::Document;
use super::place::{Place, Step};
use super::raw::Raw;

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum Source<'d> {
    Text(Raw<'d>),
    Value(&'d Value),
}

/// A value of which the outermost part is read.
pub(super) enum Opened<'d> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'d, str>),
    List(Vec<Source<'d>>),
    Object(Vec<(Cow<'d, str>, Source<'d>)>),
}

/// Reads a document.
///
/// # Errors
/// What is wrong, and where. Of a text that is malformed the error says nothing.
pub(super) fn read(source: Source<'_>) -> Result<Document, (Vec<Step>, Error)> {
    let broken = RefCell::default();
    let reader = Reader {
        source,
        place: &Place::Root,
        broken: &broken,
    };
    let read = Document::deserialize(reader);
    read.map_err(|error| (broken.take().unwrap_or_default(), error))
}

/// A value that is read.
#[derive(Clone, Copy)]
struct Reader<'d, 'p> {
    source: Source<'d>,
    place: &'p Place<'p>,
    /// The innermost place in which reading ended.
    broken: &'p RefCell<Option<Vec<Step>>>,
}

impl<'d> Source<'d> {
    fn open(self) -> Result<Opened<'d>, Error> {
        let value = match self {
            Self::Text(raw) => {
                return raw
                    .open()
                    .ok_or_else(|| Error::custom("the text is malformed"));
            }
            Self::Value(value) => value,
        };
        Ok(match value {
            Value::Null => Opened::Null,
            Value::Bool(value) => Opened::Boolean(*value),
            Value::Number(number) => Opened::Number(number.clone()),
            Value::String(text) => Opened::Text(text.into()),
            Value::Array(list) => Opened::List(list.iter().map(Self::Value).collect()),
            Value::Object(object) => {
                let members = object.iter();
                let members = members.map(|(key, value)| (key.into(), Self::Value(value)));
                Opened::Object(members.collect())
            }
        })
    }
}

/// A number as visitors take it.
enum Plain {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl From<&Number> for Plain {
    fn from(number: &Number) -> Self {
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => Self::Unsigned(value),
            (_, Some(value), _) => Self::Signed(value),
            (_, _, value) => Self::Float(value.unwrap_or_default()),
        }
    }
}

impl Opened<'_> {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Boolean(value) => Unexpected::Bool(*value),
            Self::Number(number) => match number.into() {
                Plain::Unsigned(value) => Unexpected::Unsigned(value),
                Plain::Signed(value) => Unexpected::Signed(value),
                Plain::Float(value) => Unexpected::Float(value),
            },
            Self::Text(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Other("list"),
            Self::Object(_) => Unexpected::Map,
        }
    }
}

impl<'d> Reader<'d, '_> {
    fn visit<V: Visitor<'d>>(self, opened: Opened<'d>, visitor: V) -> Result<V::Value, Error> {
        match opened {
            Opened::Null => visitor.visit_unit(),
            Opened::Boolean(value) => visitor.visit_bool(value),
            Opened::Number(number) => match (&number).into() {
                Plain::Unsigned(value) => visitor.visit_u64(value),
                Plain::Signed(value) => visitor.visit_i64(value),
                Plain::Float(value) => visitor.visit_f64(value),
            },
            Opened::Text(text) => visitor.visit_str(&text),
            Opened::List(list) => visitor.visit_seq(Elements {
                reader: self,
                elements: list.into_iter(),
                index: 0,
            }),
            Opened::Object(object) => visitor.visit_map(Members {
                reader: self,
                members: object.into_iter(),
                next: None,
            }),
        }
    }

    /// Remembers a place in which reading ended, unless it did in one within.
    fn noting<T>(self, place: &Place<'_>, read: Result<T, Error>) -> Result<T, Error> {
        if read.is_err() {
            let mut broken = self.broken.borrow_mut();
            broken.get_or_insert_with(|| place.steps());
        }
        read
    }
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(self.source.open()?, visitor)
    }

    /// A member that is null is gone before this; what is there is meant.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.source.open()? {
            object @ Opened::Object(_) => self.visit(object, visitor),
            other => Err(Error::invalid_type(other.unexpected(), &Keys(keys))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        values: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.source.open()? {
            Opened::Text(text) => visitor.visit_enum((&*text).into_deserializer()),
            other => Err(Error::invalid_type(other.unexpected(), &OneOf(values))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// A list's elements.
struct Elements<'d, 'p> {
    reader: Reader<'d, 'p>,
    elements: std::vec::IntoIter<Source<'d>>,
    index: usize,
}

impl<'d> SeqAccess<'d> for Elements<'d, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'d>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(source) = self.elements.next() else {
            return Ok(None);
        };
        let reader = self.reader;
        let place = Place::Index(reader.place, self.index);
        self.index = self.index.saturating_add(1);
        let element = seed.deserialize(Reader {
            source,
            place: &place,
            broken: reader.broken,
        });
        reader.noting(&place, element).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.len())
    }
}

/// An object's members.
struct Members<'d, 'p> {
    reader: Reader<'d, 'p>,
    members: std::vec::IntoIter<(Cow<'d, str>, Source<'d>)>,
    /// The one whose key was read.
    next: Option<(Cow<'d, str>, Source<'d>)>,
}

impl<'d> MapAccess<'d> for Members<'d, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'d>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((key, source)) = self.members.next() else {
            return Ok(None);
        };
        let read = seed.deserialize((&*key).into_deserializer());
        let read = self
            .reader
            .noting(&Place::Key(self.reader.place, &key), read);
        self.next = Some((key, source));
        read.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'d>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let reader = self.reader;
        let Some((key, source)) = self.next.take() else {
            return Err(Error::custom("a value came before its key"));
        };
        let place = Place::Key(reader.place, &key);
        let member = seed.deserialize(Reader {
            source,
            place: &place,
            broken: reader.broken,
        });
        reader.noting(&place, member)
    }
}

/// What an object may have.
struct Keys(&'static [&'static str]);

impl de::Expected for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {}", self.0.join(", "))
    }
}

/// The values of an enumeration.
struct OneOf(&'static [&'static str]);

impl de::Expected for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of `{}`", self.0.join("`, `"))
    }
}
