//! The hashes that were seen first, as they lie in the memory that a proxy's workers share.
//!
//! A record is 16 bytes of a keyed digest of the file's name, and the file's hash. Records lie in
//! places, each under a key of its own; the digest says in which. The key is the process's secret, so
//! nobody outside can choose names that share a place.
//!
//! The memory has an end, and nothing in it is ever given up: what could be pushed out could be forged.
//! So that nobody can fill it and leave others without room, a new record is taken only while its tenant
//! and its module have less than what is left for all ([`Share`]): one that takes all it can gets half,
//! the next one half of the rest, and there is always some for who comes then.

use sha2::{Digest, Sha256};

use super::Checked;
use crate::gomod::{Artifact, H1};

/// How many places there are.
const PLACES: u32 = 32_768;

/// How many records fit into one: four times as many as there are on average when the memory is full.
const RECORDS: usize = 128;

/// How many records there can be, so that all take 50 MB at most.
pub const MOST: u32 = 1_048_576;

/// How many counts there are for all modules; some share one.
const MODULE_COUNTS: u32 = 4096;

const NAME: usize = 16;
const HASH: usize = 32;

/// The place and the name of a file's record, and who has to have room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    place: u32,
    name: [u8; NAME],
    module: u32,
    tenant: String,
}

/// What a slot records of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was seen with this hash.
    Before(H1),
    /// It was not; this is the place with the file in it, to be written where there is room.
    New(Vec<u8>),
    /// It was not, and its place is full, or damaged.
    NoRoom,
}

/// How many records there are: of all, of a record's tenant, and of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of all.
    pub all: u32,
    /// Of the tenant.
    pub tenant: u32,
    /// Of the module, or of some modules that share its count.
    pub module: u32,
}

impl Share {
    /// Whether one more may be taken: who has as much as is left for everybody takes no more.
    pub const fn has_room(self) -> bool {
        let left = MOST.saturating_sub(self.all);
        self.tenant < left && self.module < left
    }
}

impl Record {
    /// Of a file that is checked, by the process's secret.
    pub fn of(checked: &Checked, secret: &[u8]) -> Self {
        let artifact = match checked.artifact {
            Artifact::Zip => "",
            Artifact::GoMod => "/go.mod",
        };
        let (path, version) = (checked.module.path(), checked.module.version());
        // None of these has a line break.
        let source = checked.remembered.source.as_deref();
        let source = source.map_or(String::new(), |name| format!("from {name}"));
        let digest = keyed(secret, &["file", path, version, artifact, &source]);
        let (name, rest) = digest.split_first_chunk().unwrap_or((&[0; NAME], &[]));
        Self {
            place: number(rest) % PLACES,
            name: *name,
            module: number(&keyed(secret, &["module", path])) % MODULE_COUNTS,
            tenant: checked.remembered.tenant.clone(),
        }
    }

    /// The key of its place.
    pub fn key(&self) -> String {
        format!("modgate.first_seen.{}", self.place)
    }

    /// The keys of the counts of all records, of those of its tenant, and of its module.
    pub fn count_keys(&self) -> [String; 3] {
        [
            "modgate.first_seen.count".to_owned(),
            format!("modgate.first_seen.count.tenant.{}", self.tenant),
            format!("modgate.first_seen.count.module.{}", self.module),
        ]
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
        Seen::New([place, &self.name, h1.as_bytes()].concat())
    }
}

fn keyed(secret: &[u8], parts: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(secret);
    for part in parts {
        digest.update(part);
        digest.update(b"\n");
    }
    digest.finalize().into()
}

