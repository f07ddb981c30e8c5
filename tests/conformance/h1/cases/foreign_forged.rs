//! What other tools write, lying: folders with content, comments that are records, zip64 fields that
//! say otherwise than the entries.

use modgate_go::gomod::NameError::{DotElement, EmptyElement};
use modgate_go::zip::Field;
use modgate_go::zip::ZipFault::{
    CaseCollision, Comment, CompressedSize, Crc, Differs, EndComment, EndCount, EndOffset, EndSize,
    Extra, FileAndFolder, Folder, Name, NoDescriptor, NoRecord, NoSuchEntry, NotRegular,
    OtherModule, Size, Truncated, Zip64, Zip64End,
};
use modgate_harness::forge::{Forge, Style, name, zip64_field};

use super::ends::evil_zip;
use super::foreign::{
    Wide, with_end_records, with_folder_of_no_data, with_folders, with_wide_headers,
    with_wide_listings,
};
use crate::h1::case::{Case, deflated, stored, streamed};

pub fn cases() -> Vec<Case> {
    [folders(), comments(), headers(), listings(), end_records()].concat()
}

fn folders() -> Vec<Case> {
    let add = |zip: &mut Forge, path: &str, content: &[u8], style| {
        zip.add(&name(path), content, style);
    };
    let mut all = vec![
        stored("a folder with content", Folder, |zip| {
            add(zip, "inner/", b"package evil\n", Style::Stored);
        }),
        deflated("a folder with deflated content", Folder, |zip| {
            add(zip, "inner/", b"package evil\n", Style::Deflated);
        }),
        streamed("a folder with content and a descriptor", Folder, |zip| {
            add(zip, "inner/", b"package evil\n", Style::Streamed);
        }),
        stored("the root as a folder with content", Folder, |zip| {
            add(zip, "", b"x", Style::Stored);
        }),
        // Go does not read it, and takes the size from the directory alone.
        stored(
            "a folder with content that the directory does not list",
            Folder,
            |zip| {
                add(zip, "inner/", b"package evil\n", Style::Stored);
                zip.directory[5].sizes = Default::default();
            },
        ),
        stored(
            "a folder that hides an entry behind its header",
            Folder,
            |zip| {
                let hidden = Forge::new(&[("a.go", b"package evil\n")], Style::Deflated);
                add(zip, "inner/", &hidden.entries[0].bytes(), Style::Stored);
            },
        ),
        stored(
            "an empty folder that the directory lists with a size",
            Differs(Field::Size),
            |zip| {
                add(zip, "inner/", b"", Style::Stored);
                zip.directory[5].sizes.content = 1;
            },
        ),
        stored("a stored folder whose descriptor lies", Size, |zip| {
            add(zip, "inner/", b"", Style::Stored);
            zip.entries[5].local.flags = 8;
            zip.entries[5].descriptor = zip.directory[5].sizes.descriptor();
            zip.entries[5].descriptor[12] = 1;
            zip.directory[5].flags = 8;
            zip.lay_out();
        }),
        streamed(
            "a deflated folder without data whose descriptor lies",
            Size,
            |zip| {
                with_folder_of_no_data(zip);
                zip.entries[5].descriptor[12] = 1;
            },
        ),
        streamed(
            "a deflated folder with a descriptor of another CRC",
            Crc,
            |zip| {
                with_folder_of_no_data(zip);
                zip.entries[5].descriptor[4] = 1;
            },
        ),
        streamed("a deflated folder with two descriptors", NoRecord, |zip| {
            with_folder_of_no_data(zip);
            let descriptor = zip.entries[5].descriptor.clone();
            zip.entries[5].descriptor.extend(descriptor);
            zip.lay_out();
        }),
        stored("a folder listed as a file", Differs(Field::Name), |zip| {
            add(zip, "inner2/", b"", Style::Stored);
            zip.directory[5].name = name("inner2");
            let offset = zip.offsets()[5];
            zip.lay_out();
            zip.directory[5].offset = offset;
        }),
        stored("a folder and a file of its name", FileAndFolder, |zip| {
            add(zip, "a.go/", b"", Style::Stored);
        }),
        stored(
            "two folders with entries but for their case",
            CaseCollision,
            |zip| {
                add(zip, "other/", b"", Style::Stored);
                add(zip, "Other/", b"", Style::Stored);
            },
        ),
        stored(
            "a folder but for the case of its files",
            CaseCollision,
            |zip| {
                add(zip, "Inner/", b"", Style::Stored);
            },
        ),
        stored("a folder of the way up", Name(DotElement), |zip| {
            add(zip, "../", b"", Style::Stored);
        }),
        stored("a folder without a name", Name(EmptyElement), |zip| {
            add(zip, "inner//", b"", Style::Stored);
        }),
        stored("a folder above the module", OtherModule, |zip| {
            zip.add(b"example.com/", b"", Style::Stored);
        }),
        stored("a folder beside the module", OtherModule, |zip| {
            zip.add(b"__MACOSX/", b"", Style::Stored);
        }),
    ];
    for (what, attributes) in [
        ("a folder that is a symbolic link", 0o120_777_u32 << 16),
        ("a folder that is a device", 0o020_666 << 16),
    ] {
        all.push(stored(what, NotRegular, |zip| {
            with_folders(zip);
            zip.directory[1].attributes = attributes;
        }));
    }
    all
}

