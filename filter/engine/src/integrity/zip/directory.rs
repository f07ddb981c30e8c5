//! The central directory, which is all that Go reads: it must say what the entries said, be where
//! the end record puts it, and be followed by nothing else.

use super::entries::Entries;
use super::error::{Field, ZipError, ZipFault};
use super::limits::MAX_EXTRA_BYTES;
use super::records::{
    End, Fields, Listing, ZIP64_COUNT, ZIP64_EXTRA, ZIP64_VALUE, Zip64End, signature,
};

/// The central directory as far as it has passed.
#[derive(Debug)]
pub(super) struct Directory {
    /// Where it begins, in bytes from the zip's first.
    at: u64,
    /// The same place behind it, once that is known.
    end: Option<u64>,
    zip64: bool,
}

impl Directory {
    pub(super) const fn starting_at(at: u64) -> Self {
        Self {
            at,
            end: None,
            zip64: false,
        }
    }

    /// Whether the record that begins at `at` may be one of the files'.
    pub(super) const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Holds what stands before the name, at `at`, against the entry that it points to.
    pub(super) fn check_listing(
        listing: &Listing,
        at: u64,
        prefix: &str,
        entries: &mut Entries,
    ) -> Result<(), ZipError> {
        let fault = |field: u16, fault| ZipError::new(at + u64::from(field), fault);
        if listing.entry_at == ZIP64_VALUE {
            return Err(fault(Listing::ENTRY_AT_AT, ZipFault::Zip64));
        }
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
                listing.comment_len != 0,
                Listing::COMMENT_LEN_AT,
                ZipFault::Comment,
            ),
            (listing.disk != 0, Listing::DISK_AT, ZipFault::Disk),
            (
                !listing.is_regular_file(),
                Listing::ATTRIBUTES_AT,
                ZipFault::NotRegular,
            ),
        ];
        match other.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, field, why)) => Err(of_file(fault(field, why))),
            None => Ok(()),
        }
    }

    /// Checks the name and the extra fields of the listing at `at`, and ticks the entry off.
    pub(super) fn tick_off(
        listing: &Listing,
        at: u64,
        names: &[u8],
        prefix: &str,
        entries: &mut Entries,
    ) -> Result<(), ZipError> {
        let name_at = at + u64::from(Listing::NAME_AT);
        let Some(entry) = entries.at(listing.entry_at) else {
            return Err(ZipError::new(at, ZipFault::NoSuchEntry));
        };
        let of_file = |error: ZipError| error.of_file(&format!("{prefix}{}", entry.path));
        let name_len = usize::from(listing.name_len);
        let (name, extra) = names.split_at_checked(name_len).unwrap_or((names, &[]));
        if name.strip_prefix(prefix.as_bytes()) != Some(entry.path.as_bytes()) {
            let differs = ZipFault::Differs(Field::Name);
            return Err(of_file(ZipError::new(name_at, differs)));
        }
        check_extra(extra).map_err(|fault| {
            of_file(ZipError::new(name_at + u64::from(listing.name_len), fault))
        })?;
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
        match entries.unlisted() {
            Some(entry) => Err(ZipError::new(entry.at.into(), ZipFault::Unlisted)
                .of_file(&format!("{prefix}{}", entry.path))),
            None => Ok(()),
        }
    }

    fn size(&self) -> u64 {
        self.end.unwrap_or(self.at).saturating_sub(self.at)
    }

    /// Zip64's end records stand where Go writes them, with as many files as Go writes them for.
    pub(super) fn check_zip64(&mut self, bytes: &[u8], files: u32) -> Result<(), ZipFault> {
        self.zip64 = true;
        let expected = Zip64End::expected(files.into(), self.at, self.size());
        if files < u32::from(ZIP64_COUNT) || bytes != expected {
            return Err(ZipFault::Zip64End);
        }
        Ok(())
    }

    /// The last record, at `at`.
    pub(super) fn check_end(&self, end: &End, at: u64, files: u32) -> Result<(), ZipError> {
        if files >= u32::from(ZIP64_COUNT) && !self.zip64 {
            return Err(ZipError::new(at, ZipFault::NoZip64End));
        }
        let (count, size, offset) = if self.zip64 {
            (ZIP64_COUNT, ZIP64_VALUE, ZIP64_VALUE)
        } else {
            // All three fit: the checks above, and the limit on the zip.
            (
                u16::try_from(files).unwrap_or(ZIP64_COUNT),
                u32::try_from(self.size()).unwrap_or(ZIP64_VALUE),
                u32::try_from(self.at).unwrap_or(ZIP64_VALUE),
            )
        };
        let wrong = [
            (end.disks != [0, 0], End::DISKS_AT, ZipFault::Disk),
            (end.counts != [count; 2], End::COUNTS_AT, ZipFault::EndCount),
            (end.directory_size != size, End::SIZE_AT, ZipFault::EndSize),
            (
                end.directory_at != offset,
                End::OFFSET_AT,
                ZipFault::EndOffset,
            ),
            (
                end.comment_len != 0,
                End::COMMENT_LEN_AT,
                ZipFault::EndComment,
            ),
        ];
        match wrong.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, field, fault)) => Err(ZipError::new(at + u64::from(field), fault)),
            None => Ok(()),
        }
    }
}

/// Extra fields are an identifier, a length and as many bytes each. Time stamps and owners mean
/// nothing here; 64-bit sizes would.
fn check_extra(mut extra: &[u8]) -> Result<(), ZipFault> {
    // Where the directory has 65,535 bytes Go looks for zip64's locator right before the end record,
    // which is here, and would follow it to another directory.
    const LOCATOR_LEN: usize = 20;
    let tail = extra.last_chunk::<LOCATOR_LEN>();
    if tail.is_some_and(|tail| Fields(tail).u32() == signature::ZIP64_LOCATOR) {
        return Err(ZipFault::Zip64);
    }
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let mut fields = Fields(head);
        let (identifier, len) = (fields.u16(), fields.u16());
        if identifier == ZIP64_EXTRA {
            return Err(ZipFault::Zip64);
        }
        let (_, rest) = rest.split_at_checked(len.into()).ok_or(ZipFault::Extra)?;
        extra = rest;
    }
    if extra.is_empty() {
        Ok(())
    } else {
        Err(ZipFault::Extra)
    }
}
