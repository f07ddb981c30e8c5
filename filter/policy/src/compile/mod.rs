//! From the document to what decides. Every error is found, not only the first.

mod backends;
pub(crate) mod database;
mod errors;
mod expectations;
mod identity;
mod integrity;
#[cfg(test)]
mod name_tests;
mod paths;
pub(crate) mod private;
mod read;
mod redirects;
pub(crate) mod rollout;
mod routes;
#[cfg(test)]
mod shape_tests;
mod splits;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod version_tests;
mod weights;

use std::collections::BTreeMap;

use crate::document::{
    ANYONE, DefaultDoc, Document, GoModDoc, MAX_CONTACT, MAX_REASON, Path, PolicyError, RolloutDoc,
    RuleDoc, SumdbDoc, TenantDoc, Text, duration, text_error,
};
use crate::model::identity::{Kinds, Source};
use crate::model::route::RouteTable;
use crate::model::{
    Backend, BackendId, Effect, LONGEST_ROUTE_KEY, Policy, Rollout, RolloutSide, RouteKey, Rule,
    RuleSet, RuleSetId, SHORTEST_ROUTE_KEY, Sumdb, Tenant, TenantId, VersionSet,
};
use crate::pattern::{Meaning, PatternSetBuilder, Rank};
pub(crate) use errors::Errors;
pub use expectations::expected;

/// The database that the Go command asks when it is told nothing else.
const DEFAULT_SUMDB: &str = "sum.golang.org";

/// The longest `version` of a document, in bytes.
const MAX_VERSION: usize = 128;

/// Compiles a document.
pub(crate) fn compile(document: &Document, hash: String) -> Result<Policy, Vec<PolicyError>> {
    let root = Path::root();
    let mut errors = Errors::default();
    if let Some(message) = text_error(&document.version, MAX_VERSION) {
        errors.add(&root.key("version"), message);
    }
    let contact = document.contact.as_ref();
    if let Some(message) = contact.and_then(|contact| text_error(contact, MAX_CONTACT)) {
        errors.add(&root.key("contact"), message);
    }
    let sources = identity::sources(
        &mut errors,
        &root.key("identity"),
        &document.identity,
        &document.tenants,
    );
    let require = identity::kinds(
        &mut errors,
        &root.key("require"),
        &document.require,
        &sources,
    );
    let rule_sets: Vec<_> = document
        .rules
        .iter()
        .enumerate()
        .map(|(id, (name, rules))| {
            let at = root.key("rules");
            rule_set(&mut errors, &at, RuleSetId(id), (name, rules))
        })
        .collect();
    let tenants = tenants(
        &mut errors,
        &root.key("tenants"),
        &document.tenants,
        &rule_sets,
        &sources,
    );
    let backends = backends::compile(&mut errors, &root.key("backends"), &document.backends);
    let routes = routes::compile(
        &mut errors,
        &root.key("routes"),
        &document.routes,
        &backends,
        RolloutSide::Active,
    );
    let route_key = route_key(
        &mut errors,
        &root.key("route_key"),
        document.route_key.as_ref(),
    );
    let trial = document.routes_rollout.as_ref();
    let routes_trial = trial.and_then(|doc| {
        let at = root.key("routes_rollout");
        routes::trial(&mut errors, &at, doc, &routes, &backends)
    });
    let sumdbs = sumdbs(
        &mut errors,
        &root.key("sumdb"),
        document.sumdb.as_ref(),
        &backends,
    );
    expectations::check(&mut errors, &root, document);
    let private = private::compile(
        &mut errors,
        &root,
        document.integrity.as_ref(),
        document.sumdb.as_ref(),
    );
    let integrity = integrity::compile(
        &mut errors,
        &root,
        document.integrity.as_ref(),
        &document.tenants,
        &backends,
        private,
    );
    let identity_headers = identity::headers(&sources);
    backends::check_forwarded(
        &mut errors,
        &root.key("backends"),
        &backends,
        &identity_headers,
    );
    let splits = splits::compile(&mut errors, &root, document, &identity_headers);
    let tried = trial.map(|trial| &trial.candidate).into_iter().flatten();
    let mut all_routes = document.routes.iter().chain(tried);
    let is_drawn = all_routes.any(|route| route.backends.is_some());
    if document.seed.is_some() && document.splits.is_none() && !is_drawn {
        let message =
            "nothing is drawn by it: there are no splits, and no route has several backends";
        errors.add(&root.key("seed"), message);
    }
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    let tried = routes_trial.as_ref().map(|trial| &trial.table);
    let mut all_routes = [Some(&routes), tried]
        .into_iter()
        .flatten()
        .flat_map(RouteTable::routes);
    let routes_by_host = all_routes.any(|route| !route.hosts.is_empty());
    drop(all_routes);
    let policy = Policy {
        version: document.version.to_string(),
        hash,
        default: match document.default {
            DefaultDoc::Allow => Effect::Allow,
            DefaultDoc::Deny => Effect::Deny,
        },
        contact: document.contact.as_ref().map(ToString::to_string),
        is_tenant_in_path: sources.iter().all(Source::is_in_path),
        are_tenants_alike: are_alike(&tenants)
            && require == Kinds::default()
            && splits.all().is_empty(),
        vary: identity::vary(&sources),
        hides_authorization: sources.iter().any(Source::proves_by_authorization),
        identity_headers,
        identity: sources,
        require,
        integrity,
        access_log: document.access_log.unwrap_or(true),
        tenants_by_name: tenants.iter().map(|t| (t.name.clone(), t.id)).collect(),
        tenants,
        rule_sets,
        backends,
        route_key,
        routes_by_host,
        routes,
        routes_trial,
        sumdbs,
        splits,
        seed: document.seed.as_deref().unwrap_or_default().to_owned(),
        tests: document.tests.clone(),
    };
    splits::check_rules(&mut errors, &root, &policy);
    if errors.0.is_empty() {
        Ok(policy)
    } else {
        Err(errors.0)
    }
}

