//! Why a zip is refused, and at which byte.

use std::fmt;

use crate::gomod::NameError;

/// The most of a file's name that an error repeats, in characters.
const MAX_SHOWN: usize = 200;

/// A zip that is refused. The same zip gives the same error however it is cut into chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipError {
    /// The zip's byte, counted from 0, at which the field or record begins that is at fault; for
    /// a file's data, at which the data begins.
    pub offset: u64,
    /// What is wrong.
    pub fault: ZipFault,
    /// The file it is about, where it is about one. Escaped and cut: it comes from the zip.
    pub file: Option<Box<str>>,
}

impl ZipError {
    pub(super) const fn new(offset: u64, fault: ZipFault) -> Self {
        Self {
            offset,
            fault,
            file: None,
        }
    }

    /// The same about a file.
    pub(super) fn of_file(self, name: &str) -> Self {
        let shown: String = name.escape_debug().take(MAX_SHOWN).collect();
        Self {
            file: Some(shown.into()),
            ..self
        }
    }
}

impl fmt::Display for ZipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.offset)?;
        if let Some(file) = &self.file {
            write!(f, ", file \"{file}\"")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for ZipError {}

/// A field that the central directory and an entry both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The file's name.
    Name,
    /// How the data is compressed.
    Method,
    /// The general purpose flags.
    Flags,
    /// The CRC-32 of the content.
    Crc,
    /// The size of the data as it stands in the zip.
    CompressedSize,
    /// The size of the content.
    Size,
}

impl Field {
    const fn words(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Method => "compression method",
            Self::Flags => "flags",
            Self::Crc => "CRC-32",
            Self::CompressedSize => "compressed size",
            Self::Size => "size",
        }
    }
}

/// What is wrong with a zip. Each is a test in `tests/conformance/h1/cases`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZipFault {
    /// It ends before the end record does.
    Truncated,
    /// It goes on behind the end record.
    TrailingBytes,
    /// It is larger than [`super::limits::MAX_ZIP_BYTES`].
    ZipTooLarge,
    /// Where a record must begin there is none.
    NoRecord,
    /// A file's data behind the beginning of the central directory.
    EntryInDirectory,
    /// A flag that is none of [`super`]'s known ones.
    Flags(u16),
    /// A compression method other than stored and deflated.
    Method(u16),
    /// Stored data with its size behind it: where it ends cannot be determined.
    StoredWithDescriptor,
    /// A zip64 field that is missing or malformed, or has other values than are allowed or true.
    Zip64,
    /// No UTF-8.
    NameEncoding,
    /// Longer than [`super::limits::MAX_NAME_BYTES`].
    NameTooLong,
    /// Not under `module@version/` of the module that is expected.
    OtherModule,
    /// The first name does not begin with any `module@version/`.
    NoModule,
    /// A folder with content.
    Folder,
    /// A name that x/mod's `CheckFilePath` refuses.
    Name(NameError),
    /// A `go.mod` below the root, which makes what is beside it another module's.
    NestedGoMod,
    /// `go.mod` in the root, in other letters.
    GoModCase,
    /// Two files of one name.
    Duplicate,
    /// Two names that differ in case alone.
    CaseCollision,
    /// A name that is a file's and a folder's.
    FileAndFolder,
    /// No valid deflate stream.
    Deflate,
    /// The compressed size is more or less than the data takes.
    CompressedSize,
    /// The content is larger or smaller than its size says.
    Size,
    /// The content has another CRC-32.
    Crc,
    /// No data descriptor with a signature behind the data.
    NoDescriptor,
    /// The files inflate to more than [`super::limits::MAX_CONTENT_BYTES`].
    ContentTooLarge,
    /// `go.mod` is larger than [`super::limits::MAX_GO_MOD_BYTES`].
    GoModTooLarge,
    /// `LICENSE` is larger than [`super::limits::MAX_LICENSE_BYTES`].
    LicenseTooLarge,
    /// More files than [`super::limits::MAX_INDEX_BYTES`] have room for.
    TooManyFiles,
    /// The central directory points to where no entry begins.
    NoSuchEntry,
    /// The central directory has an entry twice.
    ListedTwice,
    /// The central directory says otherwise than the entry.
    Differs(Field),
    /// An entry's comment that is longer than [`super::limits::MAX_COMMENT_BYTES`], or holds a
    /// record's signature.
    Comment,
    /// Another disk than the first.
    Disk,
    /// By its attributes a symbolic link or a device, or a folder though its name is a file's.
    NotRegular,
    /// Extra fields that are malformed, or longer than [`super::limits::MAX_EXTRA_BYTES`].
    Extra,
    /// The central directory leaves entries out.
    Unlisted,
    /// The end record counts other than there are.
    EndCount,
    /// The end record gives another size of the central directory than it has.
    EndSize,
    /// The end record puts the central directory elsewhere.
    EndOffset,
    /// A comment of the whole zip in which a record could be found, such as another end record.
    EndComment,
    /// More than 65,535 files without zip64 end records.
    NoZip64End,
    /// Zip64 end records that are not about this central directory.
    Zip64End,
}

