//! The hash of a module's zip as it streams.
//!
//! Go reads a zip by its central directory, which comes last; a stream is read by its entries. The
//! two meanings are one only where the central directory says exactly what the entries said, which
//! is what is demanded here. What is refused though Go would forgive it is in `docs/explain/module-zips.md`.
//!
//! In reading order: [`limits`] and [`error`]; `records` are the format's; `names` may be used by a
//! module; `content` inflates and hashes; `entries` are kept in `order` and `fold`ed until the `directory`
//! confirms them; `steps` is what follows from each record.

mod content;
mod directory;
mod entries;
pub mod error;
mod fold;
pub mod limits;
mod names;
mod order;
mod records;
mod steps;

use std::fmt;

pub use error::{Field, ZipError, ZipFault};

use crate::gomod::{H1, ModuleVersion};

use content::{Content, Method};
use directory::Directory;
use entries::Entries;
use limits::MAX_ZIP_BYTES;
use names::Names;
use records::{Descriptor, End, EntryHeader, Listing, Sizes, Zip64End, signature};

/// Hashes a module's zip from its bytes in their order, in chunks of any size.
///
/// Takes about 130 KB and 140 bytes a file, whatever the size of the zip; never more than
/// [`limits::MAX_INDEX_BYTES`] for all files together.
pub struct ZipHasher {
    /// How many bytes have come: the offset of the next.
    fed: u64,
    state: State,
    /// The record that is being gathered.
    record: Vec<u8>,
    names: Names,
    content: Content,
    content_bytes: u64,
    entries: Entries,
    directory: Option<Directory>,
    failed: Option<ZipError>,
}

/// A module's zip that has passed whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipSummary {
    /// The hash, as Go computes it.
    pub h1: H1,
    /// The module; none where it was not given and the zip is empty.
    pub module: Option<ModuleVersion>,
    /// How many files there are.
    pub files: u32,
    /// The size of the zip, in bytes.
    pub zip_bytes: u64,
    /// The size of all files together, in bytes.
    pub content_bytes: u64,
}

/// What the next bytes are.
#[derive(Debug)]
enum State {
    /// What kind of record comes.
    Signature,
    EntryHeader,
    EntryName(EntryHeader, Method),
    EntryExtra(OpenEntry, usize),
    /// The same where the sizes stand in it.
    EntryZip64(OpenEntry),
    /// As many bytes as a descriptor has, where a folder's data or its descriptor comes.
    FolderData(OpenEntry),
    Data(OpenEntry),
    Descriptor(OpenEntry, [u8; 32], Sizes),
    Listing,
    ListingNames(Listing),
    Zip64End,
    End,
    /// The zip's comment: how much of it is missing.
    EndComment(usize, signature::Search),
    /// Nothing.
    Done,
}

/// A file whose data is coming.
#[derive(Debug)]
struct OpenEntry {
    header: EntryHeader,
    method: Method,
    /// The path in the module.
    path: Box<str>,
    at: u64,
    data_at: u64,
    /// Whether its sizes have 64 bits.
    wide: bool,
}

impl OpenEntry {
    /// A number of the header's; none where it may leave that to the descriptor, which is then 0. Some
    /// writers leave out all three, others those that they do not know.
    const fn declared(&self, number: u32) -> Option<u32> {
        if self.header.has_descriptor() && number == 0 {
            None
        } else {
            Some(number)
        }
    }

    /// Whether its end can be determined by the descriptor alone, which stored data may look like: only of an
    /// empty file is that sure, once the directory confirms it.
    fn is_endless(&self) -> bool {
        let sizes = self.header.sizes;
        self.method == Method::Stored
            && self.header.has_descriptor()
            && [sizes.compressed, sizes.content] == [0, 0]
            && !names::is_folder(&self.path)
    }
}

