//! Lookups: what is proved, what is refused, what says nothing.

use super::testing::{LATEST, PUBLIC_KEY, Said, Signer, Tree, ask, leaf, public, text_of};
use super::tlog::Head;
use super::*;
use crate::gomod::{Artifact, GoSum, ModuleVersion};

const SUMS: &str = "corp.example/Lib v1.0.0 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=
corp.example/Lib v1.0.0/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=
";
const FORGED: &str = "corp.example/Lib v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
corp.example/Lib v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
";

fn module() -> ModuleVersion {
    ModuleVersion::new("corp.example/Lib", "v1.0.0").unwrap()
}

/// A database with one record that anybody asks for.
struct Database {
    signer: Signer,
    tree: Tree,
    id: u64,
    text: String,
}

impl Database {
    /// With so many records, of which one is this text.
    fn new(size: u64, id: u64, text: &str) -> Self {
        let mut leaves: Vec<Hash> = (0..size).map(leaf).collect();
        leaves[id as usize] = record_hash(text.as_bytes());
        Self {
            signer: Signer::new("sum.corp.example", 7),
            tree: Tree::new(leaves),
            id,
            text: text.to_owned(),
        }
    }

    fn head(&self) -> Head {
        self.tree.head(self.tree.size())
    }

    fn note(&self, size: u64) -> String {
        self.signer.note(self.tree.head(size))
    }

    fn record(&self) -> String {
        format!(
            "{}\n{}\n{}",
            self.id,
            self.text,
            self.note(self.tree.size())
        )
    }

    fn says(&self, question: Question) -> Said {
        match question {
            Question::Record => said(self.record()),
            Question::Tile { place, width } => match self.tree.tile(place, width) {
                Some(tile) => (Some(200), Some(tile)),
                None => (Some(404), Some(b"not found".to_vec())),
            },
        }
    }

    fn key(&self) -> &VerifierKey {
        self.signer.key()
    }

    /// What somebody is told who comes for the first time.
    fn answers(&self, database: impl Fn(Question) -> Said) -> Answer {
        self.answers_after(&mut Vec::new(), database)
    }

    /// What somebody is told who has seen this head.
    fn answers_after(&self, kept: &mut Vec<u8>, database: impl Fn(Question) -> Said) -> Answer {
        let mut memory = Memory::default();
        let (answer, requested) = ask(self.key(), &mut memory, kept, &module(), |question, _| {
            database(question)
        });
        assert!(requested.len() <= 50, "{}", requested.len());
        if !matches!(answer, Answer::Proven(_)) {
            assert_eq!(memory.recall(&module()), None);
        }
        answer
    }
}

fn said(body: impl Into<Vec<u8>>) -> Said {
    (Some(200), Some(body.into()))
}

#[track_caller]
fn assert_refused(answer: &Answer, why: &str) {
    match answer {
        Answer::Refused(reason) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?} is no refusal"),
    }
}

#[track_caller]
fn assert_proven(answer: &Answer) {
    let expected = GoSum::parse(SUMS).unwrap();
    let hash = |artifact| expected.get(&module(), artifact).unwrap();
    assert_eq!(
        *answer,
        Answer::Proven(Sums {
            zip: hash(Artifact::Zip),
            go_mod: hash(Artifact::GoMod),
        })
    );
}

