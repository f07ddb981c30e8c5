//! Values of a scenario that have a spelling of their own: times, headers, bodies.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use envoy_wasm_host::http::Headers;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A virtual time or a delay: `15ms`, `1s`, `90s`, `5m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        plain_duration::parse(&text)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// Headers or trailers in their order: `{name: value}`, with a list for a name with several values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    pub(super) fn add_to(&self, headers: &mut Headers) {
        for (name, value) in &self.0 {
            headers.add(name.clone(), value.clone());
        }
    }

    pub(super) fn headers(&self) -> Headers {
        let mut headers = Headers::new();
        self.add_to(&mut headers);
        headers
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, values)) = map.next_entry::<String, Values>()? {
                    pairs.extend(values.0.into_iter().map(|value| (name.clone(), value)));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// One value of a header, or several; numbers are taken as they are written.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Values, E> {
                Ok(Values(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(Values(more)) = list.next_element()? {
                    values.extend(more);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

/// A body: a text, or a list of chunks, which arrive one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks(pub Vec<Chunk>);

/// A part of a body: a text, or `{text, repeat, after}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// How long after what came before.
    pub after: Duration,
    /// May be empty.
    pub data: Bytes,
}

impl<'de> Deserialize<'de> for Chunks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;
        impl<'de> Visitor<'de> for TextOrList {
            type Value = Chunks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of chunks")
            }

            fn visit_str<E>(self, text: &str) -> Result<Chunks, E> {
                Ok(Chunks(vec![Chunk::of(text)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Chunks, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Chunks)
            }
        }
        deserializer.deserialize_any(TextOrList)
    }
}

impl Chunk {
    fn of(text: &str) -> Self {
        Self {
            after: Duration::ZERO,
            data: Bytes::copy_from_slice(text.as_bytes()),
        }
    }
}

/// The most bytes that `repeat` makes of a text: 64 MiB.
const REPEAT_LIMIT: usize = 64 << 20;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LongChunk {
    #[serde(default)]
    text: String,
    #[serde(default = "once")]
    repeat: usize,
    #[serde(default)]
    after: Span,
}

const fn once() -> usize {
    1
}

impl<'de> Deserialize<'de> for Chunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrFields;
        impl<'de> Visitor<'de> for TextOrFields {
            type Value = Chunk;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or {text, repeat, after}")
            }

            fn visit_str<E>(self, text: &str) -> Result<Chunk, E> {
                Ok(Chunk::of(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Chunk, A::Error> {
                let long = LongChunk::deserialize(MapAccessDeserializer::new(map))?;
                if long.text.len().saturating_mul(long.repeat) > REPEAT_LIMIT {
                    return Err(A::Error::custom("a chunk has at most 64 MiB"));
                }
                Ok(Chunk {
                    after: long.after.0,
                    data: long.text.repeat(long.repeat).into(),
                })
            }
        }
        deserializer.deserialize_any(TextOrFields)
    }
}
