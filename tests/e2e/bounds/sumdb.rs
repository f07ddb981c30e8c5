//! What a checksum database, or somebody in its place, answers to the filter's own questions.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use modgate_go::sumdb::{Hash, Place, node_hash, record_hash, root_hash};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::counted::{Answers, Counted};

const NAME: &str = "sum.corp.example";

/// The most bytes of a record's answer that are read.
const BYTES: usize = 64 << 10;

/// The most signatures of a note.
const SIGNATURES: usize = 100;

/// The module that the log's first record is about, and the one that all others are about: so a tree of any
/// size is known without its records.
const FIRST: &str = "a.b/first";
const OTHER: &str = "a.b/other";

/// The largest tree that there can be. Every tile at its edge is as wide as one that is not full can be.
const LARGEST: u64 = (1 << 63) - 1;

/// Who signs.
struct Signer(Ed25519KeyPair);

impl Signer {
    fn new() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    fn data(&self) -> Vec<u8> {
        [&[1], self.0.public_key().as_ref()].concat()
    }

    fn hash(&self) -> [u8; 4] {
        let whole = [NAME.as_bytes(), b"\n", &self.data()].concat();
        digest(&SHA256, &whole).as_ref()[..4].try_into().unwrap()
    }

    /// As a policy has it.
    fn key(&self) -> String {
        let hash = u32::from_be_bytes(self.hash());
        format!("{NAME}+{hash:08x}+{}", BASE64.encode(self.data()))
    }

    fn line(&self, text: &str) -> String {
        line(
            NAME,
            &[&self.hash(), self.0.sign(text.as_bytes()).as_ref()].concat(),
        )
    }

    fn sign(&self, text: &str) -> String {
        format!("{text}\n{}", self.line(text))
    }
}

/// A signature's line.
fn line(name: &str, bytes: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", BASE64.encode(bytes))
}

/// The lines of a record.
fn lines(module: &str) -> String {
    let hash = BASE64.encode([7; 32]);
    format!("{module} v1.0.0 h1:{hash}\n{module} v1.0.0/go.mod h1:{hash}\n")
}

/// A log whose records but the first are all the same.
struct Log {
    /// The hashes above the first record, and those above the others, from the records up.
    first: Vec<Hash>,
    other: Vec<Hash>,
}

impl Log {
    fn new() -> Self {
        let (mut first, mut other) = (
            vec![record_hash(lines(FIRST).as_bytes())],
            vec![record_hash(lines(OTHER).as_bytes())],
        );
        for level in 0..63 {
            first.push(node_hash(&first[level], &other[level]));
            other.push(node_hash(&other[level], &other[level]));
        }
        Self { first, other }
    }

    fn hash(&self, level: usize, index: u64) -> Hash {
        if index == 0 {
            self.first[level]
        } else {
            self.other[level]
        }
    }

    /// The text of the head of so many records.
    fn head(&self, size: u64) -> String {
        let mut parts = Vec::new();
        let mut at = 0;
        for level in (0..63).rev().filter(|level| size >> level & 1 == 1) {
            parts.push(self.hash(level, at >> level));
            at += 1 << level;
        }
        let root = BASE64.encode(root_hash(&parts).unwrap());
        format!("go.sum database tree\n{size}\n{root}\n")
    }

    /// The tile that a path asks for: `/tile/8/LEVEL/x001/234.p/WIDTH`.
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let (level, rest) = path.strip_prefix("/tile/8/")?.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok()?),
            None => (rest, 256),
        };
        let index: u64 = index.replace(['x', '/'], "").parse().ok()?;
        let level: u8 = level.parse().ok()?;
        assert_eq!(Place { level, index }.path(width), path);
        let hashes = (index * 256..).take(usize::try_from(width).unwrap());
        let hashes: Vec<Hash> = hashes
            .map(|at| self.hash(usize::from(level) * 8, at))
            .collect();
        Some(hashes.concat())
    }
}

