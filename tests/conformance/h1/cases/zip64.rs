//! Zip64's end records that lead elsewhere, or are missing.

use modgate_go::zip::ZipFault;
use modgate_go::zip::ZipFault::{NoRecord, NoZip64End, Zip64, Zip64End};
use modgate_harness::forge::{Central, Forge, Style, name, zip64_end};

use crate::h1::case::{Case, Expect, streamed};

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        streamed(
            "zip64's end records of another directory",
            Zip64End,
            |zip| {
                let (at, evil) = with_hidden_directory(zip);
                zip.with_zip64_end(1);
                zip.before_end = zip64_end(1, evil, at);
            },
        ),
        streamed("zip64's locator alone", NoRecord, |zip| {
            let (at, _) = with_hidden_directory(zip);
            zip.with_zip64_end(1);
            zip.before_end = zip.before_end.split_off(56);
            zip.before_end[8..16].copy_from_slice(&at.to_le_bytes());
        }),
        streamed(
            "a locator at the end of a directory of 65535 bytes",
            Zip64,
            |zip| {
                locator_in_directory(zip);
            },
        ),
    ];
    all.extend([
        many("a count that has wrapped", NoZip64End, |zip| {
            zip.end.counts = [5; 2];
        }),
        many("a count of 65535 for more", NoZip64End, |zip| {
            zip.end.counts = [u16::MAX; 2];
        }),
        many("a zip64 count that differs", Zip64End, |zip| {
            zip.with_zip64_end(5);
        }),
        many("a zip64 end record with data of its own", Zip64End, |zip| {
            zip.with_zip64_end(65_541);
            zip.before_end[4] += 8;
            zip.before_end.splice(56..56, *b"hidden!!");
        }),
    ]);
    all
}

/// So many files that zip64's end records are needed, which change adds, or does not.
fn many(what: &'static str, fault: ZipFault, change: impl FnOnce(&mut Forge)) -> Case {
    let mut zip = Forge::empty();
    for n in 0..65_541 {
        zip.add_data(&name(&n.to_string()), b"", Vec::new(), Style::Stored);
    }
    zip.lay_out();
    change(&mut zip);
    Case {
        what,
        bytes: zip.bytes(),
        expect: Expect::Refuse(fault),
    }
}

/// Hides a directory of one evil file in an extra field: where it is, and how large.
fn with_hidden_directory(zip: &mut Forge) -> (u64, u64) {
    let at = zip.offsets()[4] + 30 + zip.entries[4].local.name.len() as u32;
    let evil = super::ends::evil_zip(at);
    let entry = evil.entries[0].bytes();
    let directory: Vec<u8> = evil.directory.iter().flat_map(Central::bytes).collect();
    let found = (u64::from(at) + entry.len() as u64, directory.len() as u64);
    zip.entries[4].local.extra = [entry, directory].concat();
    zip.lay_out();
    found
}

/// Where the directory has just 65,535 bytes Go looks for a zip64 locator before the end record,
/// though no field says zip64: here it finds one, and behind it a whole other directory.
fn locator_in_directory(zip: &mut Forge) {
    let (at, size) = with_hidden_directory(zip);
    let end64 = &zip64_end(1, size, at)[..56];
    zip.entries[0].local.extra = end64.to_vec();
    zip.lay_out();
    let shift = end64.len() as u64;
    let end64 = zip64_end(1, size, at + shift)[..56].to_vec();
    zip.entries[0].local.extra = end64;
    let end64_at = u64::from(zip.offsets()[0]) + 30 + zip.entries[0].local.name.len() as u64;
    let moved = super::ends::evil_zip((at + shift) as u32 - hidden_entry_len());
    let entry = moved.entries[0].bytes();
    let directory: Vec<u8> = moved.directory.iter().flat_map(Central::bytes).collect();
    zip.entries[4].local.extra = [entry, directory].concat();

    for n in 0..40 {
        zip.add(&name(&format!("filler-{n:02}")), b"", Style::Streamed);
    }
    let used: usize = zip.directory.iter().map(|c| c.bytes().len()).sum();
    let mut left = 65_535 - used - 24;
    for central in zip.directory.iter_mut().take(44) {
        let len = left.min(4_000);
        if len >= 4 {
            central.extra = [b"zz".as_slice(), &(len as u16 - 4).to_le_bytes()].concat();
            central.extra.resize(len, b'.');
            left -= len;
        }
    }
    let mut locator = b"zz\x14\x00PK\x06\x07\0\0\0\0".to_vec();
    locator.extend(end64_at.to_le_bytes());
    locator.extend(1_u32.to_le_bytes());
    zip.directory.last_mut().unwrap().extra = locator;
    zip.lay_out();
    assert_eq!((left, zip.end.size), (0, 65_535));
}

fn hidden_entry_len() -> u32 {
    super::ends::evil_zip(0).entries[0].bytes().len() as u32
}
