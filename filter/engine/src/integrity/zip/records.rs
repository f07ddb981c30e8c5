//! The zip format's records, as far as they matter here (PKWARE's APPNOTE.TXT, chapter 4.3).
//!
//! Each is read from the bytes behind its signature, which are always as many as its `LEN` says.

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
}

/// What stands behind a file's data, in the form with a signature and 32-bit sizes.
pub(super) struct Descriptor;

impl Descriptor {
    pub const LEN: usize = 16;

    /// The sizes, where the signature is there.
    pub fn read(bytes: &[u8]) -> Option<Sizes> {
        let mut fields = Fields(bytes);
        (fields.u32() == signature::DESCRIPTOR).then(|| Sizes::read(&mut fields))
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

    /// Whether the attributes are those of a regular file, as Go's `FileHeader.Mode` reads them:
    /// Unix and macOS keep a mode in the upper half, DOS and Windows a bit for folders.
    pub const fn is_regular_file(&self) -> bool {
        const UNIX: u8 = 3;
        const MACOS: u8 = 19;
        const TYPE: u32 = 0o170_000;
        const REGULAR: u32 = 0o100_000;
        const DOS_FOLDER: u32 = 0x10;
        match self.creator {
            UNIX | MACOS => matches!((self.attributes >> 16) & TYPE, 0 | REGULAR),
            _ => self.attributes & DOS_FOLDER == 0,
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
    pub const COMMENT_LEN_AT: u16 = 20;

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

/// The zip64 end record with its locator, as Go's `archive/zip` writes them.
pub(super) struct Zip64End;

impl Zip64End {
    /// Both records, without the first's signature.
    pub const LEN: usize = 52 + 20;

    /// The one content that they may have. Versions are Go's too: no other writer is known to need
    /// these records within the limits on a module.
    pub fn expected(count: u64, directory_at: u64, directory_size: u64) -> [u8; Self::LEN] {
        const VERSION: [u8; 2] = 45_u16.to_le_bytes();
        let mut bytes = [0; Self::LEN];
        let parts: [&[u8]; 13] = [
            &44_u64.to_le_bytes(), // the size of what follows in the first record
            &VERSION,
            &VERSION,
            &[0; 4], // this disk
            &[0; 4], // the directory's disk
            &count.to_le_bytes(),
            &count.to_le_bytes(),
            &directory_size.to_le_bytes(),
            &directory_at.to_le_bytes(),
            &signature::ZIP64_LOCATOR.to_le_bytes(),
            &[0; 4], // the first record's disk
            &directory_at.saturating_add(directory_size).to_le_bytes(),
            &1_u32.to_le_bytes(), // disks in all
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
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
}
