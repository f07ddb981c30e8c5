//! Zips that proxies do write, or that mean to Go what they mean to everybody: they must pass.

use std::io::{Cursor, Write};

use modgate_harness::forge::{Forge, Style, deflate, name};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::h1::case::{Case, Expect, passes};

/// Info-ZIP's time stamps and owners, as they stand in a local header.
const INFO_ZIP: &[u8] = b"UT\x09\x00\x03\x01\x02\x03\x04\x05\x06\x07\x08ux\x0b\x00\x01\x04\xe8\x03\x00\x00\x04\xe8\x03\x00\x00";
/// The same in the central directory: shorter.
const INFO_ZIP_CENTRAL: &[u8] =
    b"UT\x05\x00\x03\x01\x02\x03\x04ux\x0b\x00\x01\x04\xe8\x03\x00\x00\x04\xe8\x03\x00\x00";
/// NTFS time stamps.
const NTFS: &[u8] = b"\x0a\x00\x20\x00\0\0\0\0\x01\x00\x18\x00\x01\x02\x03\x04\x05\x06\xd7\x01\x01\x02\x03\x04\x05\x06\xd7\x01\x01\x02\x03\x04\x05\x06\xd7\x01";

/// Both headers of every file.
fn every(forge: &mut Forge, change: impl Fn(&mut u16, &mut u16)) {
    for (entry, central) in forge.entries.iter_mut().zip(&mut forge.directory) {
        change(&mut entry.local.flags, &mut central.flags);
    }
}

/// One file's data deflated by somebody else.
fn with_data(forge: &mut Forge, content: &[u8], data: Vec<u8>) {
    forge.add_data(&name("x.txt"), content, data, Style::Streamed);
    forge.lay_out();
}

pub fn cases() -> Vec<Case> {
    use Style::{Deflated, Stored, Streamed};
    let mut all = vec![
        passes("as Go writes it", Streamed, |_| {}),
        passes("sizes in the headers", Deflated, |_| {}),
        passes("stored", Stored, |_| {}),
        passes(
            "descriptors mixed with plain sizes and stored files",
            Streamed,
            |zip| {
                zip.add(&name("x"), b"plain", Deflated)
                    .add(&name("y"), b"stored", Stored)
                    .add(&name("z"), b"", Stored)
                    .add(&name("last"), b"", Streamed);
            },
        ),
        passes("entries in another order", Streamed, |zip| {
            zip.entries.reverse();
            zip.lay_out();
        }),
        passes("directory in another order", Streamed, |zip| {
            zip.directory.reverse()
        }),
        passes("directory in no order", Streamed, |zip| {
            zip.directory.swap(1, 4)
        }),
        passes(
            "a descriptor, and the sizes in the header too",
            Streamed,
            |zip| {
                for (entry, central) in zip.entries.iter_mut().zip(&zip.directory) {
                    entry.local.sizes = central.sizes;
                }
            },
        ),
        passes("deflated in stored blocks", Streamed, |zip| {
            with_data(zip, &[b'x'; 70_000], deflate(&[b'x'; 70_000], 0));
        }),
        passes("deflated as well as can be", Streamed, |zip| {
            with_data(zip, &[b'x'; 70_000], deflate(&[b'x'; 70_000], 9));
        }),
        passes(
            "deflated in blocks with flushes between them",
            Streamed,
            |zip| {
                let mut encoder =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                for _ in 0..3 {
                    encoder.write_all(b"some text").unwrap();
                    encoder.flush().unwrap();
                }
                with_data(zip, &b"some text".repeat(3), encoder.finish().unwrap());
            },
        ),
        passes("Info-ZIP's extra fields", Deflated, |zip| {
            zip.entries
                .iter_mut()
                .for_each(|e| e.local.extra = INFO_ZIP.to_vec());
            zip.directory
                .iter_mut()
                .for_each(|c| c.extra = INFO_ZIP_CENTRAL.to_vec());
            zip.lay_out();
        }),
        passes("NTFS time stamps in the directory alone", Streamed, |zip| {
            zip.directory
                .iter_mut()
                .for_each(|c| c.extra = NTFS.to_vec());
            zip.lay_out();
        }),
        passes(
            "a header padded by an extra field of 65535 bytes",
            Stored,
            |zip| {
                zip.entries[2].local.extra = vec![0; 65_535];
                zip.lay_out();
            },
        ),
        passes("time stamps, different in both places", Streamed, |zip| {
            zip.entries
                .iter_mut()
                .for_each(|e| e.local.modified = 0x5b21_7654);
            zip.directory
                .iter_mut()
                .for_each(|c| c.modified = 0x5b22_1111);
        }),
        passes("the UTF-8 flag on a name in ASCII", Streamed, |zip| {
            every(zip, |local, central| {
                (*local, *central) = (*local | 0x800, *central | 0x800)
            });
        }),
        passes("UTF-8 names with the flag", Streamed, |zip| {
            zip.add(&name("日本語/é.txt"), b"x", Streamed);
            zip.entries[5].local.flags |= 0x800;
            zip.directory[5].flags |= 0x800;
        }),
        passes("UTF-8 names without the flag", Streamed, |zip| {
            zip.add(&name("日本語/é.txt"), b"x", Streamed);
        }),
        passes(
            "the flags that tell how hard the deflater tried",
            Deflated,
            |zip| {
                every(zip, |local, central| (*local, *central) = (6, 6));
            },
        ),
        passes("Unix modes", Streamed, |zip| {
            for (central, mode) in
                zip.directory
                    .iter_mut()
                    .zip([0o100_644_u32, 0o100_755, 0o644, 0, 0o104_755])
            {
                (central.made_by, central.attributes) = (0x031e, mode << 16);
            }
        }),
        passes("DOS attributes, and text", Streamed, |zip| {
            zip.directory
                .iter_mut()
                .for_each(|c| (c.attributes, c.internal) = (0x21, 1));
        }),
        passes("other versions of the format", Streamed, |zip| {
            zip.entries.iter_mut().for_each(|e| e.local.version = 45);
            zip.directory
                .iter_mut()
                .for_each(|c| (c.made_by, c.version) = (0x3f, 63));
        }),
        passes("stored content that looks like a zip", Stored, |zip| {
            let inner = Forge::sample(Streamed).bytes();
            zip.add(&name("testdata/x.zip"), &inner, Stored);
        }),
        passes("a name as long as can be", Streamed, |zip| {
            let long = vec!["d".repeat(100); 41].join("/");
            zip.add(&name(&long[..4096 - name("").len()]), b"x", Streamed);
        }),
        passes("letters that only look alike", Streamed, |zip| {
            zip.add(&name("stra\u{df}e"), b"1", Streamed)
                .add(&name("strasse"), b"2", Streamed)
                .add(&name("\u{131}"), b"3", Streamed)
                .add(&name("i"), b"4", Streamed);
        }),
        passes("a file and a folder beside it", Streamed, |zip| {
            zip.add(&name("inner-x"), b"1", Streamed)
                .add(&name("inner.go"), b"2", Streamed)
                .add(&name("inner/b"), b"3", Streamed);
        }),
        passes("a LICENSE below the root, of any size", Streamed, |zip| {
            zip.add(&name("inner/LICENSE"), &vec![0; (16 << 20) + 1], Streamed);
        }),
        passes("no files at all", Streamed, |zip| *zip = Forge::empty()),
        passes("a directory of 65535 bytes", Streamed, |zip| {
            let size: usize = zip.directory.iter().map(|c| c.bytes().len()).sum();
            let rest = 65_535 - size;
            // Extra fields of their own identifier, as long as the engine takes them.
            let filler = Forge::sample(Streamed).directory.len();
            for n in 0..40 {
                zip.add(&name(&format!("filler-{n:02}")), b"", Streamed);
            }
            let fillers = &mut zip.directory[filler..];
            let mut left = rest - fillers.iter().map(|c| c.bytes().len()).sum::<usize>();
            for central in fillers {
                let len = left.min(4096);
                if len >= 4 {
                    central.extra = [b"zz".as_slice(), &(len as u16 - 4).to_le_bytes()].concat();
                    central.extra.resize(len, b'.');
                    left -= len;
                }
            }
            assert_eq!(left, 0);
            zip.lay_out();
            assert_eq!(zip.end.size, 65_535);
        }),
    ];
    all.extend(by_the_zip_crate());
    all.push(many_files());
    all
}

