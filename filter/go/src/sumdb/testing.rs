//! Databases for the tests: one that signs with a key of its own and does as it is told, and what the
//! public one has answered.

use base64::Engine;
use ed25519_dalek::{Signer as _, SigningKey};

use super::key::{BASE64, VerifierKey, hash_of};
use super::tile::Place;
use super::tlog::{Hash, Head, node_hash, record_hash, root_hash};
use super::{Answer, Fetched, Lookup, Memory, Question, Step};
use crate::gomod::ModuleVersion;

/// The key of sum.golang.org, as the Go command has it.
pub(crate) const PUBLIC_KEY: &str =
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// A signed head of sum.golang.org, of 66,327,379 records.
pub(crate) const LATEST: &[u8] = include_bytes!("../../testdata/sumdb/latest");

/// What sum.golang.org has answered to some questions.
pub(crate) fn public(path: &str) -> Option<&'static [u8]> {
    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!("../../testdata/sumdb/", $name)).as_slice()
        };
    }
    Some(match path {
        "/lookup/golang.org/x/mod@v0.30.0" => file!("lookup-mod"),
        "/lookup/github.com/gomods/athens@v0.18.0" => file!("lookup-athens"),
        "/tile/8/0/x180/634" => file!("tile-0-x180-634"),
        "/tile/8/0/x217/509" => file!("tile-0-x217-509"),
        "/tile/8/0/x222/108" => file!("tile-0-x222-108"),
        "/tile/8/0/x259/091.p/83" => file!("tile-0-x259-091.p-83"),
        "/tile/8/1/705" => file!("tile-1-705"),
        "/tile/8/1/849" => file!("tile-1-849"),
        "/tile/8/1/867" => file!("tile-1-867"),
        "/tile/8/1/x001/012.p/19" => file!("tile-1-x001-012.p-19"),
        "/tile/8/2/002" => file!("tile-2-002"),
        "/tile/8/2/003.p/244" => file!("tile-2-003.p-244"),
        "/tile/8/3/000.p/3" => file!("tile-3-000.p-3"),
        _ => return None,
    })
}

/// Who signs.
pub(crate) struct Signer {
    secret: SigningKey,
    key: VerifierKey,
}

impl Signer {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let data = [&[1], secret.verifying_key().as_bytes().as_slice()].concat();
        let hash = u32::from_be_bytes(hash_of(name, &data));
        let key = format!("{name}+{hash:08x}+{}", BASE64.encode(data));
        Self {
            key: key.parse().unwrap(),
            secret,
        }
    }

    pub(crate) fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The line with the signature of a text.
    pub(crate) fn line(&self, text: &str) -> String {
        let key = self.key.to_string();
        let (name, hash) = key.split_once('+').unwrap();
        let hash = u32::from_str_radix(hash.get(..8).unwrap(), 16)
            .unwrap()
            .to_be_bytes();
        let signature = self.secret.sign(text.as_bytes()).to_bytes();
        let signature = [hash.as_slice(), &signature].concat();
        format!("\u{2014} {name} {}\n", BASE64.encode(signature))
    }

    /// The note of a head.
    pub(crate) fn note(&self, head: Head) -> String {
        self.sign(&text_of(head))
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        format!("{text}\n{}", self.line(text))
    }
}

/// The text of a head.
pub(crate) fn text_of(head: Head) -> String {
    let root = BASE64.encode(head.root);
    format!("go.sum database tree\n{}\n{root}\n", head.size)
}

/// A tree with all its hashes, level by level.
#[derive(Clone)]
pub(crate) struct Tree(Vec<Vec<Hash>>);

impl Tree {
    pub(crate) fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while levels.last().is_some_and(|row| row.len() > 1) {
            let below = levels.last().unwrap().chunks_exact(2);
            let row = below.map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push(row);
        }
        Self(levels)
    }

    /// Of so many records that say their number.
    pub(crate) fn of(size: u64) -> Self {
        Self::new((0..size).map(leaf).collect())
    }

    pub(crate) fn size(&self) -> u64 {
        self.0[0].len() as u64
    }

    /// Its head when it had so many records.
    pub(crate) fn head(&self, size: u64) -> Head {
        let mut parts = Vec::new();
        let mut at = 0;
        for level in (0..64).rev() {
            if size >> level & 1 == 1 {
                parts.push(self.0[level][at >> level]);
                at += 1 << level;
            }
        }
        let root = root_hash(&parts).unwrap_or_default();
        Head { size, root }
    }

    /// A tile; `None` where the tree has not so much.
    pub(crate) fn tile(&self, place: Place, width: u64) -> Option<Vec<u8>> {
        let row = self.0.get(usize::from(place.level) * 8)?;
        let from = usize::try_from(place.index * 256).ok()?;
        let tile = row.get(from..from + width as usize)?;
        Some(tile.concat())
    }
}

/// The hash of the record that says its number.
pub(crate) fn leaf(id: u64) -> Hash {
    record_hash(format!("record {id}\n").as_bytes())
}

/// What an answer is made of: a status, and a body.
pub(crate) type Said = (Option<u16>, Option<Vec<u8>>);

/// Asks a database until there is an answer, and keeps every head. Gives the paths that were asked, too.
pub(crate) fn ask(
    key: &VerifierKey,
    memory: &mut Memory,
    kept: &mut Vec<u8>,
    module: &ModuleVersion,
    database: impl Fn(Question, &str) -> Said,
) -> (Answer, Vec<String>) {
    let mut lookup = Lookup::new(module.clone(), kept.clone());
    let mut requested = Vec::new();
    let mut open = Vec::new();
    let mut step = lookup.begin();
    loop {
        step = match step {
            Step::Done(answer) => return (answer, requested),
            Step::Keep { before, now } => {
                assert_eq!(before, *kept);
                *kept = now;
                lookup.kept(memory)
            }
            Step::Ask(questions) => {
                open.extend(questions);
                let question = open.pop().expect("nothing is awaited");
                let path = lookup.path(question);
                let (status, body) = database(question, &path);
                let body = body.as_deref();
                requested.push(path);
                lookup.answered(key, memory, question, Fetched { status, body })
            }
        };
    }
}
