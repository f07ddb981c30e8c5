//! Forged zips, each judged by Go as well.

use std::collections::BTreeMap;

use modgate_go::gomod::ModuleVersion;
use modgate_go::zip::limits::MAX_ZIP_BYTES;
use modgate_go::zip::{ZipFault, ZipHasher, ZipSummary};
use modgate_harness::dirhash::{Dirhash, GoVerdict};
use modgate_harness::forge::{Forge, MODULE, Style, VERSION, name};

use crate::h1::case::{Expect, forged_module, hash};
use crate::h1::cases;

/// What a refused zip is to Go.
fn to_go(evaluated: &GoVerdict, honest: &str) -> &'static str {
    match (&evaluated.h1, &evaluated.check) {
        (Err(_), _) => "Go cannot read it",
        (Ok(h1), Ok(())) if h1 == honest => "Go computes the sample's hash",
        (Ok(_), Ok(())) => "Go computes another hash",
        (Ok(_), Err(_)) => "Go refuses it after hashing",
    }
}

#[test]
fn a_forged_zip_is_refused_for_its_reason_and_an_odd_one_has_gos_hash() {
    let cases = &*cases::ALL;
    let mut go = Dirhash::start();
    let honest = go.zip(&Forge::sample(Style::Streamed).bytes(), MODULE, VERSION);
    let honest = honest.h1.unwrap();
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for case in cases {
        let what = case.what;
        let ours = hash(&forged_module(), &case.bytes);
        let evaluated = go.zip(&case.bytes, MODULE, VERSION);
        match (ours, case.expect) {
            (Ok(ZipSummary { h1, .. }), Expect::Pass) => {
                assert_eq!(evaluated.h1, Ok(h1.to_string()), "{what}");
                assert_eq!(evaluated.check, Ok(()), "{what}");
                *kinds.entry("taken, with Go's hash").or_default() += 1;
            }
            (Ok(_), Expect::Refuse(fault)) => {
                panic!("{what}: taken, though {fault}; Go says {evaluated:?}")
            }
            (Err(error), Expect::Pass) => panic!("{what}: refused {error}; Go says {evaluated:?}"),
            (Err(error), Expect::Refuse(fault)) => {
                assert_eq!(error.fault, fault, "{what}: {error}");
                let outcome = to_go(&evaluated, &honest);
                println!("{what}: {error}; {outcome}");
                *kinds.entry(outcome).or_default() += 1;
            }
        }
    }
    println!("{} zips: {kinds:?}", cases.len());
    // What Go forgives, and what it would read otherwise: without both there was no test.
    assert!(kinds["Go computes another hash"] >= 10, "{kinds:?}");
    assert!(kinds["Go computes the sample's hash"] >= 20, "{kinds:?}");
}

#[test]
fn no_two_cases_are_one() {
    let cases = &*cases::ALL;
    let names: std::collections::HashSet<_> = cases.iter().map(|case| case.what).collect();
    assert_eq!(names.len(), cases.len());
    let mut zips = std::collections::HashMap::new();
    for case in cases {
        if let Some(other) = zips.insert(&case.bytes, case.what) {
            panic!("{} and {other} are one zip", case.what);
        }
    }
    let refused = cases.iter().filter(|case| case.expect != Expect::Pass);
    assert!(refused.count() >= 60);
}

/// Not among the cases, since it is as large as its limit.
#[test]
fn a_zip_over_gos_limit_is_refused_at_the_limit() {
    let size = u32::try_from(MAX_ZIP_BYTES).unwrap();
    let mut forge = Forge::empty();
    forge.add_data(&name("a.bin"), b"", Vec::new(), Style::Stored);
    let sizes = &mut forge.entries[0].local.sizes;
    (sizes.compressed, sizes.content) = (size, size);
    let header = forge.entries[0].bytes();
    let mut hasher = ZipHasher::of(forged_module());
    hasher.feed(&header).unwrap();
    let zeros = vec![0; 1 << 20];
    let mut fed = header.len() as u64;
    let error = loop {
        match hasher.feed(&zeros) {
            Ok(()) => fed += zeros.len() as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.offset, error.fault),
        (MAX_ZIP_BYTES, ZipFault::ZipTooLarge)
    );
    assert!(fed > MAX_ZIP_BYTES - (1 << 20) && fed <= MAX_ZIP_BYTES);
    assert_eq!(hasher.finish(), Err(error));
}

#[test]
fn without_a_module_given_the_first_file_tells_it() {
    let bytes = Forge::sample(Style::Streamed).bytes();
    let mut hasher = ZipHasher::of_any_module();
    hasher.feed(&bytes).unwrap();
    let summary = hasher.finish().unwrap();
    assert_eq!(Ok(&summary), hash(&forged_module(), &bytes).as_ref());
    assert_eq!(summary.module, Some(forged_module()));

    let other = ModuleVersion::new(MODULE, "v1.0.1").unwrap();
    let error = hash(&other, &bytes).unwrap_err();
    assert_eq!((error.offset, error.fault), (30, ZipFault::OtherModule));

    for name in [
        "a.go",
        "example.com/m/a.go",
        "example.com/m@v1/a.go",
        "m@v1.0.0/a.go",
    ] {
        let mut zip = Forge::empty();
        zip.add(name.as_bytes(), b"", Style::Stored);
        let error = ZipHasher::of_any_module().feed(&zip.bytes()).unwrap_err();
        assert_eq!(
            (error.offset, error.fault),
            (30, ZipFault::NoModule),
            "{name}"
        );
    }

    // And the next must be of the same one.
    let mut zip = Forge::sample(Style::Streamed);
    zip.add(b"example.com/m@v1.0.1/x.go", b"", Style::Stored);
    let error = ZipHasher::of_any_module().feed(&zip.bytes()).unwrap_err();
    assert_eq!(error.fault, ZipFault::OtherModule);
}