#[test]
fn the_public_database_is_verified_and_queried_once() {
    let key = PUBLIC_KEY.parse().unwrap();
    let database = |_, path: &str| match public(path) {
        Some(body) => said(body),
        None => (Some(404), None),
    };
    let mut memory = Memory::default();
    let mut kept = Vec::new();
    let xmod = ModuleVersion::new("golang.org/x/mod", "v0.30.0").unwrap();
    let (answer, requested) = ask(&key, &mut memory, &mut kept, &xmod, database);
    let Answer::Proven(sums) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        sums.zip.to_string(),
        "h1:fDEXFVZ/fmCKProc/yAXXUijritrDzahmwwefnjoPFk="
    );
    assert_eq!(requested.len(), 8, "{requested:?}");
    assert_eq!(kept, LATEST);
    assert_eq!(memory.recall(&xmod), Some(sums));
    // An earlier and smaller tree is a part of it, which more tiles show.
    let athens = ModuleVersion::new("github.com/gomods/athens", "v0.18.0").unwrap();
    let (answer, requested) = ask(&key, &mut memory, &mut kept, &athens, database);
    assert!(matches!(answer, Answer::Proven(_)), "{answer:?}");
    assert_eq!(requested.len(), 5, "{requested:?}");
    assert_eq!(kept, LATEST);
    // In the other order the tree has grown. Everything that was read is read no more.
    let mut kept = Vec::new();
    let note = Record::parse(public("/lookup/github.com/gomods/athens@v0.18.0").unwrap());
    kept.extend_from_slice(note.unwrap().note);
    let (answer, requested) = ask(&key, &mut memory, &mut kept, &xmod, database);
    assert!(matches!(answer, Answer::Proven(_)), "{answer:?}");
    assert_eq!(requested, ["/lookup/golang.org/x/mod@v0.30.0"]);
    assert_eq!(kept, LATEST);
}

#[test]
fn records_in_trees_of_all_sizes_are_proved() {
    for (size, id) in [
        (1, 0),
        (2, 1),
        (255, 3),
        (256, 255),
        (257, 256),
        (1000, 300),
        (66_000, 65_999),
        (66_000, 0),
    ] {
        let database = Database::new(size, id, SUMS);
        let mut kept = Vec::new();
        assert_proven(&database.answers_after(&mut kept, |question| database.says(question)));
        assert_eq!(kept, database.note(size).into_bytes());
        // The tree may have been smaller, or larger.
        for before in [1, size / 2 + 1, size] {
            let mut kept = database.note(before).into_bytes();
            assert_proven(&database.answers_after(&mut kept, |question| database.says(question)));
            assert_eq!(kept, database.note(size).into_bytes());
        }
    }
}

#[test]
fn a_path_is_requested_with_its_case_escaped() {
    let lookup = Lookup::new(module(), Vec::new());
    assert_eq!(
        lookup.path(Question::Record),
        "/lookup/corp.example/%21lib@v1.0.0"
    );
}

#[test]
fn no_signature_but_a_good_one_of_the_known_key_counts() {
    let database = Database::new(300, 5, SUMS);
    let other = Signer::new("sum.corp.example", 8);
    let head = text_of(database.head());
    let answer = |note: String| {
        let body = format!("5\n{SUMS}\n{note}");
        database.answers(|question| match question {
            Question::Record => said(body.clone()),
            _ => database.says(question),
        })
    };
    let signed = database.signer.sign(&head);
    assert_proven(&answer(signed.clone()));
    assert_proven(&answer(format!("{signed}{}", other.line(&head))));
    let forged = database.signer.line(&head.replace("300", "301"));
    assert_refused(&answer(format!("{head}\n{forged}")), "signature");
    assert_refused(&answer(other.sign(&head)), "not signed by the key");
    assert_refused(&answer(head.clone()), "not a valid signed note");
    assert_refused(&answer(String::new()), "not a valid signed note");
    assert_refused(&answer(format!("\n{signed}")), "signature");
    assert_refused(
        &answer(signed.replace('\n', "\r\n")),
        "not a valid signed note",
    );
    assert_refused(
        &answer(database.signer.sign("something else\n")),
        "not a valid tree head",
    );
}

/// An earlier client found no line for the version, and took that for no contradiction
/// (CVE-2026-42501).
#[test]
fn a_proven_record_about_something_else_is_refused() {
    for (text, why) in [
        (
            SUMS.replace("/Lib", "/lib"),
            "is for corp.example/lib@v1.0.0",
        ),
        (
            SUMS.replace("/Lib", "/Lib/v2").replace(" v1", " v2"),
            "record is for",
        ),
        (SUMS.replace("v1.0.0", "v1.0.1"), "record is for"),
        ("\n".to_owned(), "not a go.sum line"),
        ("nothing\n".to_owned(), "not a go.sum line"),
        (
            SUMS.lines().next().unwrap().to_owned() + "\n",
            "no hash of the go.mod",
        ),
        (SUMS.to_owned() + FORGED, "two hashes"),
        (FORGED.to_owned() + SUMS, "two hashes"),
    ] {
        let database = Database::new(600, 300, &text);
        let answer = database.answers(|question| database.says(question));
        assert_refused(&answer, why);
    }
    let naive = |answer: &str| {
        let lines = answer.lines();
        let ours = lines.filter(|line| line.starts_with("corp.example/Lib v1.0.0 "));
        ours.count()
    };
    let unrelated = Database::new(600, 300, &SUMS.replace("/Lib", "/lib"));
    assert_eq!(naive(&unrelated.record()), 0, "nothing contradicts");
}