fn comments() -> Vec<Case> {
    let mut all = vec![
        streamed("a comment that is cut short", Truncated, |zip| {
            zip.end.comment = b"a comment".to_vec();
            let bytes = zip.bytes();
            zip.raw = Some(bytes[..bytes.len() - 1].to_vec());
        }),
        streamed("an end record at a comment's end", EndComment, |zip| {
            zip.end.comment = [b"x".as_slice(), &Forge::empty().end.bytes()].concat();
        }),
        // Go starts its search 22 bytes before the end, others do not.
        streamed("a comment that ends in a signature", EndComment, |zip| {
            zip.end.comment = b"a comment PK\x05\x06".to_vec();
        }),
        streamed(
            "a comment that begins with a signature",
            EndComment,
            |zip| {
                zip.end.comment = [b"PK\x05\x06".as_slice(), &[0; 40]].concat();
            },
        ),
        streamed(
            "a comment whose length is the half of a signature",
            EndComment,
            |zip| {
                // The length is `PK`, and what follows the rest of an end record of another
                // directory.
                let mut comment = zip.end.bytes()[2..].to_vec();
                comment.resize(usize::from(u16::from_le_bytes(*b"PK")), b' ');
                zip.end.comment = comment;
            },
        ),
        streamed(
            "an end record in an end record's fields and its comment",
            EndComment,
            |zip| {
                // 19,280 files are `PK`, and the directory's size goes on.
                let files = u16::from_le_bytes(*b"PK");
                *zip = Forge::empty();
                for n in 0..files {
                    zip.add_data(&name(&n.to_string()), b"", Vec::new(), Style::Stored);
                }
                zip.lay_out();
                let short = (0x0605_u32.wrapping_sub(zip.end.size)) & 0xffff;
                let mut left = short as usize;
                for central in &mut zip.directory {
                    let len = left.min(4_000);
                    if len >= 4 {
                        central.extra = zip_extra(len);
                        left -= len;
                    }
                }
                zip.lay_out();
                assert_eq!((zip.end.size & 0xffff, left), (0x0605, 0));
                zip.end.comment = vec![0; 40];
            },
        ),
        streamed("an entry in an entry's comment", Comment, |zip| {
            zip.directory[1].comment = evil_zip(0).entries[0].bytes();
            zip.lay_out();
        }),
        streamed("a listing in an entry's comment", Comment, |zip| {
            zip.directory[1].comment = evil_zip(0).directory[0].bytes();
            zip.lay_out();
        }),
        streamed(
            "an end record in the last entry's comment",
            Comment,
            |zip| {
                zip.directory[4].comment = zip.end.bytes();
                zip.lay_out();
            },
        ),
        streamed("a long comment of an entry", Comment, |zip| {
            zip.directory[1].comment = vec![b'x'; 4097];
            zip.lay_out();
        }),
    ];
    for (what, signature) in [
        ("an entry", b"PK\x03\x04"),
        ("a listing", b"PK\x01\x02"),
        ("a descriptor", b"PK\x07\x08"),
        ("a zip64 end record", b"PK\x06\x06"),
        ("a zip64 locator", b"PK\x06\x07"),
    ] {
        let what = format!("a comment with {what}").leak();
        all.push(streamed(what, EndComment, |zip| {
            zip.end.comment = [b"x".as_slice(), signature, &[0; 60]].concat();
        }));
    }
    all
}

