//! The same four files zipped by Info-ZIP 3.0, Python 3, `git archive` and `jar`, each in the ways that
//! it has (`tests/zips`).

use fastrand::Rng;
use modgate_go::zip::ZipFault;
use modgate_harness::dirhash::Dirhash;
use modgate_harness::forge::{MODULE, VERSION};
use modgate_harness::seed::seed;
use modgate_harness::tools::root;

use crate::h1::case::{forged_module, hash};
use crate::h1::cases::foreign;

/// The one that cannot be read as it streams: stored, with the sizes behind the data.
const ENDLESS: &str = "python-streamed-stored.zip";

fn zips() -> Vec<(String, Vec<u8>)> {
    let folder = root().join("tests/zips");
    let mut zips: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect();
    zips.sort();
    zips
}

#[test]
fn what_other_tools_zip_has_gos_hash() {
    let mut go = Dirhash::start();
    let zips = zips();
    assert!(zips.len() >= 18);
    for (name, bytes) in zips {
        let evaluated = go.zip(&bytes, MODULE, VERSION);
        let h1 = evaluated.h1.unwrap();
        assert_eq!(evaluated.check, Ok(()), "{name}");
        match hash(&forged_module(), &bytes) {
            Ok(summary) => assert_eq!(summary.h1.to_string(), h1, "{name}"),
            Err(error) if name == ENDLESS => {
                assert_eq!(error.fault, ZipFault::StoredWithDescriptor);
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

/// How often each zip is changed in some places.
const CHANGES: usize = 250;

#[test]
fn what_is_changed_in_them_is_refused_or_means_nothing_to_go() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut go = Dirhash::start();
    let mut zips = zips();
    zips.retain(|(name, _)| name != ENDLESS);
    let odd = foreign::cases();
    let small = odd.iter().filter(|case| case.bytes.len() < 200_000);
    zips.extend(small.map(|case| (case.what.to_owned(), case.bytes.clone())));
    let (mut refused, mut taken) = (0, 0);
    for (name, original) in zips {
        for _ in 0..CHANGES {
            let bytes = changed(&original, &mut rng);
            let Ok(summary) = hash(&forged_module(), &bytes) else {
                refused += 1;
                continue;
            };
            taken += 1;
            let evaluated = go.zip(&bytes, MODULE, VERSION);
            assert_eq!(
                evaluated.h1,
                Ok(summary.h1.to_string()),
                "{name} (seed {seed})"
            );
            assert_eq!(evaluated.check, Ok(()), "{name} (seed {seed})");
        }
    }
    println!("{refused} changes refused, {taken} mean nothing to Go");
    assert!(taken > 250 && refused > 5_000, "{taken} {refused}");
}

/// A byte, a field or a whole record of the zip with something else in it, or somewhere else.
fn changed(original: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..rng.usize(1..3) {
        // Most of what matters stands at the end, whatever the files' size.
        let from = if rng.bool() {
            bytes.len().saturating_sub(1_200)
        } else {
            0
        };
        let at = rng.usize(from..bytes.len());
        let len = bytes.len() as u64;
        match rng.u8(..6) {
            0 => bytes[at] ^= rng.u8(1..),
            1 => set(&mut bytes, at, &[0xff; 4]),
            2 => set(&mut bytes, at, &[0xff; 2]),
            3 => set(&mut bytes, at, &rng.u64(..len).to_le_bytes()[..4]),
            4 => {
                let signature = rng.choice([
                    b"PK\x05\x06",
                    b"PK\x06\x07",
                    b"PK\x06\x06",
                    b"PK\x01\x02",
                    b"PK\x03\x04",
                    b"PK\x07\x08",
                ]);
                set(&mut bytes, at, signature.unwrap());
            }
            _ => {
                // A piece of the zip once more.
                let to = bytes.len().min(at + rng.usize(1..80));
                let piece = bytes[at..to].to_vec();
                let place = rng.usize(..=bytes.len());
                bytes.splice(place..place, piece);
            }
        }
    }
    bytes
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in bytes[at..].iter_mut().zip(value) {
        *to = *from;
    }
}