fn policy(key: &str) -> Value {
    json!({
        "version": "1", "default": "allow", "tenants": {"*": {}},
        "backends": {"main": {"cluster": "backend"}, "sumdb": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
        "integrity": {
            "mode": "enforce", "on_unknown": "refuse", "sumdb": {"key": key, "backend": "sumdb"},
            "allow_on_headers_stop_iteration": true,
        },
    })
}

fn ask(counted: &mut Counted, module: &str) -> String {
    let path = format!("/{module}/@v/v1.0.0.mod");
    let answer = counted.get(&path, &[], b"module x\n", 64);
    // No file has these hashes: proved or not, it is refused.
    assert_eq!(answer.status, 502);
    String::from_utf8(answer.body).unwrap()
}

#[test]
fn a_record_and_its_note_are_read_within_the_bound() {
    // What is good so far has its tiles asked for, which are not there.
    const PROVED: &str = "the checksum database gave no hash: it responded with status 404";
    let signer = Signer::new();
    let head = Log::new().head(2);
    let record = lines(FIRST);
    let note = signer.sign(&head);
    let good = format!("0\n{record}\n{note}");
    let left = BYTES - good.len();
    let shortest = line("a", &[0; 5]);
    let other_key = line("a", &[0; 68]);
    let long_text = {
        let text = format!("{head}{}", "x\n".repeat(left / 2));
        format!("0\n{record}\n{}", signer.sign(&text))
    };
    let wrong = signer.line("something else");
    let line_of_sums = record.lines().next().unwrap();
    for (what, reason, answer) in [
        ("the lines of a record many times", PROVED, {
            let times = left / record.len();
            format!("0\n{}\n{note}", record.repeat(times + 1))
        }),
        (
            "a record about a long module",
            "its record is for a.b/aaa",
            {
                let long = lines(&format!("a.b/{}", "a".repeat(left / 2)));
                format!("0\n{}\n{note}", &long[..=long.find('\n').unwrap()])
            },
        ),
        (
            "a record about a module of many elements",
            "its record is for a.b/a/a",
            {
                let long = lines(&format!("a.b{}", "/a".repeat(left / 4)));
                format!("0\n{}\n{note}", &long[..=long.find('\n').unwrap()])
            },
        ),
        ("a hash that is long", "not a go.sum line", {
            let long = format!("{line_of_sums}{}", "A".repeat(left));
            format!("0\n{long}\n\n{note}")
        }),
        (
            "a number that is long",
            "not a valid record",
            format!("{}{good}", "9".repeat(left)),
        ),
        (
            "no blank line",
            "not a valid record",
            "a\n".repeat(BYTES / 2),
        ),
        ("no text", "not a valid record", "\u{e9}".repeat(BYTES / 2)),
        ("a long text that is signed", PROVED, long_text),
        (
            "as many signatures as there may be before the key's",
            PROVED,
            format!(
                "0\n{record}\n{head}\n{}{}",
                other_key.repeat(SIGNATURES - 1),
                signer.line(&head)
            ),
        ),
        (
            "more signatures",
            "not a valid signed note",
            format!("{good}{}", shortest.repeat(left / shortest.len())),
        ),
        ("a long signature", PROVED, {
            let long = line("a", &vec![0; left / 4 * 3 - 16]);
            format!("0\n{record}\n{head}\n{long}{}", signer.line(&head))
        }),
        ("a long name of a signer", PROVED, {
            let long = line(&"a".repeat(left - 128), &[0; 68]);
            format!("0\n{record}\n{head}\n{long}{}", signer.line(&head))
        }),
        (
            "a signature that is wrong",
            "signature of the tree head is wrong",
            format!("0\n{record}\n{head}\n{wrong}"),
        ),
    ] {
        assert!(answer.len() <= BYTES, "{what}: {} bytes", answer.len());
        let mut counted = Counted::start(&policy(&signer.key()));
        let answers: Rc<Answers> = Rc::new(move |path| {
            let is_lookup = path.starts_with("/lookup/");
            is_lookup.then(|| answer.clone().into_bytes())
        });
        counted.database = Some(answers);
        let said = ask(&mut counted, FIRST);
        assert!(said.contains(reason), "{what}: {said}");
        counted.assert_bounded(what);
    }
}

/// Of the largest trees, so that there are as many tiles as there can be, each as wide as it can be.
#[test]
fn tiles_are_proved_within_the_bound() {
    let signer = Signer::new();
    let key = signer.key();
    let mut counted = Counted::start(&policy(&key));
    let answers = move |size: u64, id: u64| -> Rc<Answers> {
        let (log, signer) = (Log::new(), Signer::new());
        Rc::new(move |path| {
            let Some(module) = path.strip_prefix("/lookup/") else {
                return log.tile(path);
            };
            let module = module.strip_suffix("@v1.0.0")?;
            let note = signer.sign(&log.head(size));
            Some(format!("{id}\n{}\n{note}", lines(module)).into_bytes())
        })
    };
    let before = LARGEST / 3 * 2;
    for (what, module, size, id) in [
        ("the first head", FIRST, before, 0),
        (
            "a head that contains another one",
            OTHER,
            LARGEST,
            LARGEST / 5,
        ),
    ] {
        counted.database = Some(answers(size, id));
        let said = ask(&mut counted, module);
        assert!(said.contains("h1:"), "{what}: {said}");
        counted.assert_bounded(what);
    }
}
