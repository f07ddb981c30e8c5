//! Data and descriptors that lie.

use modgate_go::zip::ZipFault::{CompressedSize, Crc, Deflate, NoDescriptor, NoRecord, Size};
use modgate_harness::forge::{Forge, Style, deflate, name};

use crate::h1::case::{Case, deflated, stored, streamed};

/// Puts data in place of a file's, and sizes that fit it where there is no descriptor.
fn put(zip: &mut Forge, data: Vec<u8>) {
    let len = data.len() as u32;
    zip.entries[1].data = data;
    zip.entries[1].local.sizes.compressed = len;
    zip.directory[1].sizes.compressed = len;
    zip.lay_out();
}

pub fn cases() -> Vec<Case> {
    vec![
        deflated("slack behind deflated data", CompressedSize, |zip| {
            let data = [zip.entries[1].data.as_slice(), b"slack"].concat();
            put(zip, data);
        }),
        streamed("slack between data and descriptor", NoDescriptor, |zip| {
            zip.entries[1].data.extend(b"slack");
            zip.directory[1].sizes.compressed += 5;
            zip.lay_out();
        }),
        deflated(
            "an entry hidden in the slack behind deflated data",
            CompressedSize,
            |zip| {
                let evil = Forge::new(&[("a.go", b"package evil\n")], Style::Deflated);
                let data = [zip.entries[1].data.clone(), evil.entries[0].bytes()].concat();
                put(zip, data);
            },
        ),
        deflated(
            "a second deflate stream behind the first",
            CompressedSize,
            |zip| {
                let data = [zip.entries[1].data.clone(), deflate(b"more", 6)].concat();
                put(zip, data);
            },
        ),
        deflated("deflated data cut short", CompressedSize, |zip| {
            let mut data = zip.entries[1].data.clone();
            data.pop();
            put(zip, data);
        }),
        deflated(
            "deflated data without its last block",
            CompressedSize,
            |zip| {
                put(zip, b"\x00\x01\x00\xfe\xffx".to_vec());
            },
        ),
        deflated("a block of no known type", Deflate, |zip| {
            put(zip, vec![0x07])
        }),
        deflated("a match before the beginning", Deflate, |zip| {
            put(zip, vec![0x03, 0x02, 0x00])
        }),
        deflated("a stored block whose lengths disagree", Deflate, |zip| {
            put(zip, b"\x01\x01\x00\xff\xffx".to_vec());
        }),
        deflated("no deflated data at all", CompressedSize, |zip| {
            put(zip, Vec::new())
        }),
        deflated("other content of the same size", Crc, |zip| {
            let content = zip.directory[1].sizes.content as usize;
            put(zip, deflate(&vec![b'z'; content], 6));
        }),
        deflated("other content, and no CRC in the directory", Crc, |zip| {
            let content = zip.directory[1].sizes.content as usize;
            put(zip, deflate(&vec![b'z'; content], 6));
            zip.directory[1].sizes.crc = 0;
        }),
        stored("other stored content", Crc, |zip| {
            zip.entries[1].data[0] ^= 1
        }),
        streamed("no descriptor", NoDescriptor, |zip| {
            zip.entries[1].descriptor.clear();
            zip.lay_out();
        }),
        streamed("a descriptor without its signature", NoDescriptor, |zip| {
            zip.entries[1].descriptor.drain(..4);
            zip.lay_out();
        }),
        streamed("a descriptor with 64-bit sizes", Size, |zip| {
            let sizes = zip.directory[1].sizes;
            let mut descriptor = [b"PK\x07\x08".as_slice(), &sizes.crc.to_le_bytes()].concat();
            descriptor.extend(u64::from(sizes.compressed).to_le_bytes());
            descriptor.extend(u64::from(sizes.content).to_le_bytes());
            zip.entries[1].descriptor = descriptor;
            zip.lay_out();
        }),
        streamed("a descriptor with another CRC", Crc, |zip| {
            zip.entries[1].descriptor[4] ^= 1
        }),
        streamed(
            "a descriptor and a directory with another CRC",
            Crc,
            |zip| {
                zip.entries[1].descriptor[4] ^= 1;
                zip.directory[1].sizes.crc ^= 1;
            },
        ),
        streamed(
            "a descriptor with another compressed size",
            CompressedSize,
            |zip| {
                zip.entries[1].descriptor[8] ^= 1;
            },
        ),
        streamed("a descriptor with another size", Size, |zip| {
            zip.entries[1].descriptor[12] ^= 1;
        }),
        streamed("two descriptors", NoRecord, |zip| {
            let twice = zip.entries[1].descriptor.repeat(2);
            zip.entries[1].descriptor = twice;
            zip.lay_out();
        }),
        deflated("a descriptor that no flag announces", NoRecord, |zip| {
            zip.entries[1].descriptor = zip.directory[1].sizes.descriptor();
            zip.lay_out();
        }),
        stored("a stored file with a byte too many", NoRecord, |zip| {
            zip.entries[1].data.push(b'x');
            zip.lay_out();
        }),
        streamed("another file's data", NoDescriptor, |zip| {
            let data = zip.entries[2].data.clone();
            zip.add_data(&name("x"), b"", [data, vec![0]].concat(), Style::Streamed);
            zip.lay_out();
        }),
    ]
}