fn route_key(errors: &mut Errors, at: &Path, key: Option<&Text>) -> Option<RouteKey> {
    let key = key?;
    let compiled = RouteKey::new(key);
    if compiled.is_none() {
        // It is a secret, and the message goes to logs: it says nothing of what stands there.
        let message = format!(
            "use {SHORTEST_ROUTE_KEY} to {LONGEST_ROUTE_KEY} of A-Z, a-z, 0-9, _ and -, such as `openssl rand -hex 24` prints"
        );
        errors.add(at, message);
    }
    compiled
}

/// How a rule's patterns are meant.
pub(crate) fn meaning(rule: &RuleDoc) -> Meaning {
    let (denies, exact) = (rule.deny.is_some(), rule.exact.unwrap_or(false));
    Meaning {
        allows: !denies,
        exact,
        fold_case: denies && rule.fold_case.unwrap_or(false),
        covers_below: denies && !exact,
    }
}

fn rule_set(
    errors: &mut Errors,
    at: &Path,
    id: RuleSetId,
    (name, rules): (&str, &[RuleDoc]),
) -> RuleSet {
    let at = at.key(name);
    errors.check_name(&at, "rule set", name);
    let mut builder = PatternSetBuilder::default();
    let mut compiled: Vec<Rule> = Vec::with_capacity(rules.len());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, rule) in rules.iter().enumerate() {
        let at = at.index(i);
        errors.check_name(&at.key("id"), "rule", &rule.id);
        if let Some(first) = seen.insert(&rule.id, i) {
            let message = format!("the rule {:?} is already at [{first}]", &*rule.id);
            errors.add(&at.key("id"), message);
        }
        let reason = rule.reason.as_ref();
        if let Some(message) = reason.and_then(|reason| text_error(reason, MAX_REASON)) {
            errors.add(&at.key("reason"), message);
        }
        let meaning = meaning(rule);
        let effect = match (&rule.allow, &rule.deny) {
            (Some(patterns), None) => {
                errors.add_patterns(&at.key("allow"), patterns, &mut builder, i as Rank, meaning);
                Effect::Allow
            }
            (None, Some(patterns)) => {
                errors.add_patterns(&at.key("deny"), patterns, &mut builder, i as Rank, meaning);
                Effect::Deny
            }
            _ => {
                errors.add(
                    &at,
                    "give exactly one of allow and deny, a list of patterns",
                );
                Effect::Deny
            }
        };
        if rule.hide.is_some() && rule.deny.is_none() {
            errors.add(&at.key("hide"), "only what is denied can be hidden");
        }
        if rule.fold_case.is_some() && rule.deny.is_none() {
            let message = "only a denial may ignore case: to Go these are two modules";
            errors.add(&at.key("fold_case"), message);
        }
        let is_by_version =
            rule.versions.is_some() || rule.except.is_some() || rule.min_age.is_some();
        if rule.go_mod.is_some() && rule.allow.is_some() && !is_by_version {
            let message = "only a rule about versions (versions, except, min_age) can mean their \
                           go.mod files too";
            errors.add(&at.key("go_mod"), message);
        }
        let mut versions = |key: &str, text: Option<&Text>| {
            let parsed = VersionSet::parse(text?);
            parsed
                .map_err(|message| errors.add(&at.key(key), message))
                .ok()
        };
        let (in_versions, except) = (
            versions("versions", rule.versions.as_ref()),
            versions("except", rule.except.as_ref()),
        );
        let min_age = rule.min_age.as_ref().and_then(|text| {
            duration::parse(text)
                .map_err(|message| errors.add(&at.key("min_age"), message))
                .ok()
        });
        compiled.push(Rule {
            id: rule.id.to_string(),
            effect,
            reason: rule.reason.as_ref().map(ToString::to_string),
            hide: rule.hide.unwrap_or(false),
            versions: in_versions,
            except,
            exact: meaning.exact,
            min_age,
            // Whose module it is shall not be seen in a go.mod file either.
            covers_go_mod: rule.go_mod == Some(GoModDoc::Deny) || rule.hide == Some(true),
        });
    }
    RuleSet {
        id,
        name: name.to_owned(),
        rules: compiled,
        patterns: builder.build(),
    }
}

