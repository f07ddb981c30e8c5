//! What hashing one zip takes of memory, counted by the allocator of this program.

use std::alloc::System;

use cap::Cap;
use modgate_go::gomod::ModuleVersion;
use modgate_go::zip::ZipHasher;
use modgate_harness::forge::{Forge, MODULE, Style, VERSION, deflate, name};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// A zip of so many files, whose paths have 40 bytes, with so many bytes in each.
fn zip(files: usize, bytes: usize) -> Vec<u8> {
    let content = vec![b'x'; bytes];
    let data = deflate(&content, 6);
    let mut zip = Forge::empty();
    for n in 0..files {
        let path = format!("{n:08}/{}", "d".repeat(31));
        zip.add_data(&name(&path), &content, data.clone(), Style::Streamed);
    }
    zip.lay_out();
    zip.bytes()
}

/// The most that is allocated while the zip passes in chunks, in bytes.
fn peak(zip: &[u8]) -> usize {
    let before = ALLOCATOR.allocated();
    let mut hasher = ZipHasher::of(ModuleVersion::new(MODULE, VERSION).unwrap());
    let mut peak = 0;
    for chunk in zip.chunks(1 << 10) {
        hasher.feed(chunk).unwrap();
        peak = peak.max(ALLOCATOR.allocated() - before);
    }
    assert!(hasher.finish().is_ok());
    assert_eq!(ALLOCATOR.allocated(), before, "all of it is given back");
    peak
}

#[test]
fn a_stream_takes_130_kb_and_140_bytes_a_file_whatever_their_size() {
    let few = peak(&zip(10, 100));
    let large = peak(&zip(10, 10 << 20));
    let many = peak(&zip(20_010, 100));
    let a_file = (many - few) as f64 / 20_000.0;
    println!("{few} bytes for 10 files, {large} where each is 10 MiB, {a_file:.1} a file");
    assert!(few < 135_000, "{few}");
    assert!(large < few + 1_000, "{large}");
    assert!(a_file < 140.0, "{a_file}");
}
