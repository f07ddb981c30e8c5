//! What follows from each record that has come whole.

use super::content::{Limit, Method};
use super::directory::Directory;
use super::entries::Entry;
use super::error::{ZipError, ZipFault};
use super::limits::{
    MAX_CONTENT_BYTES, MAX_EXTRA_BYTES, MAX_GO_MOD_BYTES, MAX_LICENSE_BYTES, MAX_NAME_BYTES,
};
use super::names::is_folder;
use super::records::{Descriptor, End, EntryHeader, Fields, Listing, Sizes, flag, signature};
use super::{OpenEntry, State, ZipHasher};

impl ZipHasher {
    /// The state behind one whose bytes are all there.
    pub(super) fn next(&mut self, state: State, record: &[u8]) -> Result<State, ZipError> {
        match state {
            State::Signature => self.signature(record),
            State::EntryHeader => self.entry_header(record),
            State::EntryName(header, method) => self.entry_name(header, method, record),
            State::EntryExtra(entry, _) => self.entry_data(entry),
            State::EntryZip64(entry) => self.entry_zip64(entry, record),
            State::FolderData(entry) => self.folder_data(entry, record),
            State::Data(entry) => self.data_end(entry),
            State::Descriptor(entry, sha256, sizes) => {
                self.descriptor(entry, sha256, sizes, record)
            }
            State::Listing => self.listing(record),
            State::ListingNames(listing) => self.listing_names(&listing, record),
            State::Zip64End => self.zip64_end(record),
            State::End => self.end(record),
            State::EndComment(..) | State::Done => Ok(State::Done),
        }
    }

    /// Where the record begins, signature included, of which all bytes have come.
    fn record_at(&self, record: &[u8]) -> u64 {
        let behind = record.len() as u64 + u64::from(signature::LEN);
        self.fed.saturating_sub(behind)
    }

    fn signature(&mut self, record: &[u8]) -> Result<State, ZipError> {
        let at = self.fed.saturating_sub(signature::LEN.into());
        let found = Fields(record).u32();
        if self.directory.is_none() && found == signature::ENTRY {
            return Ok(State::EntryHeader);
        }
        let directory = self
            .directory
            .get_or_insert_with(|| Directory::starting_at(at));
        let open = directory.is_open();
        if open && matches!(found, signature::ZIP64_END | signature::END) {
            directory.close(at, self.names.prefix(), &self.entries)?;
        }
        match found {
            signature::LISTING if open => Ok(State::Listing),
            signature::ZIP64_END if open => Ok(State::Zip64End),
            signature::END => Ok(State::End),
            signature::ENTRY => Err(ZipError::new(at, ZipFault::EntryInDirectory)),
            _ => Err(ZipError::new(at, ZipFault::NoRecord)),
        }
    }

    fn entry_header(&mut self, record: &[u8]) -> Result<State, ZipError> {
        let at = self.record_at(record);
        let header = EntryHeader::read(record);
        let fault = |field: u16, fault| Err(ZipError::new(at + u64::from(field), fault));
        if header.flags & !flag::KNOWN != 0 {
            return fault(EntryHeader::FLAGS_AT, ZipFault::Flags(header.flags));
        }
        let Some(method) = Method::read(header.method) else {
            return fault(EntryHeader::METHOD_AT, ZipFault::Method(header.method));
        };
        if header.name_len > MAX_NAME_BYTES {
            return fault(EntryHeader::NAME_LEN_AT, ZipFault::NameTooLong);
        }
        Ok(State::EntryName(header, method))
    }

    fn entry_name(
        &mut self,
        header: EntryHeader,
        method: Method,
        record: &[u8],
    ) -> Result<State, ZipError> {
        let name_at = self.fed.saturating_sub(record.len() as u64);
        let fault = |fault| ZipError::new(name_at, fault);
        let name = std::str::from_utf8(record).map_err(|_| fault(ZipFault::NameEncoding))?;
        let of_file = |why| fault(why).of_file(name);
        let path = self.names.check(name).map_err(of_file)?;
        self.entries.reserve(path).map_err(of_file)?;
        let at = name_at.saturating_sub(EntryHeader::NAME_AT.into());
        let extra_len = header.extra_len.into();
        let entry = OpenEntry {
            header,
            method,
            path: path.into(),
            at,
            data_at: self.fed + u64::from(header.extra_len),
            wide: header.has_zip64(),
        };
        if !entry.wide {
            return Ok(State::EntryExtra(entry, extra_len));
        }
        if header.extra_len > MAX_EXTRA_BYTES {
            return Err(self.of_file(&entry, self.fed, ZipFault::Extra));
        }
        Ok(State::EntryZip64(entry))
    }