fn number(bytes: &[u8]) -> u32 {
    let first = bytes.first_chunk().copied();
    u32::from_le_bytes(first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::checked::{Evidence, RememberedBy};
    use super::*;
    use crate::gomod::ModuleVersion;

    const SECRET: &[u8] = b"of this process.";

    fn checked(module: &str, version: &str, artifact: Artifact) -> Checked {
        Checked {
            module: ModuleVersion::new(module, version).unwrap(),
            artifact,
            evidence: Evidence::FirstSeen,
            remembered: RememberedBy {
                source: Some("main".to_owned()),
                tenant: "web".to_owned(),
            },
            enforce: true,
            refuse_unknown: true,
            refuse_no_room: true,
            refuse_unavailable: true,
            holds_headers: false,
        }
    }

    fn record(version: &str, artifact: Artifact) -> Record {
        Record::of(&checked("corp.example/lib", version, artifact), SECRET)
    }

    #[test]
    fn what_was_seen_is_found_again_and_a_place_has_an_end() {
        let hash = |n: u8| H1::from_bytes([n; 32]);
        let mut place = Vec::new();
        for n in 0..RECORDS as u8 {
            let record = record(&format!("v1.0.{n}"), Artifact::Zip);
            let Seen::New(with) = record.look_up(&place, hash(n)) else {
                panic!("{n} finds no room");
            };
            place = with;
            assert_eq!(record.look_up(&place, hash(99)), Seen::Before(hash(n)));
        }
        let another = record("v2.0.0+incompatible", Artifact::Zip);
        assert_eq!(another.look_up(&place, hash(1)), Seen::NoRoom);
        let damaged = place.get(1..).unwrap();
        assert_eq!(another.look_up(damaged, hash(1)), Seen::NoRoom);
    }

    #[test]
    fn each_file_of_each_backend_has_a_name_of_its_own() {
        let lib = || checked("corp.example/lib", "v1.0.0", Artifact::Zip);
        let mut others = vec![
            checked("corp.example/lib", "v1.0.0", Artifact::GoMod),
            checked("corp.example/lib", "v1.0.1", Artifact::Zip),
            checked("corp.example/other", "v1.0.0", Artifact::Zip),
        ];
        for source in [None, Some("second"), Some("")] {
            let mut other = lib();
            other.remembered.source = source.map(ToOwned::to_owned);
            others.push(other);
        }
        let mut names = vec![Record::of(&lib(), SECRET).name];
        names.extend(others.iter().map(|other| Record::of(other, SECRET).name));
        names.push(Record::of(&lib(), b"of another one..").name);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        // Who wants it is no part of its name.
        let mut by_another = lib();
        by_another.remembered.tenant = "ci".to_owned();
        assert_eq!(
            Record::of(&by_another, SECRET).name,
            Record::of(&lib(), SECRET).name
        );
    }

    #[test]
    fn slots_of_versions_cannot_be_predicted() {
        // Chosen by one secret, 40 versions lie in one place; by another they do not.
        let versions = (0..).map(|n| format!("v1.{}.{}", n / 1000, n % 1000));
        let of = |version: &str, secret| {
            Record::of(&checked("corp.example/lib", version, Artifact::Zip), secret).place
        };
        let few = |place: u32| place % 1024 == 7;
        let chosen: Vec<String> = versions
            .filter(|version| few(of(version, SECRET)))
            .take(40)
            .collect();
        let still = chosen.iter().filter(|version| few(of(version, b"another")));
        assert!(still.count() < 4);
    }

    #[test]
    fn who_takes_all_that_there_is_leaves_room_for_the_next() {
        let mut all = 0;
        let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
        for tenant in 0..4 {
            let of_tenant = taken.entry(tenant).or_default();
            let share = |all, tenant| Share {
                all,
                tenant,
                module: 0,
            };
            while share(all, *of_tenant).has_room() {
                all += 1;
                *of_tenant += 1;
            }
        }
        assert_eq!(
            taken.values().copied().collect::<Vec<_>>(),
            [MOST / 2, MOST / 4, MOST / 8, MOST / 16]
        );
        let module = Share {
            all: MOST / 2,
            tenant: 0,
            module: MOST / 2,
        };
        assert!(!module.has_room());
        assert!(
            !Share {
                all: u32::MAX,
                tenant: 0,
                module: 0
            }
            .has_room()
        );
    }

    #[test]
    fn a_full_memory_has_no_full_place() {
        // Evenly spread, as by a secret that nobody knows, over the places.
        let mut counts = vec![0_usize; PLACES as usize];
        for n in 0..MOST {
            let digest = keyed(SECRET, &[&n.to_string()]);
            counts[(number(&digest) % PLACES) as usize] += 1;
        }
        assert!(counts.iter().max() < Some(&(RECORDS * 3 / 4)));
    }
}
