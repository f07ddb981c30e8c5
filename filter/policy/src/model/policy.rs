//! A compiled policy, and what it says of itself.

use std::borrow::Cow;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::backend::Backend;
use super::database::Database;
use super::draw;
use super::identity::{Kinds, Source};
use super::ids::{BackendId, RouteId, RuleId, RuleSetId, SplitId, TenantId, VariantId};
use super::integrity::{Integrity, Mode};
use super::rollout::{By, Rollout, RolloutSide};
use super::route::{Drawn, Failover, Route, RouteTable, RoutesTrial};
use super::route_key::RouteKey;
use super::rules::{self, Effect, MatchedRule, RuleDecisions, RuleSet, Subject, Verdict};
use super::splits::{Split, Splits};
use crate::document::{ANYONE, TestDoc};
use modgate_go::goproxy::Operation;

/// A compiled policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) version: String,
    pub(crate) hash: String,
    pub(crate) default: Effect,
    pub(crate) contact: Option<String>,
    /// Where the tenant's name can stand.
    pub identity: Vec<Source>,
    /// The request headers that sources read, in lower case, each once.
    pub identity_headers: Vec<String>,
    /// What is demanded of files.
    pub integrity: Integrity,
    /// Whether the access log is told of requests.
    pub access_log: bool,
    /// What must have named the tenant of every request.
    pub require: Kinds,
    /// Whether the client's `authorization` was for the proxy in front and not for a backend.
    pub hides_authorization: bool,
    /// Whether the path alone says who asks.
    pub is_tenant_in_path: bool,
    /// Whether everybody gets the same answers, whoever it is.
    pub are_tenants_alike: bool,
    /// The request headers that name the tenant to a cache in front.
    pub(crate) vary: Vec<String>,
    pub(crate) tenants: Vec<Tenant>,
    /// The tenants by name. The keys are the document's, so that no client can choose
    /// them to collide.
    pub(crate) tenants_by_name: HashMap<String, TenantId, FxBuildHasher>,
    pub(crate) rule_sets: Vec<RuleSet>,
    pub(crate) backends: Vec<Backend>,
    /// The routes in force.
    pub routes: RouteTable,
    /// The routes that are tried beside those.
    pub routes_trial: Option<RoutesTrial>,
    /// What the proxy's routes know the filter by, where they match a header.
    pub route_key: Option<RouteKey>,
    /// Whether a route depends on the host that is requested.
    pub routes_by_host: bool,
    pub(crate) sumdbs: Vec<Sumdb>,
    /// Which version of a module who is to get.
    pub splits: Splits,
    /// What draws depend on beside what they are for.
    pub(crate) seed: String,
    pub(crate) tests: Vec<TestDoc>,
}

/// What the policy knows of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name in the document; `*` for everybody else.
    pub name: String,
    /// Which of the policy's tenants it is.
    pub id: TenantId,
    /// Its rule sets, in order.
    pub(crate) rule_sets: Vec<RuleSetId>,
    /// What splits may tell it from other tenants by.
    pub tier: Option<String>,
    /// The rules that are tried beside them.
    pub rollout: Option<Rollout>,
    /// What must have named it.
    pub require: Kinds,
    /// What happens to its files that are not what they should be, where it has a mode of its own.
    pub(crate) integrity: Option<Mode>,
}

/// A checksum database that is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sumdb {
    /// Its name, as it stands in paths.
    pub name: String,
    /// Its backend; without one the routes decide.
    pub(crate) backend: Option<BackendId>,
}

impl Tenant {
    /// Whether another tenant gets the same answers to the same questions.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let by_nobody = |tenant: &Self| tenant.require == Kinds::default();
        self.rule_sets == other.rule_sets
            && self.rollout.is_none()
            && other.rollout.is_none()
            && self.integrity == other.integrity
            && by_nobody(self)
            && by_nobody(other)
    }

    /// Whether this is everybody whom no other tenant matches.
    pub fn is_anyone(&self) -> bool {
        self.name == ANYONE
    }
}

