//! The zip format's records, as far as they matter here (PKWARE's APPNOTE.TXT, chapter 4.3).
//!
//! Each is read from the bytes behind its signature, which are always as many as its `LEN` says.

use super::error::ZipFault;

/// Four bytes that each record begins with, as a little-endian number.
pub(super) mod signature {
    pub const ENTRY: u32 = 0x0403_4b50;
    pub const DESCRIPTOR: u32 = 0x0807_4b50;
    pub const LISTING: u32 = 0x0201_4b50;
    pub const ZIP64_END: u32 = 0x0606_4b50;
    pub const ZIP64_LOCATOR: u32 = 0x0706_4b50;
    pub const END: u32 = 0x0605_4b50;
    /// How many bytes a signature has.
    pub const LEN: u16 = 4;

    /// Looks for signatures in bytes that come one by one.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Search(u32);

    impl Search {
        /// Whether this byte is the last of a record's signature.
        pub const fn finds(&mut self, byte: u8) -> bool {
            self.0 = (self.0 >> 8) | ((byte as u32) << 24);
            matches!(
                self.0,
                ENTRY | DESCRIPTOR | LISTING | ZIP64_END | ZIP64_LOCATOR | END
            )
        }
    }
}

/// General purpose flags (APPNOTE 4.4.4).
pub(super) mod flag {
    /// Sizes and CRC stand behind the data.
    pub const DESCRIPTOR: u16 = 1 << 3;
    /// The flags that change nothing of a file's name or content: how hard the deflater tried,
    /// where the sizes are, that the name is UTF-8.
    pub const KNOWN: u16 = 0b110 | DESCRIPTOR | 1 << 11;
}

/// The value that says in a 16-bit field that the number is in a zip64 record.
pub(super) const ZIP64_COUNT: u16 = u16::MAX;
/// The same in a 32-bit field.
pub(super) const ZIP64_VALUE: u32 = u32::MAX;
/// The extra field that holds 64-bit sizes.
pub(super) const ZIP64_EXTRA: u16 = 1;

/// CRC-32 and sizes, which three records have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Sizes {
    pub crc: u32,
    pub compressed: u32,
    pub content: u32,
}

impl Sizes {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            crc: fields.u32(),
            compressed: fields.u32(),
            content: fields.u32(),
        }
    }
}

/// What stands before a file's data.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryHeader {
    pub flags: u16,
    pub method: u16,
    pub sizes: Sizes,
    pub name_len: u16,
    pub extra_len: u16,
}

impl EntryHeader {
    pub const LEN: usize = 26;
    /// Where fields stand, in bytes from the signature's first.
    pub const FLAGS_AT: u16 = 6;
    pub const METHOD_AT: u16 = 8;
    pub const SIZES_AT: u16 = 14;
    pub const NAME_LEN_AT: u16 = 26;
    pub const NAME_AT: u16 = 30;

    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        fields.skip::<2>(); // version needed
        let (flags, method) = (fields.u16(), fields.u16());
        fields.skip::<4>(); // time and date
        Self {
            flags,
            method,
            sizes: Sizes::read(&mut fields),
            name_len: fields.u16(),
            extra_len: fields.u16(),
        }
    }

    pub const fn has_descriptor(&self) -> bool {
        self.flags & flag::DESCRIPTOR != 0
    }

    /// Whether the sizes stand in a zip64 field, which in a header always has both (APPNOTE 4.5.3).
    pub const fn has_zip64(&self) -> bool {
        self.sizes.compressed == ZIP64_VALUE || self.sizes.content == ZIP64_VALUE
    }

    /// The same with the sizes that stand in its extra fields.
    pub fn with_zip64(self, extra: &[u8]) -> Result<Self, ZipFault> {
        const LEN: usize = 16;
        let field = zip64_field(extra)?.ok_or(ZipFault::Zip64)?;
        let both = [self.sizes.compressed, self.sizes.content] == [ZIP64_VALUE; 2];
        if field.len() != LEN || !both {
            return Err(ZipFault::Zip64);
        }
        let mut numbers = Fields(field);
        let narrow = |size| u32::try_from(size).map_err(|_| ZipFault::Zip64);
        let (content, compressed) = (narrow(numbers.u64())?, narrow(numbers.u64())?);
        let sizes = Sizes {
            crc: self.sizes.crc,
            compressed,
            content,
        };
        Ok(Self { sizes, ..self })
    }
}

