//! What was proved and need not be asked again, within bounds.

use std::collections::HashMap;
use std::hash::Hash;

use super::proof::Authentic;
use super::record::Sums;
use super::tile::Place;
use crate::gomod::ModuleVersion;

/// The most module versions whose hashes are remembered: about 1 MB.
const VERSIONS: usize = 4096;

/// The most tiles that are remembered: 2 MB.
const TILES: usize = 256;

/// Hashes and tiles of one database that were proved. What has not been used for long is forgotten.
#[derive(Debug)]
pub struct Memory {
    sums: Bounded<ModuleVersion, Sums>,
    tiles: Bounded<Place, Box<[u8]>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            sums: Bounded::new(VERSIONS),
            tiles: Bounded::new(TILES),
        }
    }
}

impl Memory {
    /// The hashes that were proved of a module version.
    pub fn recall(&mut self, module: &ModuleVersion) -> Option<Sums> {
        self.sums.get(module).copied()
    }

    pub(super) fn note(&mut self, module: &ModuleVersion, sums: Sums) {
        self.sums.insert(module.clone(), sums);
    }

    /// The first bytes of a tile that was authenticated, where it has so many. In a larger tree it is
    /// wider and begins the same.
    pub(super) fn tile(&mut self, place: Place, bytes: usize) -> Option<&[u8]> {
        self.tiles.get(&place)?.get(..bytes)
    }

    /// Keeps tiles that were authenticated, each as wide as it was ever seen.
    pub(super) fn keep(&mut self, authentic: &Authentic) {
        for (place, bytes) in authentic.tiles() {
            if self.tile(place, bytes.len()).is_none() {
                self.tiles.insert(place, bytes.into());
            }
        }
    }
}

/// A map that forgets: it has a young and an old half, and where the young one is full, the old one
/// goes. What is used is young again.
#[derive(Debug)]
struct Bounded<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    fn new(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: most / 2,
        }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get(key)
    }

    fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut map = Bounded::new(8);
        map.insert(0, "used");
        for key in 1..100 {
            map.insert(key, "once");
            assert_eq!(map.get(&0), Some(&"used"), "behind {key}");
            assert!(map.young.len() + map.old.len() <= 8);
        }
        assert_eq!(map.get(&99), Some(&"once"));
        assert_eq!(map.get(&50), None);
        map.insert(0, "changed");
        assert_eq!(map.get(&0), Some(&"changed"));
    }
}