/// An extra field of an identifier that means nothing, this long in all.
fn zip_extra(len: usize) -> Vec<u8> {
    let mut extra = [b"zz".as_slice(), &(len as u16 - 4).to_le_bytes()].concat();
    extra.resize(len, b'.');
    extra
}

fn headers() -> Vec<Case> {
    let wide = |zip: &mut Forge, change: &dyn Fn(&mut Vec<u8>)| {
        with_wide_headers(zip);
        change(&mut zip.entries[1].local.extra);
        zip.lay_out();
    };
    let mut all = vec![
        deflated(
            "full sizes in a header without a zip64 field",
            Zip64,
            |zip| {
                wide(zip, &|extra| extra.clear());
            },
        ),
        deflated("a zip64 field of a header that is cut", Extra, |zip| {
            wide(zip, &|extra| extra.truncate(12));
        }),
        deflated("one number in a header's zip64 field", Zip64, |zip| {
            wide(zip, &|extra| *extra = zip64_field(&[57], b""));
        }),
        deflated("two zip64 fields in a header", Zip64, |zip| {
            wide(zip, &|extra| *extra = extra.repeat(2));
        }),
        deflated("one full size in a header", Zip64, |zip| {
            with_wide_headers(zip);
            zip.entries[1].local.sizes.compressed = zip.directory[1].sizes.compressed;
        }),
        deflated("a header's zip64 content over 4 GiB", Zip64, |zip| {
            wide(zip, &|extra| extra[8] = 1);
        }),
        deflated("a header's zip64 data over 4 GiB", Zip64, |zip| {
            wide(zip, &|extra| extra[16] = 1);
        }),
        deflated("a header's zip64 content is larger", Size, |zip| {
            wide(zip, &|extra| extra[4] += 1);
        }),
        deflated("a header's zip64 data is longer", CompressedSize, |zip| {
            wide(zip, &|extra| extra[12] += 1);
        }),
        stored("a header's zip64 sizes differ, stored", Size, |zip| {
            wide(zip, &|extra| extra[12] += 1);
        }),
        stored("a header's zip64 sizes are both larger", Crc, |zip| {
            wide(zip, &|extra| {
                extra[4] += 1;
                extra[12] += 1;
            });
        }),
        deflated(
            "a header with more extra fields than are read",
            Extra,
            |zip| {
                wide(zip, &|extra| extra.extend(zip_extra(4_090)));
            },
        ),
        streamed(
            "a zip64 field and a descriptor of 32 bits",
            CompressedSize,
            |zip| {
                with_wide_headers(zip);
                zip.entries[1].descriptor = zip.directory[1].sizes.descriptor();
                zip.lay_out();
            },
        ),
        streamed(
            "a descriptor of 64 bits without its signature",
            NoDescriptor,
            |zip| {
                with_wide_headers(zip);
                zip.entries[1].descriptor.drain(..4);
                zip.lay_out();
            },
        ),
        streamed("a descriptor of 64 bits with a larger size", Size, |zip| {
            with_wide_headers(zip);
            zip.entries[1].descriptor[16] ^= 1;
        }),
        streamed("a descriptor with a size over 4 GiB", Size, |zip| {
            with_wide_headers(zip);
            zip.entries[1].descriptor[20] = 1;
        }),
        streamed(
            "a descriptor of 64 bits with a longer data",
            CompressedSize,
            |zip| {
                with_wide_headers(zip);
                zip.entries[1].descriptor[12] = 1;
            },
        ),
    ];
    all.push(stored(
        "a folder's zip64 field with a size",
        Folder,
        |zip| {
            zip.add(&name("inner/"), b"", Style::Stored);
            with_wide_headers(zip);
            let numbers = zip64_field(&[13, 13], b"");
            zip.entries[5].local.extra = numbers;
            zip.entries[5].data = b"package evil\n".to_vec();
            zip.lay_out();
        },
    ));
    all
}

