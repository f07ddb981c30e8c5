//! What tiles prove of a tree: that they are its own, and then what stands in them.
//!
//! The tiles at the tree's right edge are not full, and all their hashes together make its root. Each
//! full tile has its hash in the tile above it. So every tile that is read depends on the root, and none
//! is used for which that was not computed.

use std::collections::BTreeMap;

use super::tile::{HASH, HEIGHT, Hashes, LEVELS, Place, WIDTH};
use super::tlog::{Hash, Head, root_hash};

/// Tiles of one tree that are being fetched. At most three for each of the tree's eight levels.
#[derive(Clone, Debug)]
pub struct Proof {
    tree: Head,
    tiles: BTreeMap<Place, Option<Vec<u8>>>,
}

/// Tiles that are a tree's own.
#[derive(Clone, Debug)]
pub struct Authentic {
    tiles: BTreeMap<Place, Vec<u8>>,
}

/// A tile that is not the tree's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

impl Proof {
    /// The tiles of a tree that prove what one of its records is, and what the tree was when it had
    /// `before` records.
    pub fn new(tree: Head, record: u64, before: Option<u64>) -> Self {
        let mut proof = Self {
            tree,
            tiles: BTreeMap::new(),
        };
        for level in 0..LEVELS {
            proof.want(Place::edge(tree.size, level));
        }
        proof.want_up_from(Place::of_record(record));
        for level in 0..LEVELS {
            if let Some(before) = before {
                let edge = Place::edge(before, level);
                if edge.width(before) > 0 {
                    proof.want_up_from(edge);
                }
            }
        }
        proof
    }

    /// The tree.
    pub const fn tree(&self) -> Head {
        self.tree
    }

    /// How many hashes a tile has in this tree.
    pub fn width(&self, place: Place) -> u64 {
        place.width(self.tree.size)
    }

    /// The tiles that are still to be fetched.
    pub fn missing(&self) -> impl Iterator<Item = Place> {
        let missing = self.tiles.iter().filter(|(_, bytes)| bytes.is_none());
        missing.map(|(place, _)| *place)
    }

    /// Takes what was fetched for a tile that is wanted: its bytes in this tree, no more and no less.
    ///
    /// # Errors
    /// Another number of bytes.
    pub fn supply(&mut self, place: Place, bytes: &[u8]) -> Result<(), Forged> {
        let width = self.width(place);
        Hashes::new(bytes, width).ok_or(Forged)?;
        if let Some(tile) = self.tiles.get_mut(&place) {
            *tile = Some(bytes.to_vec());
        }
        Ok(())
    }

    /// Computes the tree's root, and each tile's hash, from the tiles.
    ///
    /// # Errors
    /// A tile that is missing, or not of this tree.
    pub fn authenticate(self) -> Result<Authentic, Forged> {
        let mut tiles = BTreeMap::new();
        for (place, bytes) in self.tiles {
            tiles.insert(place, bytes.ok_or(Forged)?);
        }
        let read = Authentic { tiles };
        if read.root(self.tree.size) != Some(self.tree.root) {
            return Err(Forged);
        }
        // From the top, so that a tile's parent was looked at before it.
        for (place, bytes) in read.tiles.iter().rev() {
            if place.width(self.tree.size) < WIDTH {
                // At the edge, and so part of the root.
                continue;
            }
            let (parent, at) = place.parent();
            let whole = Hashes::new(bytes, WIDTH).and_then(|tile| tile.whole());
            let known = read.tile(parent).and_then(|tile| tile.get(at));
            if whole.is_none() || whole != known {
                return Err(Forged);
            }
        }
        Ok(read)
    }

    /// A tile, where it has anything in this tree.
    fn want(&mut self, place: Place) {
        if self.width(place) > 0 {
            self.tiles.entry(place).or_insert(None);
        }
    }

    /// A tile, and those above it up to the tree's edge.
    fn want_up_from(&mut self, place: Place) {
        let mut place = place;
        for _ in 0..LEVELS {
            self.want(place);
            if self.width(place) < WIDTH {
                return;
            }
            (place, _) = place.parent();
        }
    }
}

impl Authentic {
    /// The hash of a record; `None` where its tile was not read.
    pub fn record(&self, id: u64) -> Option<Hash> {
        let at = usize::try_from(id % WIDTH).ok()?;
        self.tile(Place::of_record(id))?.get(at)
    }

    /// The hash of the tree when it had so many records, of which there must be one; `None` where the
    /// tiles were not read.
    pub fn root(&self, size: u64) -> Option<Hash> {
        let mut parts = Vec::new();
        for level in (0..LEVELS).rev() {
            let edge = Place::edge(size, level);
            let width = edge.width(size);
            if width > 0 {
                parts.extend(self.tile(edge)?.parts(width)?);
            }
        }
        root_hash(&parts)
    }

    /// The tiles.
    pub fn tiles(&self) -> impl Iterator<Item = (Place, &[u8])> {
        let tiles = self.tiles.iter();
        tiles.map(|(place, bytes)| (*place, bytes.as_slice()))
    }

    fn tile(&self, place: Place) -> Option<Hashes<'_>> {
        let bytes = self.tiles.get(&place)?;
        Hashes::new(bytes, (bytes.len() / HASH) as u64)
    }
}

const _: () = assert!(HEIGHT * LEVELS as u32 >= 63, "eight levels hold every tree");
