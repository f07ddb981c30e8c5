//! Proofs over trees of all shapes, and what is no proof.

use super::testing::{Tree, leaf};
use super::tile::Place;
use super::tlog::Head;
use super::*;

/// Fetches all tiles of a proof from a tree.
fn fetch(mut proof: Proof, tree: &Tree) -> Result<Authentic, super::proof::Forged> {
    let wanted: Vec<Place> = proof.missing().collect();
    for place in wanted {
        let tile = tree.tile(place, proof.width(place)).expect("a tile of it");
        proof.supply(place, &tile)?;
    }
    proof.authenticate()
}

const SIZES: [u64; 14] = [
    1, 2, 3, 7, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 70_000,
];

#[test]
fn every_record_and_every_earlier_tree_is_proved() {
    let full = Tree::of(70_000);
    for size in SIZES {
        let head = full.head(size);
        for before in SIZES.into_iter().filter(|before| *before <= size) {
            for id in [0, before - 1, before / 2, size / 2, size - 1] {
                let proof = Proof::new(head, id, Some(before));
                assert!(proof.missing().count() <= 24);
                let authentic = fetch(proof, &full).unwrap();
                assert_eq!(authentic.record(id), Some(leaf(id)), "{id} of {size}");
                let root = full.head(before).root;
                assert_eq!(authentic.root(before), Some(root), "{before} of {size}");
            }
        }
    }
}

#[test]
fn a_changed_bit_of_any_tile_is_noticed() {
    let full = Tree::of(70_000);
    let proof = Proof::new(full.head(70_000), 300, Some(66_000));
    let wanted: Vec<Place> = proof.missing().collect();
    assert!(wanted.len() >= 6, "{wanted:?}");
    for forged in &wanted {
        let bytes = proof.width(*forged) as usize * 32;
        for at in [0, bytes / 2, bytes - 1] {
            let mut proof = proof.clone();
            for place in &wanted {
                let mut tile = full.tile(*place, proof.width(*place)).unwrap();
                if place == forged {
                    tile[at] ^= 1;
                }
                proof.supply(*place, &tile).unwrap();
            }
            assert!(proof.authenticate().is_err(), "byte {at} of {forged:?}");
        }
    }
}

#[test]
fn a_tile_of_the_wrong_size_or_a_missing_one_proves_nothing() {
    let full = Tree::of(1000);
    let mut proof = Proof::new(full.head(1000), 999, None);
    let edge = Place::edge(1000, 0);
    let width = proof.width(edge);
    assert_eq!(width, 1000 - 768);
    let right = full.tile(edge, width).unwrap();
    let wide = [right.as_slice(), &[0; 32]].concat();
    for bytes in [&wide, &right[32..], &right[1..], &[]] {
        assert!(proof.supply(edge, bytes).is_err(), "{}", bytes.len());
    }
    assert!(proof.authenticate().is_err());
}

/// An earlier reader looked only at the tiles that make the root, and believed what stood in the others
/// (CVE-2026-56865).
#[test]
fn a_tile_that_only_a_parent_vouches_for_is_held_against_it() {
    let tree = Tree::of(1000);
    let head = tree.head(1000);
    let mut leaves: Vec<Hash> = (0..1000).map(leaf).collect();
    leaves[300] = record_hash(b"forged\n");
    let forged = Tree::new(leaves);
    let mut proof = Proof::new(head, 300, None);
    let wanted: Vec<Place> = proof.missing().collect();
    for place in &wanted {
        let liar = if *place == Place::of_record(300) {
            &forged
        } else {
            &tree
        };
        let tile = liar.tile(*place, proof.width(*place)).unwrap();
        proof.supply(*place, &tile).unwrap();
    }
    let naive_root = {
        let mut parts = Vec::new();
        for level in [1, 0] {
            let edge = Place::edge(1000, level);
            let tile = tree.tile(edge, edge.width(1000)).unwrap();
            let hashes = Hashes::new(&tile, edge.width(1000)).unwrap();
            parts.extend(hashes.parts(edge.width(1000)).unwrap());
        }
        root_hash(&parts)
    };
    assert_eq!(naive_root, Some(head.root), "the edge alone looks right");
    assert!(proof.authenticate().is_err());
}

#[test]
fn the_largest_trees_want_no_more_tiles_than_others() {
    for size in [1 << 62, (1 << 62) + 1, i64::MAX as u64, 1 << 56] {
        for id in [0, size / 3, size - 1] {
            for before in [None, Some(1), Some(size / 5), Some(size - 1), Some(size)] {
                let head = Head {
                    size,
                    root: [0; 32],
                };
                let proof = Proof::new(head, id, before);
                assert!(proof.missing().count() <= 24, "{size} {id} {before:?}");
                for place in proof.missing() {
                    assert!((1..=256).contains(&proof.width(place)));
                }
            }
        }
    }
}
