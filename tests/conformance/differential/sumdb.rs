//! Notes, tree heads, records and trees against `golang.org/x/mod/sumdb`: generated and mutated input,
//! on every one of which both must agree.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use fastrand::Rng;
use modgate_go::sumdb::{Head, Place, Proof, Record, VerifierKey, open, record_hash};
use modgate_harness::seed::seed;
use modgate_harness::xmod;
use serde_json::{Value, json};

/// How many inputs of each kind are compared.
const INPUTS: usize = 30_000;

/// How many proofs are made of Go's own tiles.
const PROOFS: usize = 400;

/// The size of the Go program's tree.
const TREE: u64 = 70_000;

/// What mutation puts in.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "+",
    "=",
    "\u{2014} ",
    "\u{2014}",
    "0",
    "7",
    "A",
    "/",
    "-",
    "\r",
    "\t",
    "\u{7f}",
    "\0",
    "\u{85}",
    "\u{a0}",
    "\u{2003}",
    "\u{feff}",
    "é",
    "世",
    "go.sum database tree\n",
    "AAAAAAAA",
    "\u{2014} other.example AAAAAAAA\n",
    "\u{2014} other.example AAAAAAA=\n",
    "h1:",
    "9223372036854775807",
    "9223372036854775808",
    "00",
    "-1",
];

fn question(kind: &str, a: impl Into<String>, b: impl Into<String>) -> Value {
    json!({"Kind": kind, "A": a.into(), "B": b.into()})
}