fn listings() -> Vec<Case> {
    const ALL: Wide = Wide {
        content: true,
        compressed: true,
        offset: true,
    };
    let wide = |zip: &mut Forge, change: &dyn Fn(&mut Vec<u8>)| {
        with_wide_listings(zip, ALL);
        change(&mut zip.directory[1].extra);
        zip.end.size = zip.directory.iter().map(|c| c.bytes().len() as u32).sum();
    };
    // With these the extra fields' length stays, and so does the directory's place.
    vec![
        streamed(
            "full numbers in a listing without a zip64 field",
            Zip64,
            |zip| {
                wide(zip, &|extra| extra[..2].copy_from_slice(b"zz"));
            },
        ),
        streamed("a full offset without a zip64 field", Zip64, |zip| {
            zip.directory[1].offset = u32::MAX;
        }),
        streamed("a zip64 field that is cut", Extra, |zip| {
            wide(zip, &|extra| extra.truncate(20));
        }),
        streamed("a zip64 field without the offset", Zip64, |zip| {
            wide(zip, &|extra| {
                *extra = [b"\x01\x00\x10\x00", &extra[4..20]].concat()
            });
        }),
        streamed("two zip64 fields of a listing", Zip64, |zip| {
            wide(zip, &|extra| *extra = extra.repeat(2));
        }),
        streamed(
            "another content in a zip64 field",
            Differs(Field::Size),
            |zip| {
                wide(zip, &|extra| extra[4] ^= 1);
            },
        ),
        streamed(
            "another compressed size in a zip64 field",
            Differs(Field::CompressedSize),
            |zip| wide(zip, &|extra| extra[12] ^= 1),
        ),
        streamed("another offset in a zip64 field", NoSuchEntry, |zip| {
            wide(zip, &|extra| extra[20] ^= 1);
        }),
        streamed(
            "another entry's offset in a zip64 field",
            Differs(Field::Crc),
            |zip| {
                let other = zip.offsets()[2];
                wide(zip, &|extra| {
                    extra[20..24].copy_from_slice(&other.to_le_bytes())
                });
            },
        ),
        streamed("an offset over 4 GiB in a zip64 field", Zip64, |zip| {
            wide(zip, &|extra| extra[24] = 1);
        }),
        streamed("a size over 4 GiB in a zip64 field", Zip64, |zip| {
            wide(zip, &|extra| extra[8] = 1);
        }),
        streamed(
            "the numbers of a zip64 field in another order",
            Differs(Field::CompressedSize),
            |zip| {
                wide(zip, &|extra| {
                    let (content, compressed) = extra[4..20].split_at_mut(8);
                    content.swap_with_slice(compressed);
                });
            },
        ),
        streamed(
            "a zip64 field that says otherwise, though nothing needs it",
            Zip64,
            |zip| {
                let sizes = zip.directory[1].sizes;
                let numbers = [u64::from(sizes.content) + 1, sizes.compressed.into()];
                zip.directory[1].extra = zip64_field(&numbers, b"");
                zip.lay_out();
            },
        ),
        streamed(
            "another offset in a zip64 field that nothing needs",
            Zip64,
            |zip| {
                let (sizes, offset) = (zip.directory[1].sizes, zip.offsets()[2]);
                let numbers = [sizes.content.into(), sizes.compressed.into(), offset.into()];
                zip.directory[1].extra = zip64_field(&numbers, b"");
                zip.lay_out();
            },
        ),
        streamed("a second disk in a zip64 field", Zip64, |zip| {
            let (sizes, offset) = (zip.directory[1].sizes, zip.offsets()[1]);
            let numbers = [sizes.content.into(), sizes.compressed.into(), offset.into()];
            zip.directory[1].extra = zip64_field(&numbers, &[1, 0, 0, 0]);
            zip.lay_out();
        }),
        streamed("bytes behind the numbers of a zip64 field", Zip64, |zip| {
            wide(zip, &|extra| {
                extra[2] += 4;
                extra.extend(b"more");
            });
        }),
        streamed(
            "more comment than is read, in a listing of 64 bits",
            Comment,
            |zip| {
                zip.directory[1].comment = vec![b'x'; 4097];
                wide(zip, &|_| {});
            },
        ),
        // Go would find it where the directory has 65,535 bytes.
        streamed(
            "a locator at the end of the last entry's comment",
            Comment,
            |zip| {
                zip.directory[4].comment = [b"PK\x06\x07".as_slice(), &[0; 16]].concat();
                zip.lay_out();
            },
        ),
    ]
}

