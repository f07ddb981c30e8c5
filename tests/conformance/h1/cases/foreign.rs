//! Zips as other tools than Go's write them: folders, comments and zip64 fields that are true. Go takes
//! them, so that they must pass, with its hash.

use modgate_harness::forge::{Forge, Style, name, zip64_end, zip64_field};

use crate::h1::case::{Case, Expect, passes};

/// What Unix keeps of a folder.
pub const UNIX_FOLDER: (u16, u32) = (0x031e, 0o040_755 << 16 | 0x10);

/// The module's folders, before the files, as Info-ZIP and `git archive` write them.
pub fn with_folders(zip: &mut Forge) {
    let (files, listings) = (
        std::mem::take(&mut zip.entries),
        std::mem::take(&mut zip.directory),
    );
    for path in ["", "inner/", "inner/deep/"] {
        zip.add(&name(path), b"", Style::Stored);
        let central = zip.directory.last_mut().unwrap();
        (central.made_by, central.attributes) = UNIX_FOLDER;
    }
    zip.entries.extend(files);
    zip.directory.extend(listings);
    zip.lay_out();
}

/// Every header's sizes in a zip64 field, as Python's `force_zip64` and others write them.
pub fn with_wide_headers(zip: &mut Forge) {
    for (entry, central) in zip.entries.iter_mut().zip(&zip.directory) {
        let sizes = if entry.descriptor.is_empty() {
            central.sizes
        } else {
            entry.descriptor = central.sizes.wide_descriptor();
            entry.local.sizes
        };
        let numbers = [sizes.content.into(), sizes.compressed.into()];
        entry.local.extra = zip64_field(&numbers, b"");
        let sizes = &mut entry.local.sizes;
        (sizes.compressed, sizes.content) = (u32::MAX, u32::MAX);
        entry.local.version = 45;
    }
    zip.lay_out();
}

/// Which of a listing's numbers stand in a zip64 field.
#[derive(Clone, Copy, Debug)]
pub struct Wide {
    pub content: bool,
    pub compressed: bool,
    pub offset: bool,
}

/// A zip64 field in every listing that has the numbers which are left out, and those alone.
pub fn with_wide_listings(zip: &mut Forge, wide: Wide) {
    for central in &mut zip.directory {
        central.extra = vec![
            0;
            4 + 8 * [wide.content, wide.compressed, wide.offset]
                .iter()
                .filter(|w| **w)
                .count()
        ];
    }
    zip.lay_out();
    for central in &mut zip.directory {
        let mut numbers = Vec::new();
        let fields = [
            (wide.content, &mut central.sizes.content),
            (wide.compressed, &mut central.sizes.compressed),
            (wide.offset, &mut central.offset),
        ];
        for (wide, field) in fields {
            if wide {
                numbers.push(u64::from(std::mem::replace(field, u32::MAX)));
            }
        }
        central.extra = zip64_field(&numbers, b"");
    }
}

/// Zip64's end records as Info-ZIP writes their versions.
pub fn with_end_records(zip: &mut Forge, at: impl FnOnce(&mut Forge)) {
    let count = zip.directory.len() as u64;
    zip.before_end = zip64_end(count, zip.end.size.into(), zip.end.offset.into());
    zip.before_end[12] = 0x1e;
    zip.before_end[13] = 3;
    at(zip);
}

/// A folder that is called deflated and streamed, and has a descriptor alone.
pub fn with_folder_of_no_data(zip: &mut Forge) {
    zip.add(&name("inner/"), b"", Style::Stored);
    let last = zip.entries.len() - 1;
    let (entry, central) = (&mut zip.entries[last], &mut zip.directory[last]);
    (entry.local.method, central.method) = (8, 8);
    (entry.local.flags, central.flags) = (8, 8);
    entry.descriptor = central.sizes.descriptor();
    zip.lay_out();
}