/// An earlier client looked for lines in the whole answer, and not in the proven record alone
/// (CVE-2026-56864).
#[test]
fn hashes_outside_of_the_record_do_not_count() {
    let unrelated = SUMS.replace("/Lib", "/other");
    let database = Database::new(600, 300, &unrelated);
    // Signed, but in no log that anybody else sees.
    let head = text_of(database.head()) + FORGED;
    let body = format!("300\n{unrelated}\n{}", database.signer.sign(&head));
    assert!(
        body.lines().any(|line| FORGED.starts_with(line)),
        "a naive reader finds it"
    );
    let answer = database.answers(|question| match question {
        Question::Record => said(body.clone()),
        _ => database.says(question),
    });
    assert_refused(&answer, "is for corp.example/other@v1.0.0");

    let database = Database::new(600, 300, SUMS);
    let head = text_of(database.head()) + FORGED;
    let body = format!("300\n{SUMS}\n{}", database.signer.sign(&head));
    let answer = database.answers(|question| match question {
        Question::Record => said(body.clone()),
        _ => database.says(question),
    });
    assert_proven(&answer);
    for body in [
        format!("{FORGED}300\n{SUMS}\n{}", database.note(600)),
        format!("300\n{SUMS}\n{}{FORGED}", database.note(600)),
        format!("300 {FORGED}{SUMS}\n{}", database.note(600)),
        format!("300\n{SUMS}\n{FORGED}\n{}", database.note(600)),
    ] {
        let answer = database.answers(|question| match question {
            Question::Record => said(body.clone()),
            _ => database.says(question),
        });
        assert!(matches!(answer, Answer::Refused(_)), "{answer:?}: {body}");
    }
}

#[test]
fn a_record_that_is_not_in_the_tree_is_refused() {
    let database = Database::new(600, 300, SUMS);
    for (body, why) in [
        (
            format!("300\n{FORGED}\n{}", database.note(600)),
            "differs from the one in its tree",
        ),
        (
            format!("301\n{SUMS}\n{}", database.note(600)),
            "differs from the one in its tree",
        ),
        (
            format!("600\n{SUMS}\n{}", database.note(600)),
            "outside of its tree",
        ),
        (
            format!("300\n{SUMS}\n{}", database.note(300)),
            "outside of its tree",
        ),
    ] {
        let answer = database.answers(|question| match question {
            Question::Record => said(body.clone()),
            _ => database.says(question),
        });
        assert_refused(&answer, why);
    }
}

#[test]
fn a_forked_tree_is_refused_whether_it_is_larger_or_smaller_or_as_large() {
    let database = Database::new(600, 300, SUMS);
    let fork = Database::new(1000, 299, SUMS);
    for (before, size) in [(500, 600), (400, 301), (600, 600)] {
        let mut kept = database.note(before).into_bytes();
        let same = kept.clone();
        let body = format!("299\n{SUMS}\n{}", fork.note(size));
        // Each shows tiles of either tree.
        for liar in [&fork, &database] {
            let answer = fork.answers_after(&mut kept, |question| match question {
                Question::Record => said(body.clone()),
                _ => liar.says(question),
            });
            assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
            assert_eq!(kept, same, "the head stays");
        }
    }
    let mut kept = database.note(600).into_bytes();
    let answer = fork.answers_after(&mut kept, |question| fork.says(question));
    assert_refused(&answer, "inconsistent with the one seen before");
}

