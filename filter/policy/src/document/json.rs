//! JSON as a control plane hands it on: the same meaning whatever the order of keys, with numbers
//! that are doubles, nulls as if absent, and no key twice.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{Path, PolicyError};
use super::place::Place;

/// The largest integer that a double holds exactly, 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads JSON strictly.
///
/// Duplicate keys and numbers beyond 2^53 are errors, which stand beside the value; members that are
/// null are dropped, and an integer is the same however it was written (`1`, `1.0`, `1e0`).
///
/// # Errors
/// All of these, and where the text ceases to be JSON. Never empty.
pub(super) fn read(bytes: &[u8]) -> Result<(Value, Vec<PolicyError>), Vec<PolicyError>> {
    let notes = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict {
        place: &Place::Root,
        notes: &notes,
    };
    let read = strict.deserialize(&mut json);
    let read = read.and_then(|value| json.end().map(|()| value));
    let Notes { mut errors, broken } = notes.into_inner();
    match read {
        Ok(value) => Ok((value, errors)),
        Err(error) => {
            let at = broken.unwrap_or_else(Path::root);
            errors.push(at.error(error.to_string()));
            Err(errors)
        }
    }
}

/// What is found on the way.
#[derive(Default)]
struct Notes {
    errors: Vec<PolicyError>,
    /// The value in which the text ceases to be JSON.
    broken: Option<Path>,
}

#[derive(Clone, Copy)]
struct Strict<'r> {
    place: &'r Place<'r>,
    notes: &'r RefCell<Notes>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict<'_> {
    fn note(self, message: impl Into<String>) {
        let error = self.place.path().error(message);
        self.notes.borrow_mut().errors.push(error);
    }

    /// Remembers the innermost place in which reading ended.
    fn broken<T, E>(self, place: &Place<'_>, read: Result<T, E>) -> Result<T, E> {
        if read.is_err() {
            let broken = &mut self.notes.borrow_mut().broken;
            broken.get_or_insert_with(|| place.path());
        }
        read
    }

    fn too_large(self) -> Value {
        self.note("control planes round numbers above 2^53: write it as a string");
        Value::from(0)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        if value > MAX_EXACT as u64 {
            return Ok(self.too_large());
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_EXACT as u64 {
            return Ok(self.too_large());
        }
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() > MAX_EXACT {
            return Ok(self.too_large());
        }
        if value.fract() == 0.0 {
            return Ok(Value::Number((value as i64).into()));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a number that JSON can hold"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = Place::Index(self.place, list.len());
            let element = Strict {
                place: &place,
                notes: self.notes,
            };
            match self.broken(&place, elements.next_element_seed(element))? {
                Some(element) => list.push(element),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = self.broken(self.place, members.next_key::<String>())? {
            let place = Place::Key(self.place, &key);
            let member = Strict {
                place: &place,
                notes: self.notes,
            };
            if object.contains_key(&key) {
                member.note(format!(
                    "the key {key:?} is in this object twice; control planes keep only the last"
                ));
            }
            let value = self.broken(&place, members.next_value_seed(member))?;
            // Dropped only below: a second key must be noticed even where the first was null.
            object.insert(key, value);
        }
        object.retain(|_, value| !value.is_null());
        Ok(Value::Object(object))
    }
}
