//! Tiles: the tree cut into pieces of up to 256 hashes that stand side by side, which is how a database
//! hands it out (x/mod `tlog.Tile`, of height 8).

use std::fmt::Write;

use super::tlog::{Hash, node_hash};

/// How many levels of the tree one tile stands for.
pub const HEIGHT: u32 = 8;

/// The most hashes in a tile.
pub const WIDTH: u64 = 1 << HEIGHT;

/// The levels of tiles that a tree below 2^63 records has.
pub const LEVELS: u8 = 8;

/// How many bytes a hash has.
pub(super) const HASH: usize = 32;

/// The most bytes in a tile.
pub const MAX_BYTES: usize = WIDTH as usize * HASH;

/// The place of a tile: `level` counts tiles from the records up, `index` from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// 0 has the hashes of records.
    pub level: u8,
    /// Which of that level.
    pub index: u64,
}

impl Place {
    /// The tile that has a record's hash.
    pub const fn of_record(id: u64) -> Self {
        Self {
            level: 0,
            index: id / WIDTH,
        }
    }

    /// The last tile of a level, which is not full; it may be empty.
    pub fn edge(size: u64, level: u8) -> Self {
        Self {
            level,
            index: count(size, level) / WIDTH,
        }
    }

    /// How many hashes it has in a tree of this size, 0 to 256.
    pub fn width(&self, size: u64) -> u64 {
        let before = self.index.saturating_mul(WIDTH);
        count(size, self.level).saturating_sub(before).min(WIDTH)
    }

    /// The tile that has the hash of this one, where it is full, and where in it.
    pub const fn parent(&self) -> (Self, usize) {
        let parent = Self {
            level: self.level.saturating_add(1),
            index: self.index / WIDTH,
        };
        (parent, (self.index % WIDTH) as usize)
    }

    /// Its path behind the database's address, with so many hashes: `/tile/8/0/x001/234.p/56`.
    pub fn path(&self, width: u64) -> String {
        const GROUP: u64 = 1000;
        let mut groups = Vec::new();
        let mut rest = self.index;
        while rest >= GROUP {
            groups.push(rest % GROUP);
            rest /= GROUP;
        }
        groups.push(rest);
        let mut path = format!("/tile/{HEIGHT}/{}", self.level);
        while let Some(group) = groups.pop() {
            let more = if groups.is_empty() { "" } else { "x" };
            // Writing into a string cannot fail.
            let _ = write!(path, "/{more}{group:03}");
        }
        if width < WIDTH {
            let _ = write!(path, ".p/{width}");
        }
        path
    }
}

/// How many hashes stand side by side at the bottom of a level's tiles.
fn count(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0)
}

/// The hashes of a tile, as the database sends them.
#[derive(Clone, Copy, Debug)]
pub struct Hashes<'t>(&'t [u8]);

impl<'t> Hashes<'t> {
    /// Exactly so many; `None` of any other number of bytes.
    pub fn new(bytes: &'t [u8], width: u64) -> Option<Self> {
        let right = width <= WIDTH && bytes.len() as u64 == width * HASH as u64;
        right.then_some(Self(bytes))
    }

    /// The hash at a place.
    pub fn get(&self, at: usize) -> Option<Hash> {
        let from = at.checked_mul(HASH)?;
        self.0.get(from..)?.first_chunk().copied()
    }

    /// The hash of them all, of which there must be a power of two.
    pub fn whole(&self) -> Option<Hash> {
        let row: Vec<Hash> = self.all().collect();
        row.len().is_power_of_two().then(|| fold(row)).flatten()
    }

    /// The hashes of the complete parts of the tree that the first `width` make up, the largest first;
    /// `None` where there are not so many.
    pub fn parts(&self, width: u64) -> Option<Vec<Hash>> {
        let all: Vec<Hash> = self.all().collect();
        let mut rest = all.get(..usize::try_from(width).ok()?)?;
        let mut parts = Vec::new();
        while let Some(power) = rest.len().checked_ilog2() {
            let (part, behind) = rest.split_at_checked(1 << power)?;
            parts.push(fold(part.to_vec())?);
            rest = behind;
        }
        Some(parts)
    }

    fn all(&self) -> impl Iterator<Item = Hash> {
        self.0
            .chunks_exact(HASH)
            .filter_map(|hash| hash.try_into().ok())
    }
}

/// The one hash above a row, whose length is a power of two.
fn fold(mut row: Vec<Hash>) -> Option<Hash> {
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect();
    }
    row.pop()
}

#[cfg(test)]
mod tests {
    use super::super::tlog::root_hash;
    use super::*;

    fn place(level: u8, index: u64) -> Place {
        Place { level, index }
    }

    #[test]
    fn paths_are_those_of_the_go_command() {
        for (level, index, width, path) in [
            (0, 0, 256, "/tile/8/0/000"),
            (0, 0, 1, "/tile/8/0/000.p/1"),
            (3, 999, 255, "/tile/8/3/999.p/255"),
            (0, 1000, 256, "/tile/8/0/x001/000"),
            (0, 1_234_067, 56, "/tile/8/0/x001/x234/067.p/56"),
        ] {
            assert_eq!(place(level, index).path(width), path);
        }
    }

    #[test]
    fn a_tile_has_what_the_tree_has() {
        let size = 2 * 65_536 + 3 * 256 + 7;
        for (level, index, width) in [
            (0, 0, 256),
            (0, 514, 256),
            (0, 515, 7),
            (0, 516, 0),
            (1, 0, 256),
            (1, 2, 3),
            (2, 0, 2),
            (3, 0, 0),
            (7, 0, 0),
            (200, 0, 0),
        ] {
            assert_eq!(place(level, index).width(size), width, "{level} {index}");
        }
        assert_eq!(Place::edge(size, 0), place(0, 515));
        assert_eq!(place(0, 515).parent(), (place(1, 2), 3));
        // The largest tree that there can be.
        let most = i64::MAX as u64;
        assert_eq!(Place::edge(most, 7), place(7, 0));
        assert_eq!(place(7, 0).width(most), 127);
        assert_eq!(place(0, u64::MAX).width(most), 0);
    }

    #[test]
    fn only_the_right_number_of_bytes_is_a_tile() {
        let bytes = [7; 3 * 32];
        assert!(Hashes::new(&bytes, 3).is_some());
        for (length, width) in [(96, 2), (96, 4), (95, 3), (0, 3), (32, 257)] {
            assert!(Hashes::new(&bytes[..length], width).is_none());
        }
        let tile = Hashes::new(&bytes, 3).unwrap();
        assert_eq!(tile.get(2), Some([7; 32]));
        assert_eq!(tile.get(3), None);
        assert_eq!(tile.whole(), None, "three hashes are no complete part");
        assert_eq!(tile.parts(4), None, "there are only three");
    }

    #[test]
    fn the_parts_of_a_tile_make_its_tree() {
        let hashes: Vec<Hash> = (0..=255).map(|n| [n; 32]).collect();
        let bytes = hashes.concat();
        let tile = Hashes::new(&bytes, 256).unwrap();
        let parts = tile.parts(7).unwrap();
        assert_eq!(parts.len(), 3);
        let two = |a: usize, b: usize| node_hash(&hashes[a], &hashes[b]);
        assert_eq!(parts[0], node_hash(&two(0, 1), &two(2, 3)));
        assert_eq!(parts[1..], [two(4, 5), hashes[6]]);
        assert_eq!(tile.parts(256), Some(vec![tile.whole().unwrap()]));
        assert_eq!(root_hash(&tile.parts(256).unwrap()), tile.whole());
        assert_eq!(tile.parts(0), Some(vec![]));
    }
}
