//! A checksum database that is honest: a log of some records, and a key that signs its heads.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use modgate_go::gomod::ModuleVersion;
use modgate_go::sumdb::{Hash, Head, Place, VerifierKey, node_hash, record_hash, root_hash};
use sha2::{Digest, Sha256};

/// How many records it has: more than two tiles, so that there is a level above.
pub const RECORDS: u64 = 600;

const NAME: &str = "sum.corp.example";

static SIGNS: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

/// The hashes of the log's tree, level by level, complete ones only.
static TREE: LazyLock<Vec<Vec<Hash>>> = LazyLock::new(|| {
    let leaf = |id| record_hash(text(id).as_bytes());
    let mut levels: Vec<Vec<Hash>> = vec![(0..RECORDS).map(leaf).collect()];
    while let Some(row) = levels.last().filter(|row| row.len() > 1) {
        let pairs = row.chunks_exact(2);
        let above = pairs.map(|pair| node_hash(&pair[0], &pair[1])).collect();
        levels.push(above);
    }
    levels
});

/// Whom a policy trusts.
pub static KEY: LazyLock<VerifierKey> = LazyLock::new(|| {
    let data = key_data();
    let text = format!("{NAME}+{}+{}", hex(&key_hash()), BASE64.encode(data));
    text.parse().expect("the database's own key is good")
});

fn key_data() -> Vec<u8> {
    [&[1], SIGNS.verifying_key().as_bytes().as_slice()].concat()
}

fn key_hash() -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(NAME)
        .chain_update("\n")
        .chain_update(key_data())
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The module version that a record is about.
pub fn module(id: u64) -> ModuleVersion {
    ModuleVersion::new("corp.example/lib", &format!("v1.{id}.0")).expect("a good name")
}

/// The hash of a module version's zip, and of its go.mod.
pub fn sums(id: u64) -> [String; 2] {
    ["zip", "mod"].map(|file| {
        let digest = Sha256::digest(format!("{file} {id}"));
        format!("h1:{}", BASE64.encode(digest))
    })
}

/// The text of a record.
pub fn text(id: u64) -> String {
    let [zip, go_mod] = sums(id);
    format!("corp.example/lib v1.{id}.0 {zip}\ncorp.example/lib v1.{id}.0/go.mod {go_mod}\n")
}

/// The head of the log when it had so many records, of which there must be one.
pub fn head(size: u64) -> Head {
    let mut parts = Vec::new();
    let mut at = 0;
    for level in (0..TREE.len()).rev().filter(|level| size >> level & 1 == 1) {
        parts.push(TREE[level][at >> level]);
        at += 1 << level;
    }
    let root = root_hash(&parts).expect("a record");
    Head { size, root }
}

/// The signed heads of all sizes: signing takes long in fuzzed code.
static NOTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let note = |size| {
        let root = BASE64.encode(head(size).root);
        sign(&format!("go.sum database tree\n{size}\n{root}\n"))
    };
    (1..=RECORDS).map(note).collect()
});

/// A head, signed; of a size from 1 to [`RECORDS`].
pub fn note(size: u64) -> &'static str {
    &NOTES[size as usize - 1]
}

/// A text that the database signs.
pub fn sign(text: &str) -> String {
    let signature = SIGNS.sign(text.as_bytes()).to_bytes();
    let signature = [key_hash().as_slice(), &signature].concat();
    format!("{text}\n\u{2014} {NAME} {}\n", BASE64.encode(signature))
}

/// The hashes of a tile, so many; `None` where the log has not so many there.
pub fn tile(place: Place, width: u64) -> Option<Vec<u8>> {
    let row = TREE.get(usize::from(place.level) * 8)?;
    let from = usize::try_from(place.index.checked_mul(256)?).ok()?;
    let end = from.checked_add(usize::try_from(width).ok()?)?;
    Some(row.get(from..end)?.concat())
}