pub fn cases() -> Vec<Case> {
    use Style::{Deflated, Stored, Streamed};
    let mut all = vec![
        passes("folders", Deflated, with_folders),
        passes("folders, streamed", Streamed, with_folders),
        passes("folders behind their files", Streamed, |zip| {
            for path in ["inner/", ""] {
                zip.add(&name(path), b"", Stored);
            }
        }),
        passes("an empty folder alone", Stored, |zip| {
            *zip = Forge::empty();
            zip.add(&name("empty/"), b"", Stored);
        }),
        passes("a folder twice", Stored, |zip| {
            for _ in 0..2 {
                zip.add(&name("inner/"), b"", Stored);
            }
            zip.directory[6].offset = zip.offsets()[6];
            zip.directory[5].offset = zip.offsets()[5];
        }),
        passes("folders by their DOS attributes", Deflated, |zip| {
            with_folders(zip);
            for central in zip.directory.iter_mut().take(3) {
                (central.made_by, central.attributes) = (20, 0x10);
            }
        }),
        passes("folders without attributes", Deflated, |zip| {
            with_folders(zip);
            for central in zip.directory.iter_mut().take(3) {
                (central.made_by, central.attributes) = (20, 0);
            }
        }),
        passes("folders with a regular file's mode", Deflated, |zip| {
            with_folders(zip);
            for central in zip.directory.iter_mut().take(3) {
                central.attributes = 0o100_644 << 16;
            }
        }),
        passes("folders deflated, as jar does", Deflated, |zip| {
            zip.add(&name("inner/"), b"", Deflated)
                .add(&name("other/"), b"", Streamed);
        }),
        passes("a folder that is deflated without data", Deflated, |zip| {
            zip.add(&name("inner/"), b"", Stored);
            zip.entries[5].local.method = 8;
            zip.directory[5].method = 8;
        }),
        passes(
            "a deflated folder with a descriptor and no data",
            Streamed,
            |zip| {
                with_folder_of_no_data(zip);
            },
        ),
        passes(
            "the same with sizes of 64 bits, between files",
            Streamed,
            |zip| {
                with_folder_of_no_data(zip);
                zip.add(&name("later.go"), b"package later\n", Streamed);
                with_wide_headers(zip);
            },
        ),
        passes("a stored folder with a descriptor", Deflated, |zip| {
            zip.add(&name("inner/"), b"", Stored);
            zip.entries[5].local.flags = 8;
            zip.entries[5].descriptor = zip.directory[5].sizes.descriptor();
            zip.directory[5].flags = 8;
            zip.lay_out();
        }),
        passes(
            "descriptors, and sizes alone in the headers",
            Streamed,
            |zip| {
                for (entry, central) in zip.entries.iter_mut().zip(&zip.directory) {
                    entry.local.sizes.content = central.sizes.content;
                }
            },
        ),
        passes(
            "descriptors, and CRCs alone in the headers",
            Streamed,
            |zip| {
                for (entry, central) in zip.entries.iter_mut().zip(&zip.directory) {
                    entry.local.sizes.crc = central.sizes.crc;
                }
            },
        ),
        passes(
            "stored with descriptors and sizes in the headers",
            Stored,
            |zip| {
                for (entry, central) in zip.entries.iter_mut().zip(&mut zip.directory) {
                    (entry.local.flags, central.flags) = (8, 8);
                    entry.descriptor = central.sizes.descriptor();
                    (entry.local.sizes.crc, entry.local.sizes.compressed) = (0, 0);
                }
                zip.lay_out();
            },
        ),
        passes(
            "a folder of the name go.mod below the root",
            Deflated,
            |zip| {
                zip.add(&name("inner/go.mod/"), b"", Stored).add(
                    &name("inner/GO.mod/x"),
                    b"",
                    Stored,
                );
                // One of them alone: they would differ in case.
                zip.entries.pop();
                zip.directory.pop();
                zip.lay_out();
            },
        ),
        passes(
            "a comment of a commit, as git archive has",
            Streamed,
            |zip| {
                with_folders(zip);
                zip.end.comment = b"0123456789abcdef0123456789abcdef01234567".to_vec();
            },
        ),
        passes("a comment of one byte", Streamed, |zip| {
            zip.end.comment = b"\n".to_vec();
        }),
        passes("a comment as long as can be", Streamed, |zip| {
            zip.end.comment = vec![b'P'; 65_535];
        }),
        passes("a comment that almost is an end record", Streamed, |zip| {
            zip.end.comment = b"PK PK\x05 PK\x05\x05\x06 PK\x06\x05 KP\x05\x06 PK".to_vec();
        }),
        passes("comments of entries", Streamed, |zip| {
            for central in &mut zip.directory {
                central.comment = b"why this file is here".to_vec();
            }
            zip.lay_out();
        }),
        passes("sizes of 64 bits in headers", Deflated, with_wide_headers),
        passes(
            "sizes of 64 bits in headers, stored",
            Stored,
            with_wide_headers,
        ),
        passes(
            "sizes of 64 bits in descriptors",
            Streamed,
            with_wide_headers,
        ),
        passes(
            "a zip64 field in headers that nothing needs",
            Deflated,
            |zip| {
                for entry in &mut zip.entries {
                    entry.local.extra = zip64_field(&[0, 0], b"");
                }
                zip.lay_out();
            },
        ),
        passes("zip64 fields with nothing in them", Streamed, |zip| {
            for (entry, central) in zip.entries.iter_mut().zip(&mut zip.directory) {
                entry.local.extra = zip64_field(&[], b"");
                central.extra = zip64_field(&[], b"");
            }
            zip.lay_out();
        }),
        passes("every number of the directory twice", Deflated, |zip| {
            for central in &mut zip.directory {
                central.extra = vec![0; 32];
            }
            zip.lay_out();
            for central in &mut zip.directory {
                let sizes = [central.sizes.content, central.sizes.compressed];
                let numbers = [sizes[0].into(), sizes[1].into(), central.offset.into()];
                central.extra = zip64_field(&numbers, &[0; 4]);
            }
        }),
        passes(
            "all numbers in a field, of which one is needed",
            Deflated,
            |zip| {
                for central in &mut zip.directory {
                    central.extra = vec![0; 28];
                }
                zip.lay_out();
                for central in &mut zip.directory {
                    let sizes = [central.sizes.content, central.sizes.compressed];
                    let numbers = [sizes[0].into(), sizes[1].into(), central.offset.into()];
                    central.extra = zip64_field(&numbers, b"");
                    central.sizes.content = u32::MAX;
                }
            },
        ),
        passes(
            "zip64's end records that all fields point to",
            Streamed,
            |zip| {
                with_end_records(zip, |zip| {
                    zip.end.counts = [u16::MAX; 2];
                    (zip.end.size, zip.end.offset) = (u32::MAX, u32::MAX);
                });
            },
        ),
        passes(
            "zip64's end records that nothing points to",
            Streamed,
            |zip| {
                with_end_records(zip, |_| {});
            },
        ),
        passes(
            "zip64's end records for the offset alone",
            Streamed,
            |zip| {
                with_end_records(zip, |zip| zip.end.offset = u32::MAX);
            },
        ),
        passes("zip64's end records for the count alone", Streamed, |zip| {
            with_end_records(zip, |zip| zip.end.counts = [u16::MAX; 2]);
        }),
        passes(
            "zip64's end records of a zip without files",
            Streamed,
            |zip| {
                *zip = Forge::empty();
                with_end_records(zip, |_| {});
            },
        ),
        passes("everything at once", Streamed, |zip| {
            with_folders(zip);
            with_wide_headers(zip);
            with_wide_listings(
                zip,
                Wide {
                    content: true,
                    compressed: true,
                    offset: true,
                },
            );
            zip.end.size = zip.directory.iter().map(|c| c.bytes().len() as u32).sum();
            with_end_records(zip, |zip| {
                zip.end.counts = [u16::MAX; 2];
                (zip.end.size, zip.end.offset) = (u32::MAX, u32::MAX);
                zip.end.comment = b"0123456789abcdef0123456789abcdef01234567".to_vec();
            });
        }),
        many("65,535 files without zip64's end records", 65_535, |_| {}),
        many("65,536 files as Python writes them", 65_536, |zip| {
            let (size, offset) = (zip.end.size, zip.end.offset);
            zip.before_end = zip64_end(65_536, size.into(), offset.into());
            zip.end.counts = [u16::MAX; 2];
        }),
    ];
    for (what, content, compressed, offset) in [
        ("content", true, false, false),
        ("compressed size", false, true, false),
        ("offset", false, false, true),
        ("sizes", true, true, false),
        ("content and offset", true, false, true),
        ("compressed size and offset", false, true, true),
        ("numbers", true, true, true),
    ] {
        let what = format!("64 bits in the directory for the {what}").leak();
        all.push(passes(what, Streamed, |zip| {
            with_wide_listings(
                zip,
                Wide {
                    content,
                    compressed,
                    offset,
                },
            );
        }));
    }
    all
}

/// So many files that fields of 16 bits are full.
fn many(what: &'static str, files: u32, change: impl FnOnce(&mut Forge)) -> Case {
    let mut zip = Forge::empty();
    for n in 0..files {
        zip.add_data(&name(&n.to_string()), b"", Vec::new(), Style::Stored);
    }
    zip.lay_out();
    change(&mut zip);
    Case {
        what,
        bytes: zip.bytes(),
        expect: Expect::Pass,
    }
}
