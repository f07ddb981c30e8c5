//! Zips that are small and inflate to more than Go takes, or have more files than are remembered.

use modgate_go::zip::ZipFault::{
    ContentTooLarge, GoModTooLarge, LicenseTooLarge, Size, TooManyFiles,
};
use modgate_harness::forge::{Forge, Style, crc32, deflate, name};

use crate::h1::case::{Case, streamed};

const MIB: usize = 1 << 20;

pub fn cases() -> Vec<Case> {
    let part = vec![0; 64 * MIB];
    let (data, crc) = (deflate(&part, 6), crc32(&part));
    // Deflating and summing the same zeros once is enough.
    let add_zeros = |zip: &mut Forge, path: &str| {
        zip.add_data(&name(path), b"", data.clone(), Style::Streamed);
        let sizes = &mut zip.directory.last_mut().unwrap().sizes;
        (sizes.crc, sizes.content) = (crc, part.len() as u32);
        let descriptor = sizes.descriptor();
        zip.entries.last_mut().unwrap().descriptor = descriptor;
        zip.lay_out();
    };
    vec![
        streamed(
            "files that inflate to 512 MiB together",
            ContentTooLarge,
            |zip| {
                for n in 0..8 {
                    add_zeros(zip, &format!("zeros-{n}"));
                }
            },
        ),
        streamed("a go.mod of 64 MiB", GoModTooLarge, |zip| {
            *zip = Forge::empty();
            add_zeros(zip, "go.mod");
        }),
        streamed("a LICENSE of 64 MiB", LicenseTooLarge, |zip| {
            *zip = Forge::empty();
            add_zeros(zip, "LICENSE");
        }),
        streamed("a go.mod one byte too large", GoModTooLarge, |zip| {
            *zip = Forge::new(&[("go.mod", &part[..16 * MIB + 1])], Style::Streamed);
        }),
        streamed("a file that inflates to more than it says", Size, |zip| {
            add_zeros(zip, "zeros");
            let entry = zip.entries.last_mut().unwrap();
            entry.local.sizes = zip.directory.last().unwrap().sizes;
            entry.local.sizes.content = 1000;
        }),
        streamed("more files than are remembered", TooManyFiles, |zip| {
            *zip = Forge::empty();
            for n in 0..4_200 {
                let path = format!("{n}/{}", "d".repeat(4_000));
                zip.add_data(&name(&path), b"", Vec::new(), Style::Stored);
            }
            zip.lay_out();
        }),
    ]
}