/// Changes some places of a text; at times none. Not always UTF-8.
fn mutated(rng: &mut Rng, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.usize(..4) {
        let at = rng.usize(..=bytes.len());
        let piece = PIECES[rng.usize(..PIECES.len())].as_bytes();
        match rng.u8(..8) {
            0 | 1 => drop(bytes.splice(at..at, piece.iter().copied())),
            2 => {
                let end = (at + piece.len()).min(bytes.len());
                bytes.splice(at..end, piece.iter().copied());
            }
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            5 => {
                // A line again, at another place.
                let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
                if !lines.is_empty() {
                    let mut all: Vec<&[u8]> = lines.clone();
                    all.insert(rng.usize(..=lines.len()), lines[rng.usize(..lines.len())]);
                    bytes = all.concat();
                }
            }
            6 if rng.bool() => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// A mutation that is a text.
fn mutated_text(rng: &mut Rng, text: &str) -> String {
    loop {
        if let Ok(text) = String::from_utf8(mutated(rng, text)) {
            return text;
        }
    }
}

fn text_of(head: &Head) -> String {
    let root = BASE64.encode(head.root);
    format!("go.sum database tree\n{}\n{root}\n", head.size)
}

/// A key and a note that it has signed, perhaps with others.
struct Signed {
    key: String,
    note: String,
}

fn signed_notes(rng: &mut Rng) -> Vec<Signed> {
    let root = [7; 32];
    let head = |size| text_of(&Head { size, root });
    let texts = [
        head(0),
        head(70_000),
        head(i64::MAX as u64),
        head(5) + "more\n\nand more\n",
        "text\n".to_owned(),
        "\n".to_owned(),
    ];
    let names = [
        "sum.corp.example",
        "sum.corp.example other.example",
        "sum.corp.example x y z",
        "a.b/db?世",
    ];
    let mut questions = Vec::new();
    for text in &texts {
        for names in names {
            questions.push(question("signed", text, names));
        }
    }
    rng.shuffle(&mut questions);
    let answers = xmod::ask(&questions);
    let parts = answers.iter().map(|answer| {
        let (key, note) = answer["Value"].as_str().unwrap().split_once('\n').unwrap();
        let (key, note) = (key.to_owned(), note.to_owned());
        Signed { key, note }
    });
    parts.collect()
}

fn questions(rng: &mut Rng) -> Vec<Value> {
    let notes = signed_notes(rng);
    let mut all = Vec::with_capacity(4 * INPUTS);
    for _ in 0..INPUTS {
        let signed = &notes[rng.usize(..notes.len())];
        let note = BASE64.encode(mutated(rng, &signed.note));
        all.push(question("note", note, &signed.key));

        let head = text_of(&Head {
            size: rng.u64(..) >> rng.u32(1..64),
            root: [rng.u8(..); 32],
        });
        // It stands in a note, which has no carriage return; Go would skip one within base64.
        let head = mutated_text(rng, &head).replace('\r', "");
        all.push(question("head", head, ""));

        let record = format!("{}\na.b/c v1 h1:x\nmore\n\nnote\n\n", rng.u32(..));
        all.push(question("record", BASE64.encode(mutated(rng, &record)), ""));

        // Go skips line ends within base64, which no policy is written with.
        let key = mutated_text(rng, &signed.key).replace(['\r', '\n'], "");
        all.push(question("verifier", key, ""));
    }
    all
}

/// What the engine makes of a question, in the form in which the Go program answers.
fn engine(question: &Value) -> Value {
    let a = question["A"].as_str().unwrap();
    let b = question["B"].as_str().unwrap();
    let bytes = || BASE64.decode(a).unwrap();
    let read = match question["Kind"].as_str().unwrap() {
        "note" => {
            let key: VerifierKey = b.parse().unwrap();
            open(&bytes(), &key).ok().map(ToOwned::to_owned)
        }
        "head" => Head::parse(a).map(|head| format!("{} {}", head.size, BASE64.encode(head.root))),
        "record" => Record::parse(&bytes()).ok().map(|record| {
            let (text, rest) = (BASE64.encode(record.text), BASE64.encode(record.note));
            format!("{} {text} {rest}", record.id)
        }),
        "verifier" => a.parse::<VerifierKey>().ok().map(|_| String::new()),
        other => unreachable!("{other}"),
    };
    json!({"OK": read.is_some(), "Value": read.unwrap_or_default()})
}

#[test]
fn the_engine_and_x_mod_read_what_a_database_says_alike() {
    let seed = seed();
    let questions = questions(&mut Rng::with_seed(seed));
    let (mut accepted, mut disagreements) = ([0; 4], Vec::new());
    for (i, (question, go)) in questions.iter().zip(xmod::ask(&questions)).enumerate() {
        accepted[i % 4] += usize::from(go["OK"] == true);
        let ours = engine(question);
        if go != ours {
            disagreements.push(format!("{question}: x/mod says {go}, the engine {ours}"));
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} of {} disagree (MODGATE_SEED={seed}), among them:\n{}",
        disagreements.len(),
        questions.len(),
        disagreements[..disagreements.len().min(10)].join("\n")
    );
    // Of every kind there must have been much to accept and to refuse, or nothing was compared.
    for (kind, accepted) in ["note", "head", "record", "verifier"].iter().zip(accepted) {
        println!("{kind}: {INPUTS} inputs, {accepted} accepted, no disagreement");
        assert!(
            accepted > INPUTS / 20,
            "{kind}: only {accepted} were accepted"
        );
        assert!(
            accepted < INPUTS * 19 / 20,
            "{kind}: {accepted} were accepted"
        );
    }
}

#[test]
fn what_x_mods_trees_and_tiles_say_is_proved_and_nothing_else() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    // Sizes near powers of the tiles' width, and any.
    let size = |rng: &mut Rng| {
        let near = [1, 255, 256, 257, 512, 65_535, 65_536, 65_537, TREE][rng.usize(..9)];
        if rng.bool() { near } else { rng.u64(1..=TREE) }
    };
    let cases: Vec<(u64, u64, u64)> = (0..PROOFS)
        .map(|_| {
            let (a, b) = (size(&mut rng), size(&mut rng));
            let (before, now) = (a.min(b), a.max(b));
            (before, now, rng.u64(..now))
        })
        .collect();
    let roots = cases.iter().flat_map(|(before, now, _)| [before, now]);
    let roots: Vec<Value> = roots.map(|n| question("root", n.to_string(), "")).collect();
    let roots: Vec<[u8; 32]> = xmod::ask(&roots).iter().map(hash).collect();
    let mut proofs: Vec<Proof> = cases
        .iter()
        .zip(roots.chunks_exact(2))
        .map(|((before, size, id), roots)| {
            let (size, root) = (*size, roots[1]);
            Proof::new(Head { size, root }, *id, Some(*before))
        })
        .collect();
    let wanted: Vec<(usize, Place)> = proofs
        .iter()
        .enumerate()
        .flat_map(|(i, proof)| proof.missing().map(move |place| (i, place)))
        .collect();
    let questions: Vec<Value> = wanted
        .iter()
        .map(|(i, place)| {
            let path = place.path(proofs[*i].width(*place));
            question("piece", path.trim_start_matches('/'), "")
        })
        .collect();
    for ((i, place), answer) in wanted.iter().zip(xmod::ask(&questions)) {
        let tile = BASE64.decode(answer["Value"].as_str().unwrap()).unwrap();
        proofs[*i].supply(*place, &tile).unwrap();
    }
    for (i, ((before, now, id), proof)) in cases.iter().zip(proofs).enumerate() {
        let what = format!("{id} in {now} after {before} (MODGATE_SEED={seed})");
        let mut forged = proof.clone();
        let authentic = proof.authenticate().unwrap_or_else(|_| panic!("{what}"));
        assert_eq!(authentic.root(*before), Some(roots[2 * i]), "{what}");
        let leaf = record_hash(format!("record {id}\n").as_bytes());
        assert_eq!(authentic.record(*id), Some(leaf), "{what}");
        // One bit of one tile, and all is refused.
        let (place, tile) = authentic
            .tiles()
            .nth(rng.usize(..authentic.tiles().count()))
            .unwrap();
        let mut tile = tile.to_vec();
        let at = rng.usize(..tile.len());
        tile[at] ^= 1 << rng.u8(..8);
        forged.supply(place, &tile).unwrap();
        assert!(
            forged.authenticate().is_err(),
            "{what}: byte {at} of {place:?}"
        );
    }
}

fn hash(answer: &Value) -> [u8; 32] {
    let bytes = BASE64.decode(answer["Value"].as_str().unwrap()).unwrap();
    bytes.try_into().unwrap()
}
