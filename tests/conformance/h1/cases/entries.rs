//! Entries' headers that lie, and bytes between entries.

use modgate_go::zip::Field;
use modgate_go::zip::ZipFault::{
    CompressedSize, Crc, Deflate, Differs, Duplicate, Flags, Method, NoDescriptor, NoRecord,
    NoSuchEntry, Size, StoredWithDescriptor, Unlisted,
};
use modgate_harness::forge::{Forge, Style, name};

use crate::h1::case::{Case, deflated, stored, streamed};

/// A whole entry that no directory has.
fn hidden() -> Vec<u8> {
    hidden_as("a.go")
}

fn hidden_as(name: &str) -> Vec<u8> {
    Forge::new(&[(name, b"package evil\n")], Style::Deflated).entries[0].bytes()
}

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        streamed("bytes before the first entry", NoRecord, |zip| {
            zip.prefix = b"#!/bin/sh\n".to_vec();
            zip.lay_out();
        }),
        streamed(
            "bytes before the first entry that no offset counts",
            NoRecord,
            |zip| {
                zip.prefix = b"#!/bin/sh\n".to_vec();
            },
        ),
        streamed(
            "a marker of split archives before the first entry",
            NoRecord,
            |zip| {
                zip.prefix = b"PK\x07\x08".to_vec();
                zip.lay_out();
            },
        ),
        streamed("a gap of zeros", NoRecord, |zip| {
            zip.entries[2].gap = vec![0; 4];
            zip.lay_out();
        }),
        streamed("an entry hidden in a gap", Unlisted, |zip| {
            zip.entries[2].gap = hidden_as("evil.go");
            zip.lay_out();
        }),
        streamed("an entry hidden behind the last", Unlisted, |zip| {
            zip.before_directory = hidden_as("evil.go");
            zip.lay_out();
        }),
        streamed("a listed entry once more, in a gap", Duplicate, |zip| {
            zip.entries[2].gap = hidden();
            zip.lay_out();
        }),
        streamed(
            "a listed entry once more, behind the last",
            Duplicate,
            |zip| {
                zip.before_directory = hidden();
                zip.lay_out();
            },
        ),
        streamed("bytes before the directory", NoRecord, |zip| {
            zip.before_directory = b"slack".to_vec();
            zip.lay_out();
        }),
        streamed(
            "an archive extra data record before the directory",
            NoRecord,
            |zip| {
                zip.before_directory = b"PK\x06\x08\x00\x00\x00\x00".to_vec();
                zip.lay_out();
            },
        ),
        deflated(
            "an entry hidden in another's extra field",
            NoSuchEntry,
            |zip| {
                zip.entries[2].local.extra = hidden();
                zip.lay_out();
                let inside = zip.offsets()[2] + 30 + zip.entries[2].local.name.len() as u32;
                let evil = Forge::new(&[("a.go", b"package evil\n")], Style::Deflated);
                zip.directory[1] = evil.directory[0].clone();
                zip.directory[1].offset = inside;
            },
        ),
        stored("an entry hidden in another's content", NoSuchEntry, |zip| {
            zip.add(&name("x.bin"), &hidden(), Style::Stored);
            let inside = zip.offsets()[5] + 30 + zip.entries[5].local.name.len() as u32;
            let evil = Forge::new(&[("a.go", b"package evil\n")], Style::Deflated);
            zip.directory[1] = evil.directory[0].clone();
            zip.directory[1].offset = inside;
        }),
        deflated(
            "the header's name is another's",
            Differs(Field::Name),
            |zip| {
                zip.entries[1].local.name = name("b.go");
            },
        ),
        deflated("the header's name is longer", Differs(Field::Name), |zip| {
            zip.entries[1].local.name = name("aa.go");
            zip.directory[1].name = name("a.go");
            let offsets = zip.offsets();
            zip.lay_out();
            zip.directory[1].offset = offsets[1];
        }),
        deflated("the header's name ends in the data", Deflate, |zip| {
            let len = zip.entries[1].local.name.len() as u16;
            zip.entries[1].local.name_len = Some(len - 1);
        }),
        stored(
            "the header calls deflated data stored",
            Differs(Field::Method),
            |zip| {
                let honest = Forge::sample(Style::Deflated);
                zip.entries[1].data = honest.entries[1].data.clone();
                let len = zip.entries[1].data.len() as u32;
                let crc = modgate_harness::forge::crc32(&zip.entries[1].data);
                let sizes = &mut zip.entries[1].local.sizes;
                (sizes.compressed, sizes.content, sizes.crc) = (len, len, crc);
                zip.directory[1] = honest.directory[1].clone();
                zip.lay_out();
            },
        ),
        deflated(
            "the header calls deflated data stored, with both sizes",
            Size,
            |zip| {
                zip.entries[1].local.method = 0;
            },
        ),
        stored("the header calls stored data deflated", Deflate, |zip| {
            zip.entries[1].local.method = 8;
        }),
        deflated("the header has another CRC", Crc, |zip| {
            zip.entries[1].local.sizes.crc ^= 1
        }),
        deflated("the header has no CRC", Crc, |zip| {
            zip.entries[1].local.sizes.crc = 0
        }),
        deflated("the header has a larger size", Size, |zip| {
            zip.entries[1].local.sizes.content += 1;
        }),
        deflated("the header has a smaller size", Size, |zip| {
            zip.entries[1].local.sizes.content -= 1;
        }),
        deflated(
            "the header has a smaller compressed size",
            CompressedSize,
            |zip| {
                zip.entries[1].local.sizes.compressed -= 1;
            },
        ),
        deflated(
            "the header has a larger compressed size",
            CompressedSize,
            |zip| {
                zip.entries[1].local.sizes.compressed += 1;
            },
        ),
        deflated(
            "the header has no sizes and there is no descriptor",
            CompressedSize,
            |zip| {
                zip.entries[1].local.sizes = Default::default();
            },
        ),
        streamed("a descriptor, and other sizes in the header", Size, |zip| {
            zip.entries[1].local.sizes = zip.directory[1].sizes;
            zip.entries[1].local.sizes.content -= 1;
        }),
        streamed(
            "a descriptor, and a wrong CRC alone in the header",
            Crc,
            |zip| {
                zip.entries[1].local.sizes.crc = zip.directory[1].sizes.crc ^ 1;
            },
        ),
        streamed(
            "a descriptor, and a wrong size alone in the header",
            Size,
            |zip| {
                zip.entries[1].local.sizes.content = zip.directory[1].sizes.content - 1;
            },
        ),
        streamed(
            "a descriptor, and a wrong compressed size alone in the header",
            CompressedSize,
            |zip| {
                zip.entries[1].local.sizes.compressed = zip.directory[1].sizes.compressed + 1;
            },
        ),
        stored(
            "a stored entry with a descriptor",
            StoredWithDescriptor,
            |zip| {
                let sizes = zip.directory[1].sizes;
                zip.entries[1].local.sizes = Default::default();
                descriptor_behind_stored(zip, sizes);
            },
        ),
        stored(
            "a stored entry with a descriptor and a shorter size",
            NoDescriptor,
            |zip| {
                let sizes = zip.directory[1].sizes;
                zip.entries[1].local.sizes.compressed -= 1;
                zip.entries[1].local.sizes.content -= 1;
                zip.entries[1].local.sizes.crc = 0;
                descriptor_behind_stored(zip, sizes);
            },
        ),
        stored(
            "a stored entry with a descriptor and two sizes",
            Size,
            |zip| {
                let sizes = zip.directory[1].sizes;
                zip.entries[1].local.sizes.content -= 1;
                descriptor_behind_stored(zip, sizes);
            },
        ),
        stored(
            "an empty stored entry with a descriptor that the directory has a size of",
            Differs(Field::Crc),
            |zip| {
                let sizes = zip.directory[3].sizes;
                zip.entries[3].local.flags = 8;
                zip.entries[3].descriptor = sizes.descriptor();
                zip.directory[3].flags = 8;
                zip.lay_out();
                // Go would read the descriptor as the file.
                let sizes = &mut zip.directory[3].sizes;
                (sizes.compressed, sizes.content) = (16, 16);
                sizes.crc = modgate_harness::forge::crc32(&zip.entries[3].descriptor);
            },
        ),
        stored("a stored entry that seems to end early", NoRecord, |zip| {
            // The content begins with what looks like its end, and a whole entry.
            let early = modgate_harness::forge::Sizes::default().descriptor();
            let content = [early, hidden()].concat();
            *zip = Forge::empty();
            zip.add(&name("x.go"), &content, Style::Stored);
            let sizes = zip.directory[0].sizes;
            zip.entries[0].local.sizes = Default::default();
            zip.entries[0].local.flags = 8;
            zip.entries[0].descriptor = sizes.descriptor();
            zip.directory[0].flags = 8;
            zip.lay_out();
        }),
    ];
    for (what, method) in [
        ("bzip2", 12),
        ("deflate64", 9),
        ("AES", 99),
        ("an unknown method", 65_535),
    ] {
        all.push(deflated(what, Method(method), |zip| {
            zip.entries[1].local.method = method;
            zip.directory[1].method = method;
        }));
    }
    for (what, flag) in [
        ("the flag of encryption", 1),
        ("the flag of patched data", 1 << 5),
        ("the flag of strong encryption", 1 << 6),
        ("the flag of a masked header", 1 << 13),
        ("a flag that nobody has defined", 1 << 15),
    ] {
        all.push(deflated(what, Flags(flag), |zip| {
            zip.entries[1].local.flags = flag;
            zip.directory[1].flags = flag;
        }));
    }
    all
}

fn descriptor_behind_stored(zip: &mut Forge, sizes: modgate_harness::forge::Sizes) {
    zip.entries[1].local.flags = 8;
    zip.entries[1].descriptor = sizes.descriptor();
    zip.directory[1].flags = 8;
    zip.lay_out();
}
