//! A header map as Envoy keeps it.

use bytes::Bytes;

/// The headers that Envoy holds once: a second value is appended to the first, after a comma.
/// (`source/common/http/header_map_impl`, the inline headers.)
const HELD_ONCE: &[&[u8]] = &[
    b":authority",
    b":method",
    b":path",
    b":scheme",
    b":status",
    b"connection",
    b"content-length",
    b"content-type",
    b"date",
    b"expect",
    b"keep-alive",
    b"proxy-connection",
    b"server",
    b"te",
    b"transfer-encoding",
    b"upgrade",
    b"user-agent",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-request-id",
];

/// A header map: names in lower case, pseudo-headers first, everything else in the order in which
/// it came; values are bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<(Bytes, Bytes)>,
}

impl Headers {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// A map of these pairs, added one after the other.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Bytes>,
        V: Into<Bytes>,
    {
        let mut headers = Self::new();
        for (name, value) in pairs {
            headers.add(name, value);
        }
        headers
    }

    /// The first value of that name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Bytes> {
        let found = self
            .entries
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_ref()));
        found.map(|(_, value)| value)
    }

    /// Every value of that name.
    pub fn get_all<'a>(
        &'a self,
        name: impl AsRef<[u8]> + 'a,
    ) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.entries
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_ref()))
            .map(|(_, value)| value)
    }

    /// Adds a value behind those that are there.
    pub fn add(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = lower_case(name.into());
        let value = value.into();
        if HELD_ONCE.contains(&name.as_ref())
            && let Some((_, held)) = self.entries.iter_mut().find(|(known, _)| *known == name)
        {
            *held = [held.as_ref(), value.as_ref()].join(&b","[..]).into();
            return;
        }
        let at = if name.starts_with(b":") {
            self.pseudo_headers()
        } else {
            self.entries.len()
        };
        self.entries.insert(at, (name, value));
    }

    /// Puts one value in place of all that are there. The header goes to the end, as in Envoy.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = lower_case(name.into());
        self.remove(&name);
        self.add(name, value);
    }

    /// Removes every value of that name and says whether there was one.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> bool {
        let before = self.entries.len();
        self.entries
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_ref()));
        self.entries.len() < before
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of all names and values together, as Envoy's `byteSize`.
    pub fn byte_size(&self) -> usize {
        self.entries.iter().map(|(n, v)| n.len() + v.len()).sum()
    }

    /// The status of a response, where `:status` is three digits.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.get(":status")?)
            .ok()?
            .parse()
            .ok()
            .filter(|code| (100..1000).contains(code))
    }

    fn pseudo_headers(&self) -> usize {
        self.entries
            .iter()
            .take_while(|(name, _)| name.starts_with(b":"))
            .count()
    }
}

fn lower_case(name: Bytes) -> Bytes {
    if name.iter().any(u8::is_ascii_uppercase) {
        name.to_ascii_lowercase().into()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &Headers) -> Vec<&str> {
        headers
            .iter()
            .map(|(name, _)| std::str::from_utf8(name).unwrap())
            .collect()
    }

    #[test]
    fn pseudo_headers_come_first_and_names_are_lower_case() {
        let mut headers = Headers::from_pairs([("X-A", "1"), (":path", "/"), ("b", "2")]);
        headers.add(":method", "GET");
        assert_eq!(names(&headers), [":path", ":method", "x-a", "b"]);
        assert_eq!(headers.byte_size(), 22);
    }

    #[test]
    fn set_moves_to_the_end_and_leaves_one_value() {
        let mut headers = Headers::from_pairs([("a", "1"), ("b", "2"), ("a", "3")]);
        headers.set("A", "4");
        assert_eq!(names(&headers), ["b", "a"]);
        assert_eq!(headers.get_all("a").count(), 1);
    }

    #[test]
    fn added_values_stand_beside_each_other_but_for_those_held_once() {
        let headers = Headers::from_pairs([("a", "1"), ("a", "2"), ("via", "x"), ("via", "y")]);
        assert_eq!(headers.get_all("a").count(), 2);
        assert_eq!(headers.get("via").unwrap().as_ref(), b"x,y");
    }

    #[test]
    fn a_status_is_three_digits() {
        assert_eq!(
            Headers::from_pairs([(":status", "204")]).status(),
            Some(204)
        );
        for bad in ["", "20", "abc", "1000", "-200"] {
            assert_eq!(Headers::from_pairs([(":status", bad)]).status(), None);
        }
    }
}
