//! An order of many versions: what is needed to compare one with all others is made once.

use std::cmp::Ordering;

use modgate_go::gomod::semver::Semver;

/// A version as bytes that stand in the order of versions (x/mod `semver.ByVersion`), and that are the
/// same for no two versions that a module can have. What they are longer than the version is bounded.
#[derive(Debug)]
pub(super) struct Keys(Vec<u8>);

/// Where a version's key stands among all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    numbers: [u64; 3],
    start: usize,
    end: usize,
}

/// How many digits surely fit into 64 bits.
const DIGITS: usize = 19;

impl Keys {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a version's key.
    pub(super) fn add(&mut self, version: &Semver<'_>) -> Key {
        let start = self.0.len();
        // Where two have the same numbers, these are there in both or in neither.
        let parts = [Some(version.major), version.minor, version.patch];
        let is_short = |part: &&str| part.len() <= DIGITS;
        for number in parts.into_iter().flatten().skip_while(is_short) {
            self.number(number);
        }
        match version.prerelease.strip_prefix('-') {
            // A release is higher than all before it.
            None => self.0.push(3),
            Some(names) => {
                names.split('.').for_each(|name| self.identifier(name));
                self.0.push(0);
            }
        }
        self.0.push(u8::from(!version.build.is_empty()));
        Key {
            numbers: version.numbers(),
            start,
            end: self.0.len(),
        }
    }

    /// Numbers are lower than names, and what ends earlier is lower than what goes on.
    fn identifier(&mut self, name: &str) {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            self.0.push(1);
            self.number(name);
        } else {
            self.0.push(2);
            self.0.extend_from_slice(name.as_bytes());
            self.0.push(0);
        }
    }

    /// Of two numbers without leading zeros the longer one is higher.
    fn number(&mut self, digits: &str) {
        match u8::try_from(digits.len()) {
            Ok(len) if len < u8::MAX => self.0.push(len),
            _ => {
                self.0.push(u8::MAX);
                let len = u64::try_from(digits.len()).unwrap_or(u64::MAX);
                self.0.extend_from_slice(&len.to_be_bytes());
            }
        }
        self.0.extend_from_slice(digits.as_bytes());
    }

    pub(super) fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let bytes = |key: &Key| self.0.get(key.start..key.end).unwrap_or_default();
        let numbers = a.numbers.cmp(&b.numbers);
        numbers.then_with(|| by_words(bytes(a), bytes(b)))
    }
}

/// Compares bytes, eight at a time: a wasm module has no quicker way of its own.
fn by_words(a: &[u8], b: &[u8]) -> Ordering {
    let words = |bytes| <[u8]>::chunks_exact(bytes, 8);
    let same = words(a).zip(words(b)).take_while(|(a, b)| a == b).count();
    let behind = |bytes| <[u8]>::get(bytes, same * 8..).unwrap_or_default();
    behind(a).cmp(behind(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use modgate_go::gomod::semver;

    #[test]
    fn keys_sort_like_versions() {
        let long = "9".repeat(30);
        let longer = "1".repeat(300);
        let ascending = [
            "v0.0.0-20160208181325-20d25e280405".to_owned(),
            "v0.9.0".to_owned(),
            "v1.2.0-0".to_owned(),
            "v1.2.0-0.20160208181325-20d25e280405".to_owned(),
            "v1.2.0-2".to_owned(),
            "v1.2.0-10".to_owned(),
            "v1.2.0-10.a".to_owned(),
            format!("v1.2.0-{long}"),
            format!("v1.2.0-{longer}"),
            format!("v1.2.0-2{}", longer.get(1..).unwrap()),
            "v1.2.0--".to_owned(),
            "v1.2.0-RC1".to_owned(),
            "v1.2.0-alpha".to_owned(),
            "v1.2.0-alpha.1".to_owned(),
            "v1.2.0-alpha.a".to_owned(),
            "v1.2.0-alpha-a".to_owned(),
            "v1.2.0-alpha1".to_owned(),
            "v1.2.0-beta".to_owned(),
            "v1.2.0".to_owned(),
            "v1.2.0+incompatible".to_owned(),
            "v1.2.9".to_owned(),
            "v1.2.10".to_owned(),
            format!("v1.2.{}", u64::MAX),
            format!("v1.2.{long}-rc.1"),
            format!("v1.2.{long}"),
            format!("v1.{long}.0-a.b"),
            format!("v1.{long}.{long}"),
            format!("v1.{longer}.0"),
            format!("v{long}.0.0"),
        ];
        let mut keys = Keys::new();
        let known: Vec<Key> = ascending
            .iter()
            .map(|version| keys.add(&semver::parse(version).unwrap()))
            .collect();
        for (i, low) in known.iter().enumerate() {
            for (j, high) in known.iter().enumerate() {
                let versions = (&ascending[i], &ascending[j]);
                assert_eq!(keys.compare(low, high), i.cmp(&j), "{versions:?}");
                let parts = [versions.0, versions.1].map(|version| semver::parse(version).unwrap());
                let order = parts[0]
                    .compare(&parts[1])
                    .then_with(|| versions.0.cmp(versions.1));
                assert_eq!(order, i.cmp(&j), "{versions:?}");
            }
        }
    }
}