/// What stands behind a file's data, in the forms with a signature. Sizes have 64 bits where the
/// file's header has a zip64 field for them (APPNOTE 4.3.9.2).
pub(super) struct Descriptor;

impl Descriptor {
    pub const LEN: usize = 16;
    pub const WIDE_LEN: usize = 24;

    /// The sizes, where the signature is there.
    pub fn read(bytes: &[u8]) -> Option<Sizes> {
        let mut fields = Fields(bytes);
        if fields.u32() != signature::DESCRIPTOR {
            return None;
        }
        if bytes.len() != Self::WIDE_LEN {
            return Some(Sizes::read(&mut fields));
        }
        // What is too large for 32 bits is no file's size.
        let narrow = |size| u32::try_from(size).unwrap_or(u32::MAX);
        Some(Sizes {
            crc: fields.u32(),
            compressed: narrow(fields.u64()),
            content: narrow(fields.u64()),
        })
    }
}

/// What the central directory says of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub creator: u8,
    pub flags: u16,
    pub method: u16,
    pub sizes: Sizes,
    pub name_len: u16,
    pub extra_len: u16,
    pub comment_len: u16,
    pub disk: u16,
    pub attributes: u32,
    pub entry_at: u32,
}

impl Listing {
    pub const LEN: usize = 42;
    pub const FLAGS_AT: u16 = 8;
    pub const METHOD_AT: u16 = 10;
    pub const CRC_AT: u16 = 16;
    pub const COMPRESSED_AT: u16 = 20;
    pub const CONTENT_AT: u16 = 24;
    pub const NAME_LEN_AT: u16 = 28;
    pub const EXTRA_LEN_AT: u16 = 30;
    pub const COMMENT_LEN_AT: u16 = 32;
    pub const DISK_AT: u16 = 34;
    pub const ATTRIBUTES_AT: u16 = 38;
    pub const ENTRY_AT_AT: u16 = 42;
    pub const NAME_AT: u16 = 46;

    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        let [_, creator] = fields.u16().to_le_bytes();
        fields.skip::<2>(); // version needed
        let (flags, method) = (fields.u16(), fields.u16());
        fields.skip::<4>(); // time and date
        let sizes = Sizes::read(&mut fields);
        let (name_len, extra_len, comment_len) = (fields.u16(), fields.u16(), fields.u16());
        let disk = fields.u16();
        fields.skip::<2>(); // internal attributes: whether it is text
        Self {
            creator,
            flags,
            method,
            sizes,
            name_len,
            extra_len,
            comment_len,
            disk,
            attributes: fields.u32(),
            entry_at: fields.u32(),
        }
    }

    /// Whether the attributes are those of a regular file, or of a folder where the name is one's, as
    /// Go's `FileHeader.Mode` reads them: Unix and macOS keep a mode in the upper half, DOS and Windows
    /// a bit for folders.
    pub const fn fits(&self, folder: bool) -> bool {
        const UNIX: u8 = 3;
        const MACOS: u8 = 19;
        const TYPE: u32 = 0o170_000;
        const REGULAR: u32 = 0o100_000;
        const FOLDER: u32 = 0o040_000;
        const DOS_FOLDER: u32 = 0x10;
        match self.creator {
            UNIX | MACOS => match (self.attributes >> 16) & TYPE {
                0 | REGULAR => true,
                FOLDER => folder,
                _ => false,
            },
            _ => folder || self.attributes & DOS_FOLDER == 0,
        }
    }

    /// Whether a field says that its number stands in a zip64 field.
    pub const fn needs_zip64(&self) -> bool {
        self.sizes.content == ZIP64_VALUE
            || self.sizes.compressed == ZIP64_VALUE
            || self.entry_at == ZIP64_VALUE
    }

    /// The same with the numbers of its zip64 field, where it has one.
    ///
    /// Go takes them in this order and only where the field of 32 bits is full. Other readers take
    /// those numbers too that nothing needs, so that they must be true as well.
    pub fn with_zip64(self, field: Option<&[u8]>) -> Result<Self, ZipFault> {
        let Some(field) = field else {
            return if self.needs_zip64() {
                Err(ZipFault::Zip64)
            } else {
                Ok(self)
            };
        };
        let mut numbers = Fields(field);
        let mut resolve = |value: &mut u32| {
            if *value != ZIP64_VALUE {
                return Ok(());
            }
            if numbers.0.len() < size_of::<u64>() {
                return Err(ZipFault::Zip64);
            }
            *value = u32::try_from(numbers.u64()).map_err(|_| ZipFault::Zip64)?;
            Ok(())
        };
        let mut whole = self;
        resolve(&mut whole.sizes.content)?;
        resolve(&mut whole.sizes.compressed)?;
        resolve(&mut whole.entry_at)?;
        // All of it was needed, or there is nothing in it.
        if numbers.0.is_empty() {
            return Ok(whole);
        }
        let all = [
            whole.sizes.content,
            whole.sizes.compressed,
            whole.entry_at,
            // The lower half of what follows is the disk.
            0,
        ];
        let all: Vec<u8> = all
            .into_iter()
            .flat_map(|value| u64::from(value).to_le_bytes())
            .collect();
        if matches!(field.len(), 8 | 16 | 24 | 28) && all.starts_with(field) {
            Ok(whole)
        } else {
            Err(ZipFault::Zip64)
        }
    }
}

