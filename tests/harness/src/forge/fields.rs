//! The records with all their fields (PKWARE's APPNOTE.TXT, chapter 4.3).

/// CRC-32 and sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The content's CRC-32.
    pub crc: u32,
    /// The size of the data in the zip.
    pub compressed: u32,
    /// The size of the content.
    pub content: u32,
}

impl Sizes {
    /// A descriptor with its signature.
    pub fn descriptor(&self) -> Vec<u8> {
        [b"PK\x07\x08".to_vec(), self.bytes()].concat()
    }

    /// The same with sizes of 64 bits.
    pub fn wide_descriptor(&self) -> Vec<u8> {
        let mut bytes = [b"PK\x07\x08".as_slice(), &self.crc.to_le_bytes()].concat();
        for size in [self.compressed, self.content] {
            bytes.extend(u64::from(size).to_le_bytes());
        }
        bytes
    }

    /// The same without the signature.
    pub fn bytes(&self) -> Vec<u8> {
        let words = [self.crc, self.compressed, self.content];
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }
}

/// What stands before an entry's data.
#[derive(Clone, Debug)]
pub struct Local {
    /// The version needed to extract, times ten.
    pub version: u16,
    /// General purpose flags.
    pub flags: u16,
    /// How the data is compressed.
    pub method: u16,
    /// Time and date as DOS has them.
    pub modified: u32,
    /// CRC-32 and sizes.
    pub sizes: Sizes,
    /// The file's name.
    pub name: Vec<u8>,
    /// What its length field says instead of the name's own length.
    pub name_len: Option<u16>,
    /// Extra fields.
    pub extra: Vec<u8>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            version: 20,
            flags: 0,
            method: 8,
            modified: 0,
            sizes: Sizes::default(),
            name: Vec::new(),
            name_len: None,
            extra: Vec::new(),
        }
    }
}

impl Local {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        for field in [self.version, self.flags, self.method] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.modified.to_le_bytes());
        bytes.extend(self.sizes.bytes());
        let name_len = self.name_len.unwrap_or(self.name.len() as u16);
        bytes.extend(name_len.to_le_bytes());
        bytes.extend((self.extra.len() as u16).to_le_bytes());
        bytes.extend(&self.name);
        bytes.extend(&self.extra);
        bytes
    }
}

/// What the central directory says of an entry.
#[derive(Clone, Debug)]
pub struct Central {
    /// The system that made it, in the upper byte, and the version.
    pub made_by: u16,
    /// The version needed to extract, times ten.
    pub version: u16,
    /// General purpose flags.
    pub flags: u16,
    /// How the data is compressed.
    pub method: u16,
    /// Time and date as DOS has them.
    pub modified: u32,
    /// CRC-32 and sizes.
    pub sizes: Sizes,
    /// The file's name.
    pub name: Vec<u8>,
    /// Extra fields.
    pub extra: Vec<u8>,
    /// The entry's comment.
    pub comment: Vec<u8>,
    /// The disk that the entry is on.
    pub disk: u16,
    /// Whether it is text, among others.
    pub internal: u16,
    /// What the system that made it keeps of a file.
    pub attributes: u32,
    /// Where the entry's header stands.
    pub offset: u32,
}

impl Central {
    /// What an honest directory says.
    pub fn of(local: &Local, sizes: Sizes) -> Self {
        Self {
            made_by: 20,
            version: local.version,
            flags: local.flags,
            method: local.method,
            modified: local.modified,
            sizes,
            name: local.name.clone(),
            extra: Vec::new(),
            comment: Vec::new(),
            disk: 0,
            internal: 0,
            attributes: 0,
            offset: 0,
        }
    }

    /// The record as it stands in the zip.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        for field in [self.made_by, self.version, self.flags, self.method] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.modified.to_le_bytes());
        bytes.extend(self.sizes.bytes());
        for part in [&self.name, &self.extra, &self.comment] {
            bytes.extend((part.len() as u16).to_le_bytes());
        }
        bytes.extend(self.disk.to_le_bytes());
        bytes.extend(self.internal.to_le_bytes());
        bytes.extend(self.attributes.to_le_bytes());
        bytes.extend(self.offset.to_le_bytes());
        for part in [&self.name, &self.extra, &self.comment] {
            bytes.extend(part);
        }
        bytes
    }
}

/// The end record.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// This disk and the directory's.
    pub disks: [u16; 2],
    /// How many entries: on this disk, and in all.
    pub counts: [u16; 2],
    /// The directory's size in bytes.
    pub size: u32,
    /// Where the directory stands.
    pub offset: u32,
    /// The zip's comment.
    pub comment: Vec<u8>,
}

impl End {
    /// The record as it stands in the zip.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"PK\x05\x06".to_vec();
        for field in [self.disks, self.counts].concat() {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.offset.to_le_bytes());
        bytes.extend((self.comment.len() as u16).to_le_bytes());
        bytes.extend(&self.comment);
        bytes
    }
}

/// Zip64's extra field with these numbers, and what follows them.
pub fn zip64_field(numbers: &[u64], rest: &[u8]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
    let content: Vec<u8> = numbers.chain(rest.iter().copied()).collect();
    let mut field = 1_u16.to_le_bytes().to_vec();
    field.extend((content.len() as u16).to_le_bytes());
    field.extend(content);
    field
}

/// Zip64's end record and locator as Go's `archive/zip` writes them.
pub fn zip64_end(count: u64, size: u64, at: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [count, count, size, at] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07");
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend((at + size).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes
}