fn end_records() -> Vec<Case> {
    let all_full = |zip: &mut Forge| {
        zip.end.counts = [u16::MAX; 2];
        (zip.end.size, zip.end.offset) = (u32::MAX, u32::MAX);
    };
    let mut all = vec![
        // Go looks for zip64's records for the count and the offset, and not for the size.
        streamed("zip64's end records for the size alone", EndSize, |zip| {
            with_end_records(zip, |zip| zip.end.size = u32::MAX);
        }),
        streamed(
            "another count beside zip64's end records",
            EndCount,
            |zip| {
                with_end_records(zip, |zip| zip.end.counts = [4; 2]);
            },
        ),
        streamed("another size beside zip64's end records", EndSize, |zip| {
            with_end_records(zip, |zip| zip.end.size += 1);
        }),
        streamed(
            "another offset beside zip64's end records",
            EndOffset,
            |zip| {
                with_end_records(zip, |zip| zip.end.offset -= 1);
            },
        ),
        streamed(
            "a full count without zip64's end records",
            EndCount,
            |zip| {
                zip.end.counts = [5, u16::MAX];
            },
        ),
        streamed("a full size without zip64's end records", EndSize, |zip| {
            zip.end.size = u32::MAX;
        }),
        streamed("zip64's end records twice", NoRecord, |zip| {
            with_end_records(zip, |zip| zip.before_end = zip.before_end.repeat(2));
        }),
        streamed("bytes behind zip64's end records", NoRecord, |zip| {
            with_end_records(zip, |zip| zip.before_end.extend(b"slack"));
        }),
    ];
    // Where each field of the two records stands.
    for (what, at) in [
        ("the first record's length", 4),
        ("its disk", 16),
        ("the directory's disk", 20),
        ("the count of this disk", 24),
        ("the count", 32),
        ("the count's upper half", 36),
        ("the size", 40),
        ("the offset", 48),
        ("the offset's upper half", 52),
        ("the locator's signature", 56),
        ("the locator's disk", 60),
        ("the locator's offset", 64),
        ("the number of disks", 72),
    ] {
        let seen = format!("zip64's end records with another value in {what}").leak();
        all.push(streamed(seen, Zip64End, |zip| {
            with_end_records(zip, |zip| {
                zip.before_end[at] ^= 1;
                all_full(zip);
            });
        }));
        let unseen = format!("unused zip64 end records with another value in {what}").leak();
        all.push(streamed(unseen, Zip64End, |zip| {
            with_end_records(zip, |zip| zip.before_end[at] ^= 1);
        }));
    }
    all
}