#[test]
fn a_tile_that_is_not_of_the_tree_is_refused() {
    let database = Database::new(66_000, 300, SUMS);
    let tiles = |question| match database.says(question) {
        (status, Some(tile)) if matches!(question, Question::Tile { .. }) => (status, tile),
        _ => panic!("no tile"),
    };
    type Lie = fn(Vec<u8>, Question) -> Vec<u8>;
    let lies: [Lie; 7] = [
        |mut tile, _| {
            tile[0] ^= 1;
            tile
        },
        |mut tile, _| {
            let last = tile.len() - 1;
            tile[last] ^= 0x80;
            tile
        },
        |tile, _| tile[32..].to_vec(),
        |tile, _| tile[1..].to_vec(),
        |tile, _| [tile.as_slice(), &[0; 32]].concat(),
        |_, _| Vec::new(),
        |_, _| b"<html>please log in</html>".to_vec(),
    ];
    for lie in lies {
        for level in 0..3 {
            let answer = database.answers(|question| match question {
                Question::Tile { place, .. } if place.level == level => {
                    let (status, tile) = tiles(question);
                    (status, Some(lie(tile, question)))
                }
                _ => database.says(question),
            });
            assert_refused(&answer, "tile");
        }
    }
}

#[test]
fn a_missing_partial_tile_is_requested_as_a_full_one() {
    let database = Database::new(66_000, 65_990, SUMS);
    // It has grown meanwhile, and keeps no partial tiles.
    let grown = {
        let mut leaves: Vec<Hash> = (0..131_072).map(leaf).collect();
        leaves[65_990] = record_hash(SUMS.as_bytes());
        Tree::new(leaves)
    };
    let gone = |question| match question {
        Question::Record => database.says(question),
        Question::Tile { width: 1..=255, .. } => (Some(404), None),
        Question::Tile { place, width } => match grown.tile(place, width) {
            Some(tile) => said(tile),
            None => database.says(Question::Tile {
                place,
                width: place.width(66_000),
            }),
        },
    };
    // Its topmost tile has no full form yet, and it does not make one up.
    let answer = database.answers(gone);
    assert_refused(&answer, "the wrong size");
    let answer = database.answers(|question| match question {
        Question::Tile { place, width: 1 } if place.level == 2 => database.says(question),
        _ => gone(question),
    });
    assert_proven(&answer);
    // The bytes of the full one in the place of the partial one are no answer.
    let answer = database.answers(|question| match question {
        Question::Tile { place, .. } if place.level == 0 => said(grown.tile(place, 256).unwrap()),
        _ => database.says(question),
    });
    assert_refused(&answer, "the wrong size");
    // Neither is gone for good.
    let answer = database.answers(|question| match question {
        Question::Record => database.says(question),
        _ => (Some(404), None),
    });
    assert_eq!(
        answer,
        Answer::Unavailable("it responded with status 404".to_owned())
    );
}

#[test]
fn an_invalid_response_proves_nothing() {
    let database = Database::new(300, 5, SUMS);
    for status in [204, 206, 301, 304, 400, 401, 403, 429, 500, 502, 503, 504] {
        let body = || (Some(status), Some(database.record().into_bytes()));
        let expected = Answer::Unavailable(format!("it responded with status {status}"));
        assert_eq!(database.answers(|_| body()), expected);
        let answer = database.answers(|question| match question {
            Question::Record => database.says(question),
            _ => body(),
        });
        assert_eq!(answer, expected);
    }
    let silent = database.answers(|_| (None, None));
    assert_eq!(silent, Answer::Unavailable("it did not respond".to_owned()));
    for status in [404, 410] {
        let answer = database.answers(|_| (Some(status), Some(b"not found".to_vec())));
        assert_eq!(answer, Answer::NotFound);
    }
    assert_refused(&database.answers(|_| (Some(200), None)), "too long");
    for body in ["", "<html>\n\n<body>\n", "{}", "5\n"] {
        assert_refused(&database.answers(|_| said(body)), "not a valid record");
    }
    let cut = database.record();
    for end in 0..cut.len() {
        let answer = database.answers(|question| match question {
            Question::Record => said(&cut.as_bytes()[..end]),
            _ => database.says(question),
        });
        assert!(matches!(answer, Answer::Refused(_)), "{end}: {answer:?}");
    }
}