/// The same files by another writer, seeking and streaming.
fn by_the_zip_crate() -> [Case; 3] {
    let write = |what, writer: ZipWriter<Cursor<Vec<u8>>>, options: SimpleFileOptions| {
        let mut writer = writer;
        for entry in Forge::sample(Style::Stored).entries {
            let name = String::from_utf8(entry.local.name).unwrap();
            writer.start_file(name, options).unwrap();
            writer.write_all(&entry.data).unwrap();
        }
        Case {
            what,
            bytes: writer.finish().unwrap().into_inner(),
            expect: Expect::Pass,
        }
    };
    let options = SimpleFileOptions::default();
    let seeking = || ZipWriter::new(Cursor::new(Vec::new()));
    let deflated = options.compression_method(CompressionMethod::Deflated);
    let stored = options.compression_method(CompressionMethod::Stored);
    let streamed = {
        let mut writer = ZipWriter::new_stream(Vec::new());
        for entry in Forge::sample(Style::Stored).entries {
            let name = String::from_utf8(entry.local.name).unwrap();
            writer.start_file(name, deflated).unwrap();
            writer.write_all(&entry.data).unwrap();
        }
        Case {
            what: "by the zip crate, streamed",
            bytes: writer.finish().unwrap().into_inner(),
            expect: Expect::Pass,
        }
    };
    [
        write(
            "by the zip crate",
            seeking(),
            deflated.unix_permissions(0o644),
        ),
        write("by the zip crate, stored", seeking(), stored),
        streamed,
    ]
}

/// Enough for zip64's end records, which Go writes from 65,535 files on.
fn many_files() -> Case {
    let mut zip = Forge::empty();
    for n in 0..65_540 {
        zip.add_data(&name(&n.to_string()), b"", Vec::new(), Style::Stored);
    }
    zip.lay_out().with_zip64_end(65_540);
    Case {
        what: "65,540 files",
        bytes: zip.bytes(),
        expect: Expect::Pass,
    }
}