impl fmt::Debug for ZipHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZipHasher")
            .field("fed", &self.fed)
            .field("state", &self.state)
            .field("files", &self.entries.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl ZipHasher {
    /// For the zip of this module: files of any other are refused.
    pub fn of(module: ModuleVersion) -> Self {
        Self::new(Names::of(module))
    }

    /// For the zip of whichever module its first file says.
    pub fn of_any_module() -> Self {
        Self::new(Names::default())
    }

    fn new(names: Names) -> Self {
        Self {
            fed: 0,
            state: State::Signature,
            record: Vec::new(),
            names,
            content: Content::new(),
            content_bytes: 0,
            entries: Entries::default(),
            directory: None,
            failed: None,
        }
    }

    /// Takes the next bytes. What was fed is not kept.
    ///
    /// # Errors
    /// The first fault, as soon as it can be determined; the same on every call from then on.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ZipError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.read(chunk)
            .inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// The verdict on all that was fed.
    ///
    /// # Errors
    /// What feeding has failed with, a zip that is cut short.
    pub fn finish(self) -> Result<ZipSummary, ZipError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !matches!(self.state, State::Done) {
            return Err(ZipError::new(self.fed, ZipFault::Truncated));
        }
        Ok(ZipSummary {
            files: self.entries.len(),
            h1: self.entries.h1(self.names.prefix()),
            zip_bytes: self.fed,
            content_bytes: self.content_bytes,
            module: self.names.into_module(),
        })
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), ZipError> {
        let room = MAX_ZIP_BYTES.saturating_sub(self.fed);
        let allowed = usize::try_from(room).unwrap_or(usize::MAX);
        let (mut rest, over) = chunk.split_at_checked(allowed).unwrap_or((chunk, &[]));
        while self.step(&mut rest)? {}
        if over.is_empty() {
            Ok(())
        } else {
            Err(ZipError::new(MAX_ZIP_BYTES, ZipFault::ZipTooLarge))
        }
    }

    /// Reads one thing from the front of the chunk. Whether there may be more to read: a thing can
    /// be empty, so an empty chunk is not yet the end.
    fn step(&mut self, chunk: &mut &[u8]) -> Result<bool, ZipError> {
        match &mut self.state {
            State::Done if chunk.is_empty() => return Ok(false),
            State::Done => return Err(ZipError::new(self.fed, ZipFault::TrailingBytes)),
            State::EntryExtra(_, left) => {
                let (skipped, rest) = chunk.split_at_checked(*left).unwrap_or((chunk, &[]));
                *left -= skipped.len();
                self.fed += skipped.len() as u64;
                *chunk = rest;
                if *left > 0 {
                    return Ok(false);
                }
            }
            State::EndComment(left, search) => {
                let (part, rest) = chunk.split_at_checked(*left).unwrap_or((chunk, &[]));
                for byte in part {
                    self.fed += 1;
                    if search.finds(*byte) {
                        let at = self.fed.saturating_sub(signature::LEN.into());
                        return Err(ZipError::new(at, ZipFault::EndComment));
                    }
                }
                *left -= part.len();
                *chunk = rest;
                if *left > 0 {
                    return Ok(false);
                }
            }
            State::Data(entry) => {
                let before = chunk.len();
                let ended = self.content.push(chunk);
                self.fed += (before - chunk.len()) as u64;
                let ended = ended.map_err(|fault| {
                    let name = format!("{}{}", self.names.prefix(), entry.path);
                    ZipError::new(entry.data_at, fault).of_file(&name)
                })?;
                if !ended {
                    return Ok(false);
                }
            }
            state => {
                let missing = state.record_len() - self.record.len();
                let (part, rest) = chunk.split_at_checked(missing).unwrap_or((chunk, &[]));
                self.record.extend_from_slice(part);
                self.fed += part.len() as u64;
                *chunk = rest;
                if part.len() < missing {
                    return Ok(false);
                }
            }
        }
        let mut record = std::mem::take(&mut self.record);
        let state = std::mem::replace(&mut self.state, State::Done);
        self.state = self.next(state, &record)?;
        // What was gathered in vain is read anew, and the next record may have begun in it.
        if self.record.is_empty() {
            record.clear();
            self.record = record;
        }
        Ok(true)
    }
}

impl State {
    /// How many bytes there are to gather.
    fn record_len(&self) -> usize {
        match self {
            Self::Signature => signature::LEN.into(),
            Self::EntryHeader => EntryHeader::LEN,
            Self::EntryName(header, _) => header.name_len.into(),
            Self::EntryZip64(entry) => entry.header.extra_len.into(),
            Self::Descriptor(entry, ..) | Self::FolderData(entry) if entry.wide => {
                Descriptor::WIDE_LEN
            }
            Self::Descriptor(..) | Self::FolderData(_) => Descriptor::LEN,
            Self::Listing => Listing::LEN,
            Self::ListingNames(listing) => {
                usize::from(listing.name_len)
                    + usize::from(listing.extra_len)
                    + usize::from(listing.comment_len)
            }
            Self::Zip64End => Zip64End::LEN,
            Self::End => End::LEN,
            Self::EntryExtra(..) | Self::Data(_) | Self::EndComment(..) | Self::Done => 0,
        }
    }
}
