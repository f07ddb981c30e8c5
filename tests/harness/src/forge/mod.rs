//! Zips made byte by byte, so that every field can say something else than it should.
//!
//! [`Forge`] begins as an honest zip, is changed, and is written out as it then is.

mod fields;

use std::collections::HashMap;
use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

pub use fields::{Central, End, Local, Sizes, zip64_end, zip64_field};

/// The module that all forged zips are of.
pub const MODULE: &str = "example.com/m";
/// Its version.
pub const VERSION: &str = "v1.0.0";

/// A zip that can be changed in every field.
#[derive(Clone, Debug)]
pub struct Forge {
    /// Bytes before the first entry.
    pub prefix: Vec<u8>,
    /// The entries, in the order in which they stand.
    pub entries: Vec<Entry>,
    /// Bytes between the last entry and the central directory.
    pub before_directory: Vec<u8>,
    /// The central directory, in its own order.
    pub directory: Vec<Central>,
    /// Bytes between the central directory and the end record, such as zip64's end records.
    pub before_end: Vec<u8>,
    /// The end record.
    pub end: End,
    /// Bytes behind the end record.
    pub trailing: Vec<u8>,
    /// Bytes that stand in place of all that.
    pub raw: Option<Vec<u8>>,
}

/// An entry: header, data and descriptor.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Bytes before the header, which belong to nothing.
    pub gap: Vec<u8>,
    /// What stands before the data.
    pub local: Local,
    /// The data as it stands in the zip.
    pub data: Vec<u8>,
    /// What stands behind it: a descriptor, or nothing.
    pub descriptor: Vec<u8>,
}

/// How an entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Deflated, the sizes in a descriptor: as Go writes module zips.
    Streamed,
    /// Deflated, the sizes in the header.
    Deflated,
    /// As it is.
    Stored,
}

/// The data of a raw deflate stream.
pub fn deflate(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(content).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// The CRC-32 of some content.
pub fn crc32(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

/// The name in the zip of a file of the module.
pub fn name(path: &str) -> Vec<u8> {
    format!("{MODULE}@{VERSION}/{path}").into_bytes()
}

impl Forge {
    /// An honest zip of these files, in one style.
    pub fn new(files: &[(&str, &[u8])], style: Style) -> Self {
        let mut forge = Self::empty();
        for (path, content) in files {
            forge.add(&name(path), content, style);
        }
        forge
    }

    /// A module of a few files, in one style: text, a folder, an empty file, and something larger
    /// than an inflater's window.
    pub fn sample(style: Style) -> Self {
        let long: String = (0..9000).map(|n| format!("line {}\n", n * n)).collect();
        let files: [(&str, &[u8]); 5] = [
            ("go.mod", b"module example.com/m\n\ngo 1.21\n"),
            (
                "a.go",
                b"package m\n\nconst A = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n",
            ),
            ("inner/b.go", b"package inner\n"),
            ("inner/empty.txt", b""),
            ("LICENSE", long.as_bytes()),
        ];
        Self::new(&files, style)
    }

    /// A zip without files.
    pub fn empty() -> Self {
        Self {
            prefix: Vec::new(),
            entries: Vec::new(),
            before_directory: Vec::new(),
            directory: Vec::new(),
            before_end: Vec::new(),
            end: End::default(),
            trailing: Vec::new(),
            raw: None,
        }
    }

    /// Adds a file, to the entries and to the directory.
    pub fn add(&mut self, name: &[u8], content: &[u8], style: Style) -> &mut Self {
        let data = match style {
            Style::Stored => content.to_vec(),
            Style::Streamed | Style::Deflated => deflate(content, 6),
        };
        self.add_data(name, content, data, style);
        self.lay_out()
    }

    /// Adds a file whose data somebody else has deflated, without putting offsets right.
    pub fn add_data(&mut self, name: &[u8], content: &[u8], data: Vec<u8>, style: Style) {
        let sizes = Sizes {
            crc: crc32(content),
            compressed: data.len() as u32,
            content: content.len() as u32,
        };
        let streamed = style == Style::Streamed;
        let local = Local {
            flags: if streamed { 8 } else { 0 },
            method: if style == Style::Stored { 0 } else { 8 },
            sizes: if streamed { Sizes::default() } else { sizes },
            name: name.to_vec(),
            ..Local::default()
        };
        self.directory.push(Central::of(&local, sizes));
        self.entries.push(Entry {
            gap: Vec::new(),
            local,
            data,
            descriptor: if streamed {
                sizes.descriptor()
            } else {
                Vec::new()
            },
        });
    }

    /// Puts the directory's offsets (by name) and the end record right after a change of structure.
    pub fn lay_out(&mut self) -> &mut Self {
        let offsets = self.offsets();
        let names = self.entries.iter().map(|entry| &entry.local.name);
        let places: HashMap<_, _> = names.zip(offsets).collect();
        for central in &mut self.directory {
            if let Some(offset) = places.get(&central.name) {
                central.offset = *offset;
            }
        }
        let size = self.directory.iter().map(|c| c.bytes().len() as u32).sum();
        self.end = End {
            counts: [self.directory.len() as u16; 2],
            size,
            offset: self.directory_at(),
            ..End::default()
        };
        self
    }

    /// Where each entry's header stands.
    pub fn offsets(&self) -> Vec<u32> {
        let mut at = self.prefix.len() as u32;
        let mut offsets = Vec::new();
        for entry in &self.entries {
            offsets.push(at + entry.gap.len() as u32);
            at += entry.len();
        }
        offsets
    }

    /// Where the central directory stands.
    pub fn directory_at(&self) -> u32 {
        let entries: u32 = self.entries.iter().map(Entry::len).sum();
        (self.prefix.len() + self.before_directory.len()) as u32 + entries
    }

    /// Where the end record stands, or what comes before it.
    pub fn directory_end(&self) -> u32 {
        let size: usize = self.directory.iter().map(|c| c.bytes().len()).sum();
        self.directory_at() + size as u32
    }

    /// The zip as it now is.
    pub fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut bytes = self.prefix.clone();
        for entry in &self.entries {
            bytes.extend(entry.bytes());
        }
        bytes.extend(&self.before_directory);
        bytes.extend(self.directory.iter().flat_map(Central::bytes));
        bytes.extend(&self.before_end);
        bytes.extend(self.end.bytes());
        bytes.extend(&self.trailing);
        bytes
    }

    /// Zip64's end record and locator as Go writes them, for this many files, before the end
    /// record, whose fields then say that the numbers stand there.
    pub fn with_zip64_end(&mut self, count: u64) -> &mut Self {
        let (at, size) = (self.end.offset, self.end.size);
        self.before_end = zip64_end(count, u64::from(size), u64::from(at));
        self.end.counts = [u16::MAX; 2];
        (self.end.size, self.end.offset) = (u32::MAX, u32::MAX);
        self
    }
}

impl Entry {
    fn len(&self) -> u32 {
        self.bytes().len() as u32
    }

    /// The entry as it stands in the zip.
    pub fn bytes(&self) -> Vec<u8> {
        let parts = [&self.gap, &self.local.bytes(), &self.data, &self.descriptor];
        parts.into_iter().flatten().copied().collect()
    }
}
