//! The policy: read from its document ([`document`]), compiled, and asked.

mod backend;
mod compile;
pub(crate) mod denial;
pub mod document;
mod duration;
mod error;
pub(crate) mod identity;
mod names;
pub(crate) mod paths;
pub mod pattern;
mod routes;
mod rules;

use std::collections::BTreeMap;

pub use backend::{Backend, BackendKind};
pub use denial::MAX_BYTES as MAX_DENIAL_BYTES;
pub use error::PolicyError;
pub use identity::Source;
pub use names::{ANYONE, is_name};
pub use rules::{Decision, Effect, Rule, RuleSet, Verdict};

use crate::route::{Route, RouteTable};
use document::Document;

/// A compiled policy.
#[derive(Clone, Debug)]
pub struct Policy {
    version: String,
    hash: String,
    default: Effect,
    pub(crate) contact: Option<String>,
    pub(crate) identity: Vec<Source>,
    tenants: BTreeMap<String, Tenant>,
    rule_sets: Vec<RuleSet>,
    backends: Vec<Backend>,
    pub(crate) routes: RouteTable,
    sumdbs: Vec<Sumdb>,
}

/// What the policy knows of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The places of its rule sets, in order.
    rule_sets: Vec<usize>,
}

/// A checksum database that is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sumdb {
    pub(crate) name: String,
    /// The place of its backend; without one the routes decide.
    pub(crate) backend: Option<usize>,
}

impl Policy {
    /// Reads and compiles a document (JSON).
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON path. Never empty.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let (document, hash) = Document::read(bytes).map_err(|error| vec![error])?;
        compile::compile(&document, hash)
    }

    /// The document's own version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The hash of the document's canonical form, 12 hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The backends, sorted by name.
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// The routes, by descending length of their prefix and then in the document's order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.routes()
    }

    /// The tenant of that name, and its name in the document; the `*` tenant where there is no such.
    pub fn tenant(&self, name: Option<&str>) -> Option<(&str, &Tenant)> {
        let named = name.and_then(|name| self.tenants.get_key_value(name));
        let (name, tenant) = named.or_else(|| self.tenants.get_key_value(ANYONE))?;
        Some((name, tenant))
    }

    /// The verdict on a tenant's request for a module; see [`Decision::Probe`] for `is_probe`.
    pub fn decide(&self, tenant: &Tenant, module: &str, is_probe: bool) -> Verdict<'_> {
        // Most tenants have one or two sets.
        let sets: Vec<&RuleSet> = tenant
            .rule_sets
            .iter()
            .filter_map(|&place| self.rule_sets.get(place))
            .collect();
        rules::decide(&sets, self.default, module, is_probe)
    }

    pub(crate) fn backend(&self, place: usize) -> Option<&Backend> {
        self.backends.get(place)
    }

    /// The backend that the document gives to a configured database.
    pub(crate) fn sumdb_backend(&self, name: &str) -> Option<&Backend> {
        let database = self.sumdbs.iter().find(|database| database.name == name)?;
        self.backend(database.backend?)
    }

    /// The configured database whose name a path (behind `sumdb/`) begins with, and the rest.
    pub(crate) fn sumdb<'a>(&self, path: &'a str) -> Option<(&Sumdb, &'a str)> {
        self.sumdbs.iter().find_map(|database| {
            let rest = path
                .strip_prefix(database.name.as_str())?
                .strip_prefix('/')?;
            Some((database, rest))
        })
    }
}

#[cfg(test)]
mod tests;
