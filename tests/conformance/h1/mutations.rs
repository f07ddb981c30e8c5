//! Real zips with a byte changed, or cut short.

use fastrand::Rng;
use modgate_go::gomod::ModuleVersion;
use modgate_harness::dirhash::Dirhash;
use modgate_harness::module_zips::real_module_zips;
use modgate_harness::seed::seed;

use crate::h1::case::hash;

const FLIPS: usize = 2_000;
const CUTS: usize = 500;
/// Small ones, so that each is tried often: an average zip of Go's, one with thousands of tiny
/// files, and one with few large ones.
const MODULES: [&str; 3] = [
    "github.com/pkg/errors",
    "github.com/unrolled/secure",
    "github.com/klauspost/crc32",
];

#[test]
fn a_changed_byte_is_refused_or_means_nothing_to_go() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut go = Dirhash::start();
    let zips = real_module_zips();
    for path in MODULES {
        let zip = zips.iter().find(|zip| zip.path == path).unwrap();
        let module = ModuleVersion::new(&zip.path, &zip.version).unwrap();
        let original = std::fs::read(&zip.zip).unwrap();
        let (mut refused, mut taken) = (0, 0);
        for _ in 0..FLIPS {
            let (at, bits) = (rng.usize(..original.len()), rng.u8(1..));
            let mut bytes = original.clone();
            bytes[at] ^= bits;
            let Ok(summary) = hash(&module, &bytes) else {
                refused += 1;
                continue;
            };
            taken += 1;
            let evaluated = go.zip(&bytes, &zip.path, &zip.version);
            let what = format!("{path}: byte {at} xor {bits:#04x} (seed {seed})");
            assert_eq!(evaluated.h1, Ok(summary.h1.to_string()), "{what}");
            assert_eq!(evaluated.h1, Ok(zip.sum.clone()), "{what}");
            assert_eq!(evaluated.check, Ok(()), "{what}");
        }
        for _ in 0..CUTS {
            let len = rng.usize(..original.len());
            let cut = hash(&module, &original[..len]);
            assert!(cut.is_err(), "{path}: cut at {len} (seed {seed})");
        }
        println!("{path}: {refused} flips refused, {taken} mean nothing; {CUTS} cuts refused");
        // Time stamps and versions are among the bytes that mean nothing.
        assert!(taken > 0 && refused > FLIPS / 2, "{path} (seed {seed})");
    }
}
