//! The tree that a database keeps its records in: hashes of records at the bottom, and above each two
//! hashes the one of both (x/mod `sumdb/tlog`, RFC 6962 section 2.1).

use std::fmt;

use base64::Engine;
use sha2::{Digest, Sha256};

use super::key::BASE64;

/// What a tree head's text begins with.
const TREE: &str = "go.sum database tree\n";

/// A record's hash, or that of a part of the tree.
pub type Hash = [u8; 32];

/// The hash of a record.
pub fn record_hash(record: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(record)
        .finalize()
        .into()
}

/// The hash of two parts of the tree that stand side by side.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The hash of a whole tree, from those of its complete parts, the largest and leftmost first; `None`
/// of none.
pub fn root_hash(parts: &[Hash]) -> Option<Hash> {
    let (last, before) = parts.split_last()?;
    let root = before
        .iter()
        .rev()
        .fold(*last, |right, left| node_hash(left, &right));
    Some(root)
}

/// How large the tree is, and its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of records, below 2^63.
    pub size: u64,
    /// The hash of the whole tree.
    pub root: Hash,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({} {})", self.size, BASE64.encode(self.root))
    }
}

impl Head {
    /// Reads the text of a tree head; lines behind the hash say nothing yet.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(TREE)?.split('\n');
        let (size, root, Some(_)) = (lines.next()?, lines.next()?, lines.next()) else {
            return None;
        };
        Some(Self {
            size: number(size)?,
            root: BASE64.decode(root).ok()?.try_into().ok()?,
        })
    }
}

/// A number below 2^63 as a database writes it: without sign and leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    let digits = plain && text.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = digits.then(|| text.parse().ok()).flatten()?;
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_nodes_are_hashed_apart() {
        // The tree of two records in the documentation of `tlog.FormatTree`.
        let empty = record_hash(b"");
        assert_eq!(
            BASE64.encode(empty),
            "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
        );
        let (a, b) = (record_hash(b"a"), record_hash(b"b"));
        let both = [&[1], a.as_slice(), b.as_slice()].concat();
        assert_eq!(node_hash(&a, &b), <[u8; 32]>::from(Sha256::digest(&both)));
        assert_ne!(record_hash(&both[1..]), node_hash(&a, &b));
    }

    #[test]
    fn a_root_depends_on_every_part_and_their_order() {
        let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
        assert_eq!(root_hash(&[]), None);
        assert_eq!(root_hash(&[a]), Some(a));
        assert_eq!(
            root_hash(&[a, b, c]),
            Some(node_hash(&a, &node_hash(&b, &c)))
        );
    }

    #[test]
    fn heads_read_in_one_form() {
        let hash = "nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=";
        let good = format!("go.sum database tree\n2\n{hash}\n");
        assert_eq!(Head::parse(&good).unwrap().size, 2);
        let more = format!("{good}something new\n");
        assert_eq!(Head::parse(&more), Head::parse(&good));
        for bad in [
            String::new(),
            good.replace("database", "data"),
            good.replacen("\n2\n", "\n02\n", 1),
            good.replacen("\n2\n", "\n-2\n", 1),
            good.replacen("\n2\n", "\n+2\n", 1),
            good.replacen("\n2\n", "\n\n", 1),
            good.replacen("\n2\n", "\n9223372036854775808\n", 1),
            good.replace("nND/", "nND"),
            good.replace('=', ""),
            good.trim_end().to_owned(),
            format!("\n{good}"),
        ] {
            assert_eq!(Head::parse(&bad), None, "{bad:?}");
        }
    }
}