    /// The extra fields of an entry whose sizes stand in them.
    fn entry_zip64(&mut self, entry: OpenEntry, record: &[u8]) -> Result<State, ZipError> {
        let extra_at = self.fed.saturating_sub(record.len() as u64);
        match entry.header.with_zip64(record) {
            Ok(header) => self.entry_data(OpenEntry { header, ..entry }),
            Err(fault) => Err(self.of_file(&entry, extra_at, fault)),
        }
    }

    fn entry_data(&mut self, entry: OpenEntry) -> Result<State, ZipError> {
        let sizes = entry.header.sizes;
        let compressed = entry.declared(sizes.compressed);
        let content = entry.declared(sizes.content);
        let mut method = entry.method;
        // Nobody reads a folder's data, so that some writers leave out that of an empty file.
        if compressed == Some(0) && is_folder(&entry.path) {
            method = Method::Stored;
        }
        let left = match (method, compressed, content) {
            (Method::Deflated, compressed, _) => compressed.map_or(u64::MAX, u64::from),
            (Method::Stored, Some(compressed), Some(content)) if compressed != content => {
                let sizes_at = entry.at + u64::from(EntryHeader::SIZES_AT);
                return Err(self.of_file(&entry, sizes_at, ZipFault::Size));
            }
            // A folder's, or that of a file which then must be empty, where neither is told.
            (Method::Stored, ..) => compressed.or(content).unwrap_or(0).into(),
        };
        let limit = self.limit(&entry.path, content);
        self.content.start(method, left, limit);
        if method == Method::Deflated && compressed.is_none() && is_folder(&entry.path) {
            return Ok(State::FolderData(entry));
        }
        Ok(State::Data(entry))
    }

    /// What follows the header of a folder that is deflated and whose size stands behind its data: the
    /// data, or, since nobody reads a folder's, the descriptor at once. No deflate stream begins with the
    /// signature: as a stored block its lengths would contradict each other.
    fn folder_data(&mut self, entry: OpenEntry, record: &[u8]) -> Result<State, ZipError> {
        if Descriptor::read(record).is_some() {
            let limit = self.limit(&entry.path, None);
            self.content.start(Method::Stored, 0, limit);
            let (sha256, sizes) = self.content.finish();
            return self.descriptor(entry, sha256, sizes, record);
        }
        // The shortest data and the descriptor behind it are more than was gathered.
        self.fed = self.fed.saturating_sub(record.len() as u64);
        self.state = State::Data(entry);
        let mut rest = record;
        while self.step(&mut rest)? {}
        Ok(std::mem::replace(&mut self.state, State::Done))
    }

    /// The least of the limits that hold for a file.
    fn limit(&self, path: &str, declared: Option<u32>) -> Limit {
        let limit = |bytes, fault| Some(Limit { bytes, fault });
        let all = MAX_CONTENT_BYTES.saturating_sub(self.content_bytes);
        let by_name = match path {
            "go.mod" => limit(MAX_GO_MOD_BYTES, ZipFault::GoModTooLarge),
            "LICENSE" => limit(MAX_LICENSE_BYTES, ZipFault::LicenseTooLarge),
            folder if is_folder(folder) => limit(0, ZipFault::Folder),
            _ => None,
        };
        let declared = declared.and_then(|content| limit(content.into(), ZipFault::Size));
        let whole = Limit {
            bytes: all,
            fault: ZipFault::ContentTooLarge,
        };
        [by_name, declared]
            .into_iter()
            .flatten()
            .fold(whole, |a, b| if b.bytes < a.bytes { b } else { a })
    }

    fn data_end(&mut self, entry: OpenEntry) -> Result<State, ZipError> {
        let (sha256, sizes) = self.content.finish();
        let said = entry.header.sizes;
        let declared = Sizes {
            crc: entry.declared(said.crc).unwrap_or(sizes.crc),
            compressed: entry.declared(said.compressed).unwrap_or(sizes.compressed),
            content: entry.declared(said.content).unwrap_or(sizes.content),
        };
        self.compare(&entry, declared, sizes, [entry.data_at; 3])?;
        if entry.header.has_descriptor() {
            return Ok(State::Descriptor(entry, sha256, sizes));
        }
        self.entry_end(entry, sha256, sizes)
    }