#[test]
fn a_tree_of_any_size_needs_a_bounded_number_of_tiles() {
    let database = Database::new(300, 5, SUMS);
    for size in [1 << 62, i64::MAX as u64] {
        let head = Head {
            size,
            root: [7; 32],
        };
        let body = format!("{}\n{SUMS}\n{}", size / 3, database.signer.note(head));
        let answer = database.answers(|question| match question {
            Question::Record => said(body.clone()),
            Question::Tile { width, .. } => said(vec![7; width as usize * 32]),
        });
        assert_refused(&answer, "tile");
    }
}

#[test]
fn a_tile_is_remembered_once_it_is_proved_and_not_before() {
    let database = Database::new(66_000, 300, SUMS);
    let mut memory = Memory::default();
    let mut kept = Vec::new();
    let (answer, _) = ask(
        database.key(),
        &mut memory,
        &mut kept,
        &module(),
        |question, _| match question {
            Question::Tile { place, .. } if place.level == 1 => {
                (Some(200), Some(vec![7; place.width(66_000) as usize * 32]))
            }
            _ => database.says(question),
        },
    );
    assert_refused(&answer, "tile");
    assert!(kept.is_empty());
    let honest = |question, _: &str| database.says(question);
    let (answer, requested) = ask(database.key(), &mut memory, &mut kept, &module(), honest);
    assert_proven(&answer);
    assert_eq!(
        requested.len(),
        6,
        "all tiles were asked for again: {requested:?}"
    );
    let (_, requested) = ask(database.key(), &mut memory, &mut kept, &module(), honest);
    assert_eq!(
        requested.len(),
        1,
        "none was asked for again: {requested:?}"
    );
}

#[test]
fn a_head_that_another_worker_has_seen_meanwhile_must_fit_too() {
    let database = Database::new(600, 300, SUMS);
    let other = Database::new(700, 301, FORGED);
    let race = |others: Vec<u8>| {
        let mut memory = Memory::default();
        let mut lookup = Lookup::new(module(), Vec::new());
        let mut step = lookup.begin();
        let mut open = Vec::new();
        let mut raced = false;
        loop {
            step = match step {
                Step::Done(answer) => return answer,
                Step::Keep { .. } if !raced => {
                    raced = true;
                    lookup.moved(database.key(), &mut memory, others.clone())
                }
                Step::Keep { before, .. } => {
                    assert_eq!(before, others);
                    lookup.kept(&mut memory)
                }
                Step::Ask(questions) => {
                    open.extend(questions);
                    let question = open.pop().unwrap();
                    let (status, body) = database.says(question);
                    let body = body.as_deref();
                    let fetched = Fetched { status, body };
                    lookup.answered(database.key(), &mut memory, question, fetched)
                }
            };
        }
    };
    for size in [1, 299, 600] {
        assert_proven(&race(database.note(size).into_bytes()));
    }
    let forked = race(other.note(500).into_bytes());
    assert_refused(&forked, "inconsistent with the one seen before");
}

#[test]
fn an_unexpected_response_changes_nothing() {
    let database = Database::new(600, 300, SUMS);
    let mut memory = Memory::default();
    let mut lookup = Lookup::new(module(), Vec::new());
    let tile = Question::Tile {
        place: Place { level: 0, index: 0 },
        width: 256,
    };
    let nothing = Fetched::default();
    let key = database.key();
    assert_eq!(
        lookup.answered(key, &mut memory, tile, nothing),
        Step::Ask(vec![])
    );
    assert_eq!(lookup.kept(&mut memory), Step::Ask(vec![]));
    let record = database.record();
    let fetched = Fetched {
        status: Some(200),
        body: Some(record.as_bytes()),
    };
    let Step::Ask(tiles) = lookup.answered(key, &mut memory, Question::Record, fetched) else {
        panic!("it asks for no tiles");
    };
    assert_eq!(tiles.len(), 3);
    assert_eq!(
        lookup.answered(key, &mut memory, Question::Record, nothing),
        Step::Ask(vec![])
    );
}