impl Policy {
    /// The document's own version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whom to ask, in every denial.
    pub fn contact(&self) -> Option<&str> {
        self.contact.as_deref()
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

    /// All routes, those in force and those that are tried beside them.
    pub fn all_routes(&self) -> impl Iterator<Item = &Route> {
        let tried = self
            .routes_trial
            .iter()
            .flat_map(|trial| trial.table.routes());
        self.routes().chain(tried)
    }

    /// The clusters in which several backends stand in for each other.
    pub fn failovers(&self) -> impl Iterator<Item = &Failover> {
        self.all_routes().flat_map(Route::failovers)
    }

    /// What stands in `x-modgate-cluster` for a cluster: its name, behind the route key if there is one.
    pub fn route_value<'c>(&self, cluster: &'c str) -> Cow<'c, str> {
        RouteKey::value_of(self.route_key.as_ref(), cluster)
    }

    /// The request headers that name the tenant, as clients send them, in lower case.
    pub fn vary(&self) -> &[String] {
        &self.vary
    }

    /// The tenants, sorted by name.
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// The tenant of that name; the `*` tenant where there is no such.
    pub fn tenant(&self, name: Option<&str>) -> Option<&Tenant> {
        let named = name.and_then(|name| self.tenants_by_name.get(name));
        let id = named.or_else(|| self.tenants_by_name.get(ANYONE))?;
        self.tenant_by_id(*id)
    }

    /// The tenant with this id, which a [`Tenant`] of the same policy has.
    pub fn tenant_by_id(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(id.0)
    }

    /// The splits, sorted by name.
    pub fn splits(&self) -> &[Split] {
        self.splits.all()
    }

    /// What the document expects of itself, in its order.
    pub fn tests(&self) -> &[TestDoc] {
        &self.tests
    }

    /// The checksum database that the filter itself asks for hashes.
    pub fn database(&self) -> Option<&Database> {
        self.integrity.database.as_ref()
    }

    /// Whether the document names this tenant.
    pub fn has_tenant(&self, name: &str) -> bool {
        self.tenants_by_name.contains_key(name)
    }

    /// The verdict on a tenant's request for a module or a version of it, by the rules of one side; see
    /// [`RuleOutcome::Probe`](super::RuleOutcome::Probe) for `is_probe`. Without a rollout there is only the active side.
    pub fn decide(
        &self,
        tenant: &Tenant,
        side: RolloutSide,
        module: &str,
        subject: &Subject<'_>,
        is_probe: bool,
    ) -> Verdict<'_> {
        let sets = self.sets_of(tenant, side);
        rules::decide(&sets, self.default, module, subject, is_probe)
    }

    /// The rule sets of one side of a tenant; most have one or two.
    pub(crate) fn sets_of(&self, tenant: &Tenant, side: RolloutSide) -> Vec<&RuleSet> {
        let ids = match (side, &tenant.rollout) {
            (RolloutSide::Candidate, Some(rollout)) => &rollout.candidate,
            _ => &tenant.rule_sets,
        };
        let sets = ids.iter();
        sets.filter_map(|id| self.rule_sets.get(id.0)).collect()
    }

    /// The verdict of one side's rules, which takes effect, and that of the other side's.
    pub fn decide_both(
        &self,
        tenant: &Tenant,
        side: RolloutSide,
        module: &str,
        subject: &Subject<'_>,
        is_probe: bool,
    ) -> RuleDecisions<'_> {
        let decide = |side| self.decide(tenant, side, module, subject, is_probe);
        RuleDecisions {
            effective: decide(side),
            shadow: tenant.rollout.as_ref().map(|_| decide(side.other())),
        }
    }

    /// The variant that is drawn for a key, and its bucket.
    pub fn draw_variant(
        &self,
        split: &Split,
        weights: &[u16],
        by: By,
        key: &str,
    ) -> (VariantId, u32) {
        let salt = ["modgate split", &*self.seed, &*split.name];
        let names = split.variants.iter().map(|variant| variant.name.as_str());
        let names = names.zip(weights.iter().copied());
        let (drawn, bucket) = draw::draw_for(&salt, [by.as_str(), key], names);
        (drawn.map_or(split.control, VariantId), bucket)
    }

    /// The backend that is drawn for a key, where one has a weight, and its bucket.
    pub fn draw_backend(&self, route: &str, drawn: &Drawn, key: &str) -> (Option<&Backend>, u32) {
        let salt = ["modgate route", &*self.seed, route];
        let names = self.backends.iter().map(|backend| backend.name.as_str());
        let names = names.zip(drawn.weights.iter().copied());
        let (place, bucket) = draw::draw_for(&salt, [drawn.by.as_str(), key], names);
        let backend = place.and_then(|place| self.backends.get(place));
        (backend, bucket)
    }

    /// The backend with this id, which a part of the same policy has.
    pub fn backend(&self, id: BackendId) -> Option<&Backend> {
        self.backends.get(id.0)
    }

    /// The split with this id, which a part of the same policy has.
    pub fn split(&self, id: SplitId) -> Option<&Split> {
        self.splits.get(id)
    }

    /// The route with this id, which a [`Route`] of the same policy has.
    pub fn route(&self, id: RouteId) -> Option<&Route> {
        let table = match id.side {
            RolloutSide::Active => &self.routes,
            RolloutSide::Candidate => &self.routes_trial.as_ref()?.table,
        };
        table.route(id)
    }

    /// The rule with this id, which a [`Verdict`] of the same policy has.
    pub fn rule(&self, id: RuleId) -> Option<MatchedRule<'_>> {
        let set = self.rule_sets.get(id.set.0)?;
        let rule = set.rules.get(id.rank as usize)?;
        Some(MatchedRule { id, set, rule })
    }

    /// The backend that the document gives to the checksum database of this operation.
    pub fn sumdb_backend(&self, operation: &Operation<'_>) -> Option<&Backend> {
        let Operation::Sumdb { database, .. } = operation else {
            return None;
        };
        let database = self.sumdbs.iter().find(|known| known.name == **database)?;
        self.backend(database.backend?)
    }

    /// The configured database whose name a path (behind `sumdb/`) begins with, and the rest.
    pub fn sumdb<'a>(&self, path: &'a str) -> Option<(&Sumdb, &'a str)> {
        self.sumdbs.iter().find_map(|database| {
            let rest = path
                .strip_prefix(database.name.as_str())?
                .strip_prefix('/')?;
            Some((database, rest))
        })
    }
}
