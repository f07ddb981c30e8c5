//! The central directory, which is all that Go reads: it must say what the entries said, be where
//! the end record puts it, and be followed by nothing else.

use super::entries::Entries;
use super::error::{Field, ZipError, ZipFault};
use super::limits::{MAX_COMMENT_BYTES, MAX_EXTRA_BYTES, MAX_NAME_BYTES};
use super::names::is_folder;
use super::records::{
    End, Fields, Listing, ZIP64_COUNT, ZIP64_VALUE, Zip64End, signature, zip64_field,
};

/// How many bytes zip64's locator has.
const LOCATOR_LEN: usize = 20;

/// The central directory as far as it has passed.
#[derive(Debug)]
pub(super) struct Directory {
    /// Where it begins, in bytes from the zip's first.
    at: u64,
    /// The same place behind it, once that is known.
    end: Option<u64>,
    zip64: bool,
    /// The last bytes of the last file's record.
    tail: [u8; LOCATOR_LEN],
}

impl Directory {
    pub(super) const fn starting_at(at: u64) -> Self {
        Self {
            at,
            end: None,
            zip64: false,
            tail: [0; LOCATOR_LEN],
        }
    }

    /// Whether the record that begins at `at` may be one of the files'.
    pub(super) const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Takes what stands before the name, at `at`, and holds it against the entry that it points to;
    /// where its numbers stand behind the name, whether that can be gathered.
    pub(super) fn open_listing(
        &mut self,
        listing: &Listing,
        record: &[u8],
        at: u64,
        prefix: &str,
        entries: &mut Entries,
    ) -> Result<(), ZipError> {
        self.remember(record);
        if !listing.needs_zip64() {
            return Self::check_listing(listing, at, prefix, entries);
        }
        let wrong = [
            (
                listing.name_len > MAX_NAME_BYTES,
                Listing::NAME_LEN_AT,
                ZipFault::NameTooLong,
            ),
            (
                listing.extra_len > MAX_EXTRA_BYTES,
                Listing::EXTRA_LEN_AT,
                ZipFault::Extra,
            ),
            (
                listing.comment_len > MAX_COMMENT_BYTES,
                Listing::COMMENT_LEN_AT,
                ZipFault::Comment,
            ),
        ];
        match wrong.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, field, why)) => Err(ZipError::new(at + u64::from(field), why)),
            None => Ok(()),
        }
    }

    /// Keeps the end of what has passed.
    fn remember(&mut self, record: &[u8]) {
        let kept = record.len().min(LOCATOR_LEN);
        self.tail.rotate_left(kept);
        let last = record.iter().rev().take(kept);
        for (to, from) in self.tail.iter_mut().rev().zip(last) {
            *to = *from;
        }
    }

    /// Holds what stands before the name, at `at`, against the entry that it points to.
    fn check_listing(
        listing: &Listing,
        at: u64,
        prefix: &str,
        entries: &mut Entries,
    ) -> Result<(), ZipError> {
        let fault = |field: u16, fault| ZipError::new(at + u64::from(field), fault);
        let entry = entries
            .at(listing.entry_at)
            .ok_or_else(|| fault(Listing::ENTRY_AT_AT, ZipFault::NoSuchEntry))?;
        let of_file = |error: ZipError| error.of_file(&format!("{prefix}{}", entry.path));
        if entry.listed {
            return Err(of_file(fault(0, ZipFault::ListedTwice)));
        }
        if let Some((field, field_at)) = entry.difference(listing) {
            return Err(of_file(fault(field_at, ZipFault::Differs(field))));
        }
        if usize::from(listing.name_len) != prefix.len() + entry.path.len() {
            let differs = ZipFault::Differs(Field::Name);
            return Err(of_file(fault(Listing::NAME_LEN_AT, differs)));
        }
        let other = [
            (
                listing.extra_len > MAX_EXTRA_BYTES,
                Listing::EXTRA_LEN_AT,
                ZipFault::Extra,
            ),
            (
                listing.comment_len > MAX_COMMENT_BYTES,
                Listing::COMMENT_LEN_AT,
                ZipFault::Comment,
            ),
            (listing.disk != 0, Listing::DISK_AT, ZipFault::Disk),
            (
                !listing.fits(is_folder(&entry.path)),
                Listing::ATTRIBUTES_AT,
                ZipFault::NotRegular,
            ),
        ];
        match other.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, field, why)) => Err(of_file(fault(field, why))),
            None => Ok(()),
        }
    }

    /// Checks the name, the extra fields and the comment of the listing at `at`, and ticks the entry
    /// off.
    pub(super) fn tick_off(
        &mut self,
        listing: &Listing,
        at: u64,
        record: &[u8],
        prefix: &str,
        entries: &mut Entries,
    ) -> Result<(), ZipError> {
        self.remember(record);
        let (name_len, extra_len) = (listing.name_len.into(), listing.extra_len.into());
        let (name, rest) = record.split_at_checked(name_len).unwrap_or((record, &[]));
        let (extra, comment) = rest.split_at_checked(extra_len).unwrap_or((rest, &[]));
        let name_at = at + u64::from(Listing::NAME_AT);
        let extra_at = name_at + u64::from(listing.name_len);
        let prefixed = |path: &str| format!("{prefix}{path}");
        let whole = zip64_field(extra).and_then(|field| listing.with_zip64(field));
        let whole = whole.map_err(|fault| {
            let error = ZipError::new(extra_at, fault);
            match entries.at(listing.entry_at) {
                Some(entry) => error.of_file(&prefixed(&entry.path)),
                None => error,
            }
        })?;
        if listing.needs_zip64() {
            Self::check_listing(&whole, at, prefix, entries)?;
        }
        let Some(entry) = entries.at(whole.entry_at) else {
            return Err(ZipError::new(at, ZipFault::NoSuchEntry));
        };
        let of_file = |error: ZipError| error.of_file(&prefixed(&entry.path));
        if name.strip_prefix(prefix.as_bytes()) != Some(entry.path.as_bytes()) {
            let differs = ZipFault::Differs(Field::Name);
            return Err(of_file(ZipError::new(name_at, differs)));
        }
        let mut search = signature::Search::default();
        if comment.iter().any(|byte| search.finds(*byte)) {
            let comment_at = extra_at + u64::from(listing.extra_len);
            return Err(of_file(ZipError::new(comment_at, ZipFault::Comment)));
        }
        entry.listed = true;
        Ok(())
    }

    /// Where the first of the end records begins, at `at`: all files must have been listed.
    pub(super) fn close(
        &mut self,
        at: u64,
        prefix: &str,
        entries: &Entries,
    ) -> Result<(), ZipError> {
        self.end = Some(at);
        // Where the directory has 65,535 bytes, or as many files, Go looks for zip64's locator right
        // before the end record, which is here, and would follow it to another directory.
        if Fields(&self.tail).u32() == signature::ZIP64_LOCATOR {
            let locator_at = at.saturating_sub(LOCATOR_LEN as u64);
            return Err(ZipError::new(locator_at, ZipFault::Zip64));
        }
        match entries.unlisted() {
            Some(entry) => Err(ZipError::new(entry.at.into(), ZipFault::Unlisted)
                .of_file(&format!("{prefix}{}", entry.path))),
            None => Ok(()),
        }
    }

    fn size(&self) -> u64 {
        self.end.unwrap_or(self.at).saturating_sub(self.at)
    }

    /// Zip64's end records must be about this directory, whether or not anything needs them.
    pub(super) fn check_zip64(&mut self, bytes: &[u8], files: u32) -> Result<(), ZipFault> {
        self.zip64 = true;
        if Zip64End::is_of(bytes, files.into(), self.at, self.size()) {
            Ok(())
        } else {
            Err(ZipFault::Zip64End)
        }
    }

    /// The last record, at `at`. Behind zip64's each of its numbers may stand there or here.
    pub(super) fn check_end(&self, end: &End, at: u64, files: u32) -> Result<(), ZipError> {
        if files > u32::from(ZIP64_COUNT) && !self.zip64 {
            return Err(ZipError::new(at, ZipFault::NoZip64End));
        }
        let zip64 = self.zip64;
        let is_count = |count: u16| u32::from(count) == files || zip64 && count == ZIP64_COUNT;
        let is_number =
            |number: u32, real: u64| u64::from(number) == real || zip64 && number == ZIP64_VALUE;
        // Go looks for zip64's records where the count or the offset says so, and not for the size.
        let [_, count] = end.counts;
        let unseen = end.directory_size == ZIP64_VALUE
            && count != ZIP64_COUNT
            && end.directory_at != ZIP64_VALUE;
        let wrong = [
            (end.disks != [0, 0], End::DISKS_AT, ZipFault::Disk),
            (
                !end.counts.into_iter().all(is_count),
                End::COUNTS_AT,
                ZipFault::EndCount,
            ),
            (
                !is_number(end.directory_size, self.size()) || unseen,
                End::SIZE_AT,
                ZipFault::EndSize,
            ),
            (
                !is_number(end.directory_at, self.at),
                End::OFFSET_AT,
                ZipFault::EndOffset,
            ),
        ];
        match wrong.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, field, fault)) => Err(ZipError::new(at + u64::from(field), fault)),
            None => Ok(()),
        }
    }
}
