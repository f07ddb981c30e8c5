//! The hashes that were seen first, as they lie in the memory that a proxy's workers share.
//!
//! The memory is cut into so many places, each under a key of its own and each with so many records,
//! so it has an end: what finds its place full is never recorded, and so stays unknown. A record is 16
//! bytes of the SHA-256 of the file's line in a go.sum, without its hash, and the hash.

use sha2::{Digest, Sha256};

use super::{Artifact, Checked, H1};

/// How many places there are.
const PLACES: u16 = 4096;

/// How many records fit into one, so that all take 6 MB at most.
const RECORDS: usize = 32;

const NAME: usize = 16;
const HASH: usize = 32;

/// The place and the name of a file's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    place: u16,
    name: [u8; NAME],
}

/// What a place says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was seen with this hash.
    Before(H1),
    /// It was not; this is the place with the file in it, to be written.
    Now(Vec<u8>),
    /// It was not, and there is no room for it, or the place is damaged.
    NoRoom,
}

impl Record {
    /// Of a file that is checked.
    pub fn of(checked: &Checked) -> Self {
        let artifact = match checked.artifact {
            Artifact::Zip => "",
            Artifact::GoMod => "/go.mod",
        };
        let (path, version) = (checked.module.path(), checked.module.version());
        let digest = Sha256::digest(format!("{path} {version}{artifact}"));
        let mut bytes = digest.iter().copied();
        let mut name = [0; NAME];
        name.fill_with(|| bytes.next().unwrap_or_default());
        let high = bytes.next().unwrap_or_default();
        let low = bytes.next().unwrap_or_default();
        Self {
            place: u16::from_le_bytes([low, high]) % PLACES,
            name,
        }
    }

    /// The key of its place.
    pub fn key(&self) -> String {
        key(self.place)
    }

    /// The keys of all places. They must be there, empty, before the first file comes: only what is
    /// there can be changed without losing what another worker writes at the same time.
    pub fn keys() -> impl Iterator<Item = String> {
        (0..PLACES).map(key)
    }

    /// Looks a file with this hash up in its place.
    pub fn look_up(&self, place: &[u8], h1: H1) -> Seen {
        let records = place.chunks_exact(NAME + HASH);
        if !records.remainder().is_empty() {
            return Seen::NoRoom;
        }
        let count = records.len();
        for record in records {
            let Some((name, hash)) = record.split_at_checked(NAME) else {
                return Seen::NoRoom;
            };
            if name == self.name {
                let known: Option<[u8; HASH]> = hash.try_into().ok();
                return known.map_or(Seen::NoRoom, |known| Seen::Before(H1::from_bytes(known)));
            }
        }
        if count >= RECORDS {
            return Seen::NoRoom;
        }
        Seen::Now([place, &self.name, h1.as_bytes()].concat())
    }
}

fn key(place: u16) -> String {
    format!("modgate.first_seen.{place}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::Evidence;
    use crate::module::ModuleVersion;

    fn record(version: &str, artifact: Artifact) -> Record {
        Record::of(&Checked {
            module: ModuleVersion::new("corp.example/lib", version).unwrap(),
            artifact,
            evidence: Evidence::FirstSeen,
            enforce: true,
            refuse_unknown: true,
            refuse_unavailable: true,
            holds_headers: false,
        })
    }

    #[test]
    fn what_was_seen_is_found_again_and_a_place_has_an_end() {
        let hash = |n: u8| H1::from_bytes([n; 32]);
        let mut place = Vec::new();
        for n in 0..RECORDS as u8 {
            let record = record(&format!("v1.0.{n}"), Artifact::Zip);
            let Seen::Now(with) = record.look_up(&place, hash(n)) else {
                panic!("{n} finds no room");
            };
            place = with;
            assert_eq!(record.look_up(&place, hash(99)), Seen::Before(hash(n)));
        }
        let another = record("v2.0.0+incompatible", Artifact::Zip);
        assert_eq!(another.look_up(&place, hash(1)), Seen::NoRoom);
        let damaged = place.get(1..).unwrap();
        assert_eq!(another.look_up(damaged, hash(1)), Seen::NoRoom);
        assert_ne!(
            record("v1.0.0", Artifact::Zip),
            record("v1.0.0", Artifact::GoMod)
        );
    }
}
