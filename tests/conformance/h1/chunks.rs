//! However a zip is cut into chunks, the verdict is the same, the error's offset included.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::h1::case::{Case, forged_module, hash_chunks};
use crate::h1::cases;

/// Those that are hashed quickly, of which there are enough.
static SMALL: LazyLock<Vec<&Case>> = LazyLock::new(|| {
    let all = cases::ALL.iter();
    all.filter(|case| case.bytes.len() < 100_000).collect()
});

/// The bytes between these places.
fn cut(bytes: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

#[test]
fn a_byte_at_a_time_gives_the_verdict_on_the_whole() {
    for case in SMALL.iter() {
        let module = forged_module();
        let whole = hash_chunks(&module, [case.bytes.as_slice()]);
        let bytes = hash_chunks(&module, case.bytes.chunks(1));
        assert_eq!(whole, bytes, "{}", case.what);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_cut_gives_the_verdict_on_the_whole(
        which in any::<prop::sample::Index>(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let case = which.get(&SMALL);
        let module = forged_module();
        let whole = hash_chunks(&module, [case.bytes.as_slice()]);
        let places: Vec<_> = places.iter().map(|at| at.index(case.bytes.len() + 1)).collect();
        let parts = hash_chunks(&module, cut(&case.bytes, places.clone()));
        prop_assert_eq!(whole, parts, "{} cut at {:?}", case.what, places);
    }
}
