//! What the policy wants checked, and against what.

use std::collections::HashMap;

use super::backend::Backend;
use super::database::Database;
use super::policy::Tenant;
use super::private::PrivateNames;
use crate::pattern::PatternSet;
use modgate_go::gomod::{Artifact, GoSumLine, H1, ModuleVersion};
use modgate_go::goproxy::OperationName;
use modgate_go::integrity::{Checked, Evidence, RememberedBy};

/// What happens to a file that is not what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is checked.
    #[default]
    Off,
    /// It is counted and logged, and served.
    Shadow,
    /// It does not reach the client whole.
    Enforce,
}

/// What is demanded of files, as the policy says.
#[derive(Clone, Debug, Default)]
pub struct Integrity {
    pub(crate) mode: Mode,
    pub(crate) pins: Pins,
    /// The checksum database that is asked.
    pub(crate) database: Option<Database>,
    /// The modules of which no database hears but their own, this one included.
    pub private: PrivateNames,
    /// The modules whose first hash that was seen is the one that counts.
    pub(crate) first_seen: Option<PatternSet>,
    /// Whether each backend has a first hash of its own.
    pub(crate) is_seen_by_backend: bool,
    /// Whether a file is refused whose first hash finds no room, where the mode enforces.
    pub(crate) refuse_no_room: bool,
    /// Whether a file without a known hash is refused, where the mode enforces.
    pub(crate) refuse_unknown: bool,
    /// Whether the proxy lets a filter hold an answer's headers while its body comes.
    pub(crate) holds_headers: bool,
}

/// The hashes that the policy itself gives.
#[derive(Clone, Debug, Default)]
pub struct Pins(HashMap<(ModuleVersion, Artifact), H1>);

impl Pins {
    /// Adds a line of a go.sum; `Err` is the other hash that another line has for the file.
    pub(crate) fn add(&mut self, line: GoSumLine) -> Result<(), H1> {
        let file = (line.module, line.artifact);
        let known = *self.0.entry(file).or_insert(line.h1);
        if known == line.h1 { Ok(()) } else { Err(known) }
    }

    fn get(&self, file: &(ModuleVersion, Artifact)) -> Option<H1> {
        self.0.get(file).copied()
    }
}

/// What is to be done with the answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// It is no file that is checked.
    #[default]
    Pass,
    /// Nothing is known of the file, and the policy lets it pass.
    Unknown(Artifact),
    /// Nothing is known of the file, and the policy refuses it.
    Refuse(Artifact),
    /// It is hashed and compared.
    Check(Checked),
}

impl Integrity {
    /// What to do with the answer of a backend to a tenant's request for this file.
    pub fn plan(
        &self,
        tenant: &Tenant,
        backend: &Backend,
        operation: OperationName,
        (module, version): (Option<&str>, Option<&str>),
    ) -> Plan {
        let artifact = match operation {
            OperationName::Zip => Artifact::Zip,
            OperationName::Mod => Artifact::GoMod,
            _ => return Plan::Pass,
        };
        let enforce = match tenant.integrity.unwrap_or(self.mode) {
            Mode::Off => return Plan::Pass,
            Mode::Shadow => false,
            Mode::Enforce => true,
        };
        let unknown = || {
            if enforce && self.refuse_unknown {
                Plan::Refuse(artifact)
            } else {
                Plan::Unknown(artifact)
            }
        };
        let (Some(path), Some(version)) = (module, version) else {
            return unknown();
        };
        let Ok(module) = ModuleVersion::new(path, version) else {
            return unknown();
        };
        let file = (module, artifact);
        let evidence = match self.pins.get(&file) {
            Some(h1) => Evidence::Pin(h1),
            None if self.is_in_database(path) => Evidence::Sumdb {
                or_first_seen: self.is_remembered(path),
            },
            None if self.is_remembered(path) => Evidence::FirstSeen,
            None => return unknown(),
        };
        let (module, artifact) = file;
        Plan::Check(Checked {
            module,
            artifact,
            evidence,
            remembered: RememberedBy {
                source: self.is_seen_by_backend.then(|| backend.name.clone()),
                tenant: tenant.name.clone(),
            },
            enforce,
            refuse_unknown: self.refuse_unknown,
            refuse_no_room: self.refuse_no_room,
            refuse_unavailable: self.database.as_ref().is_none_or(|d| d.refuse_unavailable),
            holds_headers: self.holds_headers,
        })
    }

    fn is_in_database(&self, path: &str) -> bool {
        let database = self.database.as_ref();
        database.is_some_and(|database| !self.private.is_not_queried(database.key.name(), path))
    }

    fn is_remembered(&self, path: &str) -> bool {
        let patterns = self.first_seen.as_ref();
        patterns.is_some_and(|patterns| patterns.first_match(path).is_some())
    }
}