/// The last record.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub disks: [u16; 2],
    pub counts: [u16; 2],
    pub directory_size: u32,
    pub directory_at: u32,
    pub comment_len: u16,
}

impl End {
    pub const LEN: usize = 18;
    pub const DISKS_AT: u16 = 4;
    pub const COUNTS_AT: u16 = 8;
    pub const SIZE_AT: u16 = 12;
    pub const OFFSET_AT: u16 = 16;

    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        Self {
            disks: [fields.u16(), fields.u16()],
            counts: [fields.u16(), fields.u16()],
            directory_size: fields.u32(),
            directory_at: fields.u32(),
            comment_len: fields.u16(),
        }
    }
}

/// The zip64 end record with its locator.
pub(super) struct Zip64End;

impl Zip64End {
    /// Both records, without the first's signature.
    pub const LEN: usize = 52 + 20;

    /// Whether they are about the central directory that stands here. Versions may be any.
    pub fn is_of(bytes: &[u8], count: u64, directory_at: u64, directory_size: u64) -> bool {
        let mut fields = Fields(bytes);
        // What follows in the first record: nothing of its writer's own.
        let size = fields.u64() == 44;
        fields.skip::<4>(); // versions
        let disks = [fields.u32(), fields.u32()] == [0, 0];
        let counts = [fields.u64(), fields.u64()] == [count; 2];
        let place = [fields.u64(), fields.u64()] == [directory_size, directory_at];
        let locator = fields.u32() == signature::ZIP64_LOCATOR
            && fields.u32() == 0 // the first record's disk
            && fields.u64() == directory_at.saturating_add(directory_size)
            && fields.u32() == 1; // disks in all
        size && disks && counts && place && locator
    }
}

/// The zip64 field among an entry's extra fields. They are an identifier, a length and as many bytes
/// each; time stamps and owners mean nothing here.
pub(super) fn zip64_field(mut extra: &[u8]) -> Result<Option<&[u8]>, ZipFault> {
    let mut found = None;
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let mut fields = Fields(head);
        let (identifier, len) = (fields.u16(), fields.u16());
        let (field, rest) = rest.split_at_checked(len.into()).ok_or(ZipFault::Extra)?;
        if identifier == ZIP64_EXTRA && found.replace(field).is_some() {
            return Err(ZipFault::Zip64);
        }
        extra = rest;
    }
    if extra.is_empty() {
        Ok(found)
    } else {
        Err(ZipFault::Extra)
    }
}

/// Reads fields from the front. Where there are too few bytes, which no caller gives it, a field is 0.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *field
    }

    fn skip<const N: usize>(&mut self) {
        let _: [u8; N] = self.take();
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
