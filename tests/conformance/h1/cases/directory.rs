//! Central directories that say something else than the entries.

use modgate_go::zip::Field;
use modgate_go::zip::ZipFault::{
    Differs, Disk, EntryInDirectory, Extra, ListedTwice, NoRecord, NoSuchEntry, NotRegular,
    Unlisted, Zip64,
};
use modgate_harness::forge::{Central, Forge, Style, name};

use crate::h1::case::{Case, deflated, stored, streamed};

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        streamed("a file that is not listed", Unlisted, |zip| {
            zip.directory.remove(2);
            zip.lay_out();
        }),
        streamed("no file that is listed", Unlisted, |zip| {
            zip.directory.clear();
            zip.lay_out();
        }),
        streamed("a file that is listed twice", ListedTwice, |zip| {
            zip.directory.push(zip.directory[1].clone());
            zip.lay_out();
        }),
        streamed(
            "a file that is listed under a second name",
            ListedTwice,
            |zip| {
                let mut again = zip.directory[1].clone();
                again.name = name("z.go");
                zip.directory.push(again);
                zip.lay_out();
            },
        ),
        streamed("a file listed in place of another", ListedTwice, |zip| {
            zip.directory[2] = zip.directory[1].clone();
            zip.lay_out();
        }),
        streamed("a file that is not there", NoSuchEntry, |zip| {
            let mut more = zip.directory[1].clone();
            (more.name, more.offset) = (name("z.go"), 1);
            zip.directory.push(more);
            zip.lay_out();
        }),
        streamed("a renamed file", Differs(Field::Name), |zip| {
            zip.directory[1].name = name("z.go");
        }),
        streamed(
            "a renamed file whose name is longer",
            Differs(Field::Name),
            |zip| {
                zip.directory[1].name = name("init.go");
                let offset = zip.offsets()[1];
                zip.lay_out();
                zip.directory[1].offset = offset;
            },
        ),
        streamed(
            "two files' names changed for each other",
            Differs(Field::Name),
            |zip| {
                let of_one = zip.directory[1].name.clone();
                zip.directory[1].name = std::mem::replace(&mut zip.directory[2].name, of_one);
            },
        ),
        stored(
            "two files' offsets changed for each other",
            Differs(Field::Crc),
            |zip| {
                zip.add(&name("x"), b"one", Style::Stored);
                zip.add(&name("y"), b"two", Style::Stored);
                let of_one = zip.directory[5].offset;
                zip.directory[5].offset = std::mem::replace(&mut zip.directory[6].offset, of_one);
            },
        ),
        stored(
            "the same with no CRC in the directory",
            Differs(Field::Crc),
            |zip| {
                zip.add(&name("x"), b"one", Style::Stored);
                zip.add(&name("y"), b"two", Style::Stored);
                let of_one = zip.directory[5].offset;
                zip.directory[5].offset = std::mem::replace(&mut zip.directory[6].offset, of_one);
                (zip.directory[5].sizes.crc, zip.directory[6].sizes.crc) = (0, 0);
            },
        ),
        streamed("an offset that is one too high", NoSuchEntry, |zip| {
            zip.directory[1].offset += 1
        }),
        streamed("an offset behind the entries", NoSuchEntry, |zip| {
            zip.directory[1].offset = zip.end.offset;
        }),
        streamed("another method", Differs(Field::Method), |zip| {
            zip.directory[1].method = 0
        }),
        deflated(
            "deflated data listed as stored",
            Differs(Field::Method),
            |zip| {
                // Go would then hash the deflated data itself.
                let data = zip.entries[1].data.clone();
                zip.directory[1].method = 0;
                zip.directory[1].sizes.content = data.len() as u32;
                zip.directory[1].sizes.crc = modgate_harness::forge::crc32(&data);
            },
        ),
        streamed("another flag", Differs(Field::Flags), |zip| {
            zip.directory[1].flags = 0
        }),
        deflated(
            "a descriptor that is not there",
            Differs(Field::Flags),
            |zip| {
                zip.directory[1].flags = 8;
            },
        ),
        streamed("another CRC", Differs(Field::Crc), |zip| {
            zip.directory[1].sizes.crc ^= 1
        }),
        deflated("no CRC", Differs(Field::Crc), |zip| {
            zip.directory[1].sizes.crc = 0
        }),
        streamed(
            "a larger compressed size",
            Differs(Field::CompressedSize),
            |zip| {
                zip.directory[1].sizes.compressed += 1;
            },
        ),
        streamed(
            "a smaller compressed size",
            Differs(Field::CompressedSize),
            |zip| {
                zip.directory[1].sizes.compressed -= 1;
            },
        ),
        streamed("a larger size", Differs(Field::Size), |zip| {
            zip.directory[1].sizes.content += 1
        }),
        streamed("a smaller size", Differs(Field::Size), |zip| {
            zip.directory[1].sizes.content -= 1
        }),
        stored(
            "stored content cut by the directory",
            Differs(Field::Crc),
            |zip| {
                let sizes = &mut zip.directory[1].sizes;
                (sizes.compressed, sizes.content) = (9, 9);
                sizes.crc = modgate_harness::forge::crc32(&zip.entries[1].data[..9]);
            },
        ),
        stored(
            "stored content lengthened by the directory",
            Differs(Field::Crc),
            |zip| {
                // With no CRC Go does not see that the next entry's header is part of the file.
                let sizes = &mut zip.directory[1].sizes;
                (sizes.compressed, sizes.content) = (sizes.compressed + 4, sizes.content + 4);
                sizes.crc = 0;
            },
        ),
        streamed(
            "a zip64 extra field with nothing in it that is needed",
            Zip64,
            |zip| {
                zip.directory[1].extra = b"\x01\x00\x00\x00".to_vec();
                zip.lay_out();
                zip.directory[1].sizes.content = u32::MAX;
            },
        ),
        streamed(
            "an extra field that is longer than all of them",
            Extra,
            |zip| {
                zip.directory[1].extra = b"UT\x09\x00\x01".to_vec();
                zip.lay_out();
            },
        ),
        streamed("an extra field without a length", Extra, |zip| {
            zip.directory[1].extra = b"UT\x00".to_vec();
            zip.lay_out();
        }),
        streamed("extra fields of 5 KB", Extra, |zip| {
            zip.directory[1].extra = [b"zz\x00\x14".as_slice(), &[0; 5 << 10]].concat();
            zip.lay_out();
        }),
        streamed("a file on a second disk", Disk, |zip| {
            zip.directory[1].disk = 1
        }),
        streamed("bytes between two files' records", NoRecord, |zip| {
            let end = zip.end.bytes();
            let records: Vec<_> = zip.directory.iter().map(Central::bytes).collect();
            let mut bytes = zip.bytes();
            bytes.truncate(zip.directory_at() as usize);
            bytes.extend(records.join(b"slack".as_slice()));
            bytes.extend(end);
            zip.raw = Some(bytes);
        }),
        streamed(
            "a digital signature behind the directory",
            NoRecord,
            |zip| {
                zip.before_end = b"PK\x05\x05\x04\x00sign".to_vec();
                zip.end.size += zip.before_end.len() as u32;
            },
        ),
        streamed("an entry behind the directory", EntryInDirectory, |zip| {
            let evil = Forge::new(&[("z.go", b"package evil\n")], Style::Deflated);
            zip.before_end = evil.entries[0].bytes();
            zip.end.size += zip.before_end.len() as u32;
        }),
    ];
    for (what, made_by, attributes) in [
        ("a symbolic link", 0x031e, 0o120_777_u32 << 16),
        ("a folder by its mode", 0x031e, 0o040_755 << 16),
        ("a device", 0x031e, 0o020_666 << 16),
        ("a pipe", 0x031e, 0o010_666 << 16),
        ("a symbolic link made on a Mac", 0x131e, 0o120_777 << 16),
        ("a folder by its DOS attributes", 20, 0x10),
    ] {
        all.push(streamed(what, NotRegular, |zip| {
            zip.directory[1].made_by = made_by;
            zip.directory[1].attributes = attributes;
        }));
    }
    all
}