fn tenants(
    errors: &mut Errors,
    at: &Path,
    tenants: &BTreeMap<String, TenantDoc>,
    rule_sets: &[RuleSet],
    sources: &[Source],
) -> Vec<Tenant> {
    if tenants.is_empty() {
        errors.add(
            at,
            "no tenant: everything would be refused; \"*\" stands for everybody",
        );
    }
    let mut compiled = Vec::with_capacity(tenants.len());
    for (name, tenant) in tenants {
        let at = at.key(name);
        if name != ANYONE {
            errors.check_name(&at, "tenant", name);
        }
        let rollout = tenant.rollout.as_ref();
        if let Some(tier) = &tenant.tier {
            errors.check_name(&at.key("tier"), "tier", tier);
        }
        compiled.push(Tenant {
            name: name.clone(),
            id: TenantId(compiled.len()),
            tier: tenant.tier.as_ref().map(ToString::to_string),
            rule_sets: named_sets(errors, &at.key("rules"), &tenant.rules, rule_sets),
            rollout: rollout.and_then(|doc| rollout_of(errors, &at.key("rollout"), doc, rule_sets)),
            integrity: tenant.integrity.map(integrity::mode),
            require: identity::kinds(errors, &at.key("require"), &tenant.require, sources),
        });
    }
    compiled
}

/// The places of the rule sets that a tenant names.
fn named_sets(
    errors: &mut Errors,
    at: &Path,
    names: &[Text],
    rule_sets: &[RuleSet],
) -> Vec<RuleSetId> {
    let mut sets = Vec::with_capacity(names.len());
    for (i, set) in names.iter().enumerate() {
        let at = at.index(i);
        if let Some(first) = names.iter().take(i).position(|known| known == set) {
            let message = format!("the rule set {:?} is already at [{first}]", &**set);
            errors.add(&at, message);
        }
        let found = errors.find(&at, "rule set", set, rule_sets, |set| &set.name);
        sets.extend(found.map(RuleSetId));
    }
    sets
}

/// A tenant's rollout; `None` where it is off.
fn rollout_of(
    errors: &mut Errors,
    at: &Path,
    doc: &RolloutDoc,
    rule_sets: &[RuleSet],
) -> Option<Rollout> {
    let candidate = named_sets(errors, &at.key("candidate"), &doc.candidate, rule_sets);
    let stage = rollout::stage(errors, at, doc.stage, doc.percent, doc.by)?;
    Some(Rollout { candidate, stage })
}

/// Whether it is nothing to an answer who asks: nobody is refused for being nobody, either.
fn are_alike(tenants: &[Tenant]) -> bool {
    let anyone = tenants.iter().find(|tenant| tenant.is_anyone());
    anyone.is_some_and(|anyone| tenants.iter().all(|tenant| tenant.is_like(anyone)))
}

fn sumdbs(
    errors: &mut Errors,
    at: &Path,
    databases: Option<&BTreeMap<String, SumdbDoc>>,
    backends: &[Backend],
) -> Vec<Sumdb> {
    let Some(databases) = databases else {
        return vec![Sumdb {
            name: DEFAULT_SUMDB.to_owned(),
            backend: None,
        }];
    };
    let mut compiled = Vec::with_capacity(databases.len());
    for (name, database) in databases {
        let at = at.key(name);
        if let Err(message) = paths::database_name(name) {
            errors.add(&at, message);
        }
        let backend = database.backend.as_deref().and_then(|backend| {
            let at = at.key("backend");
            errors.find(&at, "backend", backend, backends, |backend| &backend.name)
        });
        let backend = backend.map(BackendId);
        compiled.push(Sumdb {
            name: name.clone(),
            backend,
        });
    }
    // The longest name first, so that one may be the beginning of another.
    compiled.sort_by_key(|database| std::cmp::Reverse(database.name.len()));
    compiled
}
