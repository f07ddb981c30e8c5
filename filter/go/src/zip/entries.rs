//! What is remembered of each file until the end: the central directory must say the same, and the
//! hash is over names in their order.

use super::error::{Field, ZipFault};
use super::fold;
use super::limits::{INDEX_BYTES_A_FILE, MAX_INDEX_BYTES};
use super::order::{Order, Place};
use super::records::{Listing, Sizes};
use crate::gomod::{H1, Lines};

/// A file that has passed.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path in the module.
    pub path: Box<str>,
    pub sha256: [u8; 32],
    pub sizes: Sizes,
    /// Where its header stands, in bytes from the zip's first.
    pub at: u32,
    pub flags: u16,
    pub method: u16,
    /// Whether the central directory has it.
    pub listed: bool,
}

impl Entry {
    /// The first field in which the central directory says otherwise.
    pub(super) fn difference(&self, listing: &Listing) -> Option<(Field, u16)> {
        let (ours, theirs) = (self.sizes, listing.sizes);
        [
            (self.flags == listing.flags, Field::Flags, Listing::FLAGS_AT),
            (
                self.method == listing.method,
                Field::Method,
                Listing::METHOD_AT,
            ),
            (ours.crc == theirs.crc, Field::Crc, Listing::CRC_AT),
            (
                ours.compressed == theirs.compressed,
                Field::CompressedSize,
                Listing::COMPRESSED_AT,
            ),
            (
                ours.content == theirs.content,
                Field::Size,
                Listing::CONTENT_AT,
            ),
        ]
        .into_iter()
        .find_map(|(same, field, at)| (!same).then_some((field, at)))
    }
}

/// How many files one allocation holds. Pages instead of one vector, which would for a moment take
/// up three times its size whenever it grows.
const PAGE: usize = 256;

/// All files that have passed, in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pages: Vec<Vec<Entry>>,
    len: u32,
    bytes: usize,
    /// In the order in which names that collide are neighbours.
    folded: Order,
    /// In the order of their names, as the hash has them.
    by_name: Order,
    /// The lines of the hash so far, and the place behind them in that order.
    lines: Lines,
    hashed: Place,
    /// The file that the central directory has next, where it keeps the entries' order.
    next: u32,
}

impl Entries {
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// Makes room in the account for a file of this path.
    pub(super) fn reserve(&mut self, path: &str) -> Result<(), ZipFault> {
        self.bytes = self.bytes.saturating_add(INDEX_BYTES_A_FILE + path.len());
        if self.bytes > MAX_INDEX_BYTES {
            return Err(ZipFault::TooManyFiles);
        }
        Ok(())
    }

    /// Keeps a file that has passed.
    ///
    /// # Errors
    /// One whose name collides with an earlier one's.
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), (ZipFault, Entry)> {
        let pages = &self.pages;
        let path = |index: u32| entry_of(pages, index).map_or("", |entry| &*entry.path);
        let fold = |known| fold::compare(path(known), &entry.path);
        let beside = self.folded.insert(self.len, fold);
        let mut collisions = beside.into_iter().flatten();
        let collision = collisions.find_map(|known| fold::collision(path(known), &entry.path));
        if let Some(fault) = collision {
            return Err((fault, entry));
        }
        let by_name = |known| path(known).cmp(&entry.path);
        self.by_name.insert(self.len, by_name);
        self.len = self.len.saturating_add(1);
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(entry),
            Some(_) => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(entry);
                self.pages.push(page);
            }
            // Most modules have few files: the first page grows as it is needed.
            None => self.pages.push(vec![entry]),
        }
        Ok(())
    }

    fn get(&self, index: u32) -> Option<&Entry> {
        entry_of(&self.pages, index)
    }

    /// The file whose header stands at this offset.
    pub(super) fn at(&mut self, offset: u32) -> Option<&mut Entry> {
        let index = if self.get(self.next).is_some_and(|entry| entry.at == offset) {
            self.next
        } else {
            self.search(offset)?
        };
        self.next = index.saturating_add(1);
        let index = usize::try_from(index).ok()?;
        self.pages.get_mut(index / PAGE)?.get_mut(index % PAGE)
    }

    fn search(&self, offset: u32) -> Option<u32> {
        let starts_before =
            |page: &Vec<Entry>| page.first().is_some_and(|entry| entry.at <= offset);
        let page = self.pages.partition_point(starts_before).checked_sub(1)?;
        let entries = self.pages.get(page)?;
        let place = entries
            .binary_search_by_key(&offset, |entry| entry.at)
            .ok()?;
        u32::try_from(page * PAGE + place).ok()
    }

    /// The first file that the central directory has left out.
    pub(super) fn unlisted(&self) -> Option<&Entry> {
        self.pages.iter().flatten().find(|entry| !entry.listed)
    }

    /// Hashes the next file of the order of names, of those that are left; they have this prefix in the
    /// zip. Once all files have passed, one for each that the central directory lists: so the worker has
    /// never all of them to hash at once.
    pub(super) fn hash_next(&mut self, prefix: &str) {
        let next = self.by_name.from(self.hashed).next();
        let Some((index, behind)) = next else {
            return;
        };
        if let Some(entry) = entry_of(&self.pages, index) {
            self.lines.push(&entry.sha256, [prefix, &entry.path]);
        }
        self.hashed = behind;
    }

    /// The hash over all files, whose names in the zip have this prefix.
    pub(super) fn h1(mut self, prefix: &str) -> H1 {
        let mut lines = std::mem::take(&mut self.lines);
        let left = self.by_name.from(self.hashed);
        for entry in left.filter_map(|(index, _)| self.get(index)) {
            lines.push(&entry.sha256, [prefix, &entry.path]);
        }
        lines.finish()
    }
}

fn entry_of(pages: &[Vec<Entry>], index: u32) -> Option<&Entry> {
    let index = usize::try_from(index).ok()?;
    pages.get(index / PAGE)?.get(index % PAGE)
}
