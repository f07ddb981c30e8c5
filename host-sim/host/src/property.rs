//! A property's value, and the bytes in which Envoy hands it over.

use std::time::Duration;

use crate::memory::encode_pairs;
use crate::types::Status;

/// Of no pairs a property has the count, where a header map has no bytes at all.
const EMPTY: [u8; 4] = [0; 4];

/// A value as Envoy's attributes have them (those of CEL).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text or bytes, as they are.
    Bytes(Vec<u8>),
    /// Eight bytes, little-endian, two's complement.
    Int(i64),
    /// Eight bytes, little-endian.
    Uint(u64),
    /// Eight bytes, little-endian.
    Double(f64),
    /// One byte.
    Bool(bool),
    /// Nanoseconds as an `Int`.
    Duration(Duration),
    /// Nanoseconds since 1970 as an `Int`.
    Timestamp(Duration),
    /// The pairs encoding of keys and encoded values.
    Map(Vec<(String, Self)>),
    /// The pairs encoding with the encoded elements as names and empty values.
    List(Vec<Self>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bytes(text.into().into_bytes())
    }

    /// The value of that key, or of that index, in a map or a list.
    pub(crate) fn member(&self, key: &str) -> Result<&Self, Status> {
        let found = match self {
            Self::Map(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Self::List(elements) => key.parse::<usize>().ok().and_then(|at| elements.get(at)),
            _ => None,
        };
        found.ok_or(Status::NotFound)
    }

    /// The bytes that the filter gets.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Int(number) => number.to_le_bytes().into(),
            Self::Uint(number) => number.to_le_bytes().into(),
            Self::Double(number) => number.to_le_bytes().into(),
            Self::Bool(truth) => vec![u8::from(*truth)],
            Self::Duration(time) | Self::Timestamp(time) => {
                let nanoseconds = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
                nanoseconds.to_le_bytes().into()
            }
            Self::Map(members) if members.is_empty() => EMPTY.into(),
            Self::List(elements) if elements.is_empty() => EMPTY.into(),
            Self::Map(members) => {
                let encoded: Vec<_> = members.iter().map(|(k, v)| (k, v.encode())).collect();
                encode_pairs(encoded.iter().map(|(k, v)| (k.as_bytes(), v.as_slice())))
            }
            Self::List(elements) => {
                let encoded: Vec<_> = elements.iter().map(Self::encode).collect();
                encode_pairs(encoded.iter().map(|element| (element.as_slice(), &[][..])))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_eight_bytes_and_lists_are_pairs() {
        assert_eq!(Value::Uint(258).encode(), [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Value::Int(-1).encode(), [0xff; 8]);
        assert_eq!(Value::Bool(true).encode(), [1]);
        let nanosecond = Value::Duration(Duration::from_nanos(1));
        assert_eq!(nanosecond.encode(), [1, 0, 0, 0, 0, 0, 0, 0]);
        let list = Value::List(vec![Value::text("ab")]);
        assert_eq!(list.encode(), b"\x01\0\0\0\x02\0\0\0\0\0\0\0ab\0\0");
        let map = Value::Map(vec![("k".into(), Value::text("v"))]);
        assert_eq!(map.encode(), b"\x01\0\0\0\x01\0\0\0\x01\0\0\0k\0v\0");
        assert_eq!(Value::Map(Vec::new()).encode(), [0; 4]);
    }

    #[test]
    fn members_go_by_key_and_index() {
        let list = Value::List(vec![Value::Bool(true)]);
        let map = Value::Map(vec![("l".into(), list)]);
        assert_eq!(map.member("l").unwrap().member("0"), Ok(&Value::Bool(true)));
        assert_eq!(map.member("x"), Err(Status::NotFound));
        assert_eq!(map.member("l").unwrap().member("1"), Err(Status::NotFound));
        assert_eq!(Value::Bool(true).member("x"), Err(Status::NotFound));
    }
}