impl fmt::Display for ZipFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Flags(flags) => {
                return write!(f, "the flags {flags:#06x} are not allowed in module zips");
            }
            Self::Method(method) => {
                return write!(
                    f,
                    "compression method {method} is neither stored nor deflated"
                );
            }
            Self::Name(refusal) => {
                return write!(f, "not a valid file name in a module: {refusal}");
            }
            Self::Differs(field) => {
                let field = field.words();
                return write!(
                    f,
                    "the {field} in the central directory differs from the entry's"
                );
            }
            Self::Truncated => "the zip ends before its end record",
            Self::TrailingBytes => "there are bytes after the zip's end record",
            Self::ZipTooLarge => "the zip is larger than 500 MiB, the most that Go takes",
            Self::NoRecord => {
                "neither an entry nor the central directory begins here; module zips have no gaps"
            }
            Self::EntryInDirectory => "an entry begins after the central directory has begun",
            Self::StoredWithDescriptor => {
                "a stored entry has its size after its data, so its end cannot be determined"
            }
            Self::Zip64 => "the zip64 field is missing, malformed or wrong",
            Self::NameEncoding => "the file's name is not UTF-8",
            Self::NameTooLong => "the file's name is longer than 4096 bytes",
            Self::OtherModule => "the file is not under MODULE@VERSION/ of the requested module",
            Self::NoModule => "the first file is not under MODULE@VERSION/, as in module zips",
            Self::Folder => "a folder has content",
            Self::NestedGoMod => "a go.mod file is not in the module's root",
            Self::GoModCase => "the go.mod file's name is not in lower case",
            Self::Duplicate => "an earlier entry has the same name",
            Self::CaseCollision => "the name differs from another entry's only in letter case",
            Self::FileAndFolder => "the name is used by both a file and a folder",
            Self::Deflate => "the data is not a valid deflate stream",
            Self::CompressedSize => "the data is shorter or longer than its compressed size",
            Self::Size => "the content is shorter or longer than its size",
            Self::Crc => "the content does not match its CRC-32",
            Self::NoDescriptor => "no data descriptor with a signature follows the data",
            Self::ContentTooLarge => {
                "the files inflate to more than 500 MiB, the most that Go takes"
            }
            Self::GoModTooLarge => "the go.mod file is larger than 16 MiB, the most that Go takes",
            Self::LicenseTooLarge => {
                "the LICENSE file is larger than 16 MiB, the most that Go takes"
            }
            Self::TooManyFiles => "the names of the files need more than 16 MiB",
            Self::NoSuchEntry => "the central directory points to a place where no entry begins",
            Self::ListedTwice => "the central directory lists the entry twice",
            Self::Comment => {
                "the entry's comment is longer than 4096 bytes or looks like a part of a zip"
            }
            Self::Disk => "the zip spans several disks",
            Self::NotRegular => {
                "the attributes are not those of a regular file or do not match the name"
            }
            Self::Extra => "the extra fields are malformed or longer than 4096 bytes",
            Self::Unlisted => "the central directory does not list an entry",
            Self::EndCount => "the end record has the wrong number of files",
            Self::EndSize => "the end record has the wrong size of the central directory",
            Self::EndOffset => "the end record has the wrong offset of the central directory",
            Self::EndComment => "the zip's comment looks like a part of a zip",
            Self::NoZip64End => "a zip of more than 65535 files lacks the zip64 end records",
            Self::Zip64End => "the zip64 end records do not match the central directory",
        };
        f.write_str(words)
    }
}

impl std::error::Error for ZipFault {}
