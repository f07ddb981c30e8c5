//! End records that point elsewhere, and what follows them.

use modgate_go::zip::ZipFault::{
    Disk, EndComment, EndCount, EndOffset, EndSize, NoRecord, TrailingBytes, Truncated,
};
use modgate_harness::forge::{Forge, Style, name};

use crate::h1::case::{Case, Expect, streamed};

/// A zip that Go would read instead, as it stands behind `at` other bytes.
pub fn evil_zip(at: u32) -> Forge {
    let mut evil = Forge::new(&[("a.go", b"package evil\n")], Style::Deflated);
    for central in &mut evil.directory {
        central.offset += at;
    }
    evil.end.offset += at;
    evil
}

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        streamed("a line feed behind the end", TrailingBytes, |zip| {
            zip.trailing = b"\n".to_vec()
        }),
        streamed("60 KB behind the end", TrailingBytes, |zip| {
            zip.trailing = vec![0; 60 << 10]
        }),
        streamed(
            "a second end record behind the first",
            TrailingBytes,
            |zip| {
                zip.trailing = zip.end.bytes();
            },
        ),
        streamed("a second zip behind the first", TrailingBytes, |zip| {
            let len = zip.bytes().len() as u32;
            zip.trailing = evil_zip(len).bytes();
        }),
        streamed(
            "a comment with an end record of another directory",
            EndComment,
            |zip| {
                let at = zip.directory_end() + 22;
                zip.end.comment = evil_zip(at).bytes();
            },
        ),
        streamed("a comment that is not there", Truncated, |zip| {
            zip.end.comment = b"gone".to_vec();
            let end = zip.end.bytes();
            *zip = raw([zip_without_end(zip), end[..22].to_vec()].concat());
        }),
        streamed("a directory on another disk", Disk, |zip| {
            zip.end.disks = [0, 1]
        }),
        streamed("an end on another disk", Disk, |zip| zip.end.disks = [1, 0]),
        streamed("a file less in the count", EndCount, |zip| {
            zip.end.counts = [4; 2]
        }),
        streamed("a file more in the count", EndCount, |zip| {
            zip.end.counts = [6; 2]
        }),
        streamed("a file less on this disk", EndCount, |zip| {
            zip.end.counts = [4, 5]
        }),
        streamed("a count that says zip64", EndCount, |zip| {
            zip.end.counts = [u16::MAX; 2]
        }),
        streamed("a smaller directory", EndSize, |zip| zip.end.size -= 1),
        streamed("a larger directory", EndSize, |zip| zip.end.size += 1),
        streamed("a directory of no size", EndSize, |zip| zip.end.size = 0),
        streamed("a directory further on", EndOffset, |zip| {
            zip.end.offset += 1
        }),
        streamed("a directory further back", EndOffset, |zip| {
            zip.end.offset -= 1
        }),
        streamed("a directory at the beginning", EndOffset, |zip| {
            zip.end.offset = 0
        }),
        streamed("an offset that says zip64", EndOffset, |zip| {
            zip.end.offset = u32::MAX
        }),
        streamed("another directory in an extra field", EndOffset, |zip| {
            // Go takes the offset as it is where it finds a listing there, and then reads as many
            // as there are.
            let evil = evil_zip(zip.offsets()[4] + 30 + zip.entries[4].local.name.len() as u32);
            let entry = evil.entries[0].bytes();
            let at = evil.directory[0].offset + entry.len() as u32;
            zip.entries[4].local.extra = [entry, five_listings(&evil)].concat();
            zip.lay_out();
            zip.end.offset = at;
        }),
        streamed("no end record", Truncated, |zip| {
            *zip = raw(zip_without_end(zip))
        }),
        streamed("half an end record", Truncated, |zip| {
            let bytes = zip.bytes();
            *zip = raw(bytes[..bytes.len() - 11].to_vec());
        }),
        streamed("no directory", Truncated, |zip| {
            let bytes = zip.bytes();
            *zip = raw(bytes[..zip.directory_at() as usize].to_vec());
        }),
        streamed("nothing", Truncated, |zip| *zip = raw(Vec::new())),
        streamed("a page of HTML", NoRecord, |zip| {
            *zip = raw(b"<html>404</html>".to_vec())
        }),
        streamed("a tar file", NoRecord, |zip| *zip = raw(vec![0; 1024])),
        streamed("the directory alone", NoRecord, |zip| {
            *zip = raw(zip.end.bytes()[4..].to_vec())
        }),
    ];
    all.push(only_an_end_record());
    all
}

/// Five times the one file under different names, so that the count is the honest one.
fn five_listings(evil: &Forge) -> Vec<u8> {
    ["a.go", "b.go", "c.go", "d.go", "e.go"]
        .into_iter()
        .flat_map(|path| {
            let mut listing = evil.directory[0].clone();
            listing.name = name(path);
            listing.bytes()
        })
        .collect()
}

/// Bytes as they are: the end record stays behind, cut off by whoever calls this.
fn raw(bytes: Vec<u8>) -> Forge {
    let mut zip = Forge::empty();
    zip.raw = Some(bytes);
    zip
}

fn zip_without_end(zip: &Forge) -> Vec<u8> {
    let bytes = zip.bytes();
    bytes[..bytes.len() - zip.end.bytes().len()].to_vec()
}

/// Data descriptors and directories may be missing, but then there must be no files.
fn only_an_end_record() -> Case {
    let mut zip = Forge::empty();
    zip.end.counts = [1; 2];
    Case {
        what: "an end record that counts a file where there is none",
        bytes: zip.bytes(),
        expect: Expect::Refuse(EndCount),
    }
}
