//! Characters and file names as Go knows them.

use fastrand::Rng;
use modgate_go::gomod::{check_file_path, fold_case};
use modgate_harness::dirhash::Dirhash;
use modgate_harness::seed::seed;

const NAMES: &[&str] = &[
    "go.mod",
    ".github/workflows/test.yml",
    "testdata/a b (1) [x] {y}~.txt",
    "con.txt/aux",
    "docs/日本語/é.md",
    "prog~1.txt",
    "a@b!c#d$e%f&g+h,i=j^k",
];
const ALPHABET: &str =
    "//..--__~~@%+v09azAZC *?[]^\\;:&='(),#$\"<>|{}`\u{7f}\0\té世Ⓐ\u{301}\u{2160}ªǅ\u{10ffff}";

fn contains(ranges: &[(u32, u32)], c: char) -> bool {
    let c = u32::from(c);
    let behind = ranges.partition_point(|(first, _)| *first <= c);
    behind > 0 && ranges[behind - 1].1 >= c
}

/// Versions of Unicode differ in which characters there are, and in nothing else that matters here:
/// what only the newer of the two knows is left out.
#[test]
fn every_character_is_a_letter_and_folds_as_in_go() {
    let runes = Dirhash::start().runes();
    let folds: std::collections::HashMap<u32, u32> = runes.folds.iter().copied().collect();
    let in_go = |c: char| char::from_u32(*folds.get(&u32::from(c)).unwrap_or(&u32::from(c)));
    let (mut letters, mut folded) = (0, 0);
    for c in ('\u{80}'..=char::MAX).filter(|c| contains(&runes.assigned, *c)) {
        let letter = contains(&runes.letters, c);
        let ours = check_file_path(&c.to_string()).is_ok();
        assert_eq!(ours, letter, "{c:?} U+{:04X} is a letter", u32::from(c));
        letters += u32::from(letter);

        let least = in_go(c).unwrap();
        folded += u32::from(least != c);
        let same = fold_case(c) == fold_case(least);
        assert!(same, "{c:?} U+{:04X} folds as {least:?}", u32::from(c));
        // And to nothing else: what it stands for has the same fold in Go.
        let stands_for = fold_case(c);
        assert!(
            in_go(stands_for) == Some(least) || !contains(&runes.assigned, stands_for),
            "{c:?} U+{:04X} folds to {stands_for:?}",
            u32::from(c)
        );
    }
    assert!(letters > 100_000 && folded > 1_000, "{letters} {folded}");
}

#[test]
fn the_engine_and_x_mod_take_the_same_file_names() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let names: Vec<String> = (0..60_000)
        .map(|_| {
            let mut name: Vec<char> = NAMES[rng.usize(..NAMES.len())].chars().collect();
            for _ in 0..rng.usize(..3) {
                let at = rng.usize(..=name.len());
                match rng.u8(..3) {
                    0 if at < name.len() => drop(name.remove(at)),
                    1 if at < name.len() => name[at] = alphabet[rng.usize(..alphabet.len())],
                    _ => name.insert(at, alphabet[rng.usize(..alphabet.len())]),
                }
            }
            name.into_iter().collect()
        })
        .collect();
    let evaluated = Dirhash::start().file_names(&names);
    assert_eq!(evaluated.len(), names.len());
    for (name, go) in names.iter().zip(&evaluated) {
        assert_eq!(check_file_path(name).is_ok(), *go, "{name:?} (seed {seed})");
    }
    let taken = evaluated.iter().filter(|ok| **ok).count();
    assert!(taken > 1_000 && names.len() - taken > 1_000, "{taken}");
}