    fn descriptor(
        &mut self,
        entry: OpenEntry,
        sha256: [u8; 32],
        sizes: Sizes,
        record: &[u8],
    ) -> Result<State, ZipError> {
        let at = self.fed.saturating_sub(record.len() as u64);
        let said = Descriptor::read(record);
        if entry.is_endless() && said != Some(sizes) {
            let flags_at = entry.at + u64::from(EntryHeader::FLAGS_AT);
            return Err(self.of_file(&entry, flags_at, ZipFault::StoredWithDescriptor));
        }
        let said = said.ok_or_else(|| self.of_file(&entry, at, ZipFault::NoDescriptor))?;
        let content_at = at + if entry.wide { 16 } else { 12 };
        self.compare(&entry, said, sizes, [at + 4, at + 8, content_at])?;
        self.entry_end(entry, sha256, sizes)
    }

    /// Holds what is said of a file's data against what it turned out to be. The places are those
    /// of the CRC-32 and the two sizes.
    fn compare(
        &self,
        entry: &OpenEntry,
        said: Sizes,
        found: Sizes,
        places: [u64; 3],
    ) -> Result<(), ZipError> {
        let [crc_at, compressed_at, content_at] = places;
        let wrong = if said.compressed != found.compressed {
            (compressed_at, ZipFault::CompressedSize)
        } else if said.content != found.content {
            (content_at, ZipFault::Size)
        } else if said.crc != found.crc {
            (crc_at, ZipFault::Crc)
        } else {
            return Ok(());
        };
        let (at, fault) = wrong;
        Err(self.of_file(entry, at, fault))
    }

    fn of_file(&self, entry: &OpenEntry, at: u64, fault: ZipFault) -> ZipError {
        let name = format!("{}{}", self.names.prefix(), entry.path);
        ZipError::new(at, fault).of_file(&name)
    }

    fn entry_end(
        &mut self,
        entry: OpenEntry,
        sha256: [u8; 32],
        sizes: Sizes,
    ) -> Result<State, ZipError> {
        self.content_bytes += u64::from(sizes.content);
        let pushed = self.entries.push(Entry {
            path: entry.path,
            sha256,
            sizes,
            // The limit on the zip is below 4 GiB.
            at: u32::try_from(entry.at).unwrap_or(u32::MAX),
            flags: entry.header.flags,
            method: entry.header.method,
            listed: false,
        });
        pushed.map_err(|(fault, entry)| {
            let name = format!("{}{}", self.names.prefix(), entry.path);
            ZipError::new(entry.at.into(), fault).of_file(&name)
        })?;
        Ok(State::Signature)
    }

    fn listing(&mut self, record: &[u8]) -> Result<State, ZipError> {
        let at = self.record_at(record);
        let listing = Listing::read(record);
        let prefix = self.names.prefix();
        match &mut self.directory {
            Some(directory) => {
                directory.open_listing(&listing, record, at, prefix, &mut self.entries)?;
            }
            None => return Err(ZipError::new(at, ZipFault::NoRecord)),
        }
        Ok(State::ListingNames(listing))
    }

    fn listing_names(&mut self, listing: &Listing, record: &[u8]) -> Result<State, ZipError> {
        let at = self
            .fed
            .saturating_sub(record.len() as u64 + u64::from(Listing::NAME_AT));
        let prefix = self.names.prefix();
        match &mut self.directory {
            Some(directory) => {
                directory.tick_off(listing, at, record, prefix, &mut self.entries)?;
            }
            None => return Err(ZipError::new(at, ZipFault::NoRecord)),
        }
        self.entries.hash_next(prefix);
        Ok(State::Signature)
    }

    fn zip64_end(&mut self, record: &[u8]) -> Result<State, ZipError> {
        let at = self.record_at(record);
        let files = self.entries.len();
        match &mut self.directory {
            Some(directory) => directory
                .check_zip64(record, files)
                .map_err(|fault| ZipError::new(at, fault))?,
            None => return Err(ZipError::new(at, ZipFault::NoRecord)),
        }
        Ok(State::Signature)
    }

    fn end(&mut self, record: &[u8]) -> Result<State, ZipError> {
        let at = self.record_at(record);
        let end = End::read(record);
        match &self.directory {
            Some(directory) => directory.check_end(&end, at, self.entries.len())?,
            None => return Err(ZipError::new(at, ZipFault::NoRecord)),
        }
        if end.comment_len == 0 {
            return Ok(State::Done);
        }
        // Go takes the last end record that it finds. With a comment behind it, one may begin in the
        // fields of this.
        let mut search = signature::Search::default();
        if record.iter().any(|byte| search.finds(*byte)) {
            return Err(ZipError::new(at, ZipFault::EndComment));
        }
        Ok(State::EndComment(end.comment_len.into(), search))
    }
}
