//! Compiles the document's routes into the table by prefix, and those that are tried beside them.

use std::collections::BTreeMap;

use super::errors::Errors;
use super::{paths, rollout, weights};
use crate::document::{OnFailureDoc, Path, RouteDoc, RoutesRolloutDoc, Text};
use crate::model::route::{
    Drawn, Failover, HostPattern, Route, RouteSpace, RouteTable, RoutesTrial, To,
};
use crate::model::{Backend, BackendId, By, RolloutSide, RouteId};
use crate::pattern::{Meaning, PatternSetBuilder};
use modgate_go::http::headers::{CANDIDATE_FAILOVER_PREFIX, FAILOVER_PREFIX};

/// The routes of one prefix, while they are collected.
#[derive(Default)]
struct Space {
    routes: Vec<Route>,
    modules: PatternSetBuilder,
    any_module: Vec<u32>,
    /// The id of the route that leaves nothing to those behind it.
    catch_all: Option<String>,
}

/// Compiles a list of routes: those in force, or those that are tried.
pub(crate) fn compile(
    errors: &mut Errors,
    at: &Path,
    routes: &[RouteDoc],
    backends: &[Backend],
    side: RolloutSide,
) -> RouteTable {
    if routes.is_empty() {
        errors.add(at, "at least one route is required");
    }
    let mut spaces: BTreeMap<String, Space> = BTreeMap::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, route) in routes.iter().enumerate() {
        let at = at.index(i);
        errors.check_name(&at.key("id"), "route", &route.id);
        if let Some(first) = seen.insert(&route.id, i) {
            let message = format!("the route {:?} is already defined at [{first}]", &*route.id);
            errors.add(&at.key("id"), message);
        }
        add(errors, &at, route, backends, side, &mut spaces);
    }
    let mut spaces: Vec<_> = spaces
        .into_iter()
        .map(|(prefix, space)| RouteSpace {
            prefix,
            routes: space.routes,
            modules: space.modules.build(),
            any_module: space.any_module,
        })
        .collect();
    spaces.sort_by_key(|space| std::cmp::Reverse(space.prefix.len()));
    for (place, space) in spaces.iter_mut().enumerate() {
        for route in &mut space.routes {
            route.key.space = place;
        }
    }
    RouteTable { spaces }
}

/// Compiles `routes_rollout`; `None` where it is off.
pub(crate) fn trial(
    errors: &mut Errors,
    at: &Path,
    doc: &RoutesRolloutDoc,
    routes: &RouteTable,
    backends: &[Backend],
) -> Option<RoutesTrial> {
    let stage = rollout::stage(errors, at, doc.stage, doc.percent, doc.by);
    let at = at.key("candidate");
    let table = compile(
        errors,
        &at,
        &doc.candidate,
        backends,
        RolloutSide::Candidate,
    );
    if !table.prefixes().eq(routes.prefixes()) {
        let message = "its path prefixes must be those of `routes`, because a path is parsed the same way in a trial";
        errors.add(&at, message);
    }
    Some(RoutesTrial {
        table,
        stage: stage?,
    })
}

fn add(
    errors: &mut Errors,
    at: &Path,
    route: &RouteDoc,
    backends: &[Backend],
    side: RolloutSide,
    spaces: &mut BTreeMap<String, Space>,
) {
    let to = to(errors, at, route, backends, side);
    let hosts = hosts(errors, &at.key("hosts"), route.hosts.as_deref());
    let prefix = match &route.path_prefix {
        None => String::new(),
        Some(prefix) => match paths::route_prefix(prefix) {
            Ok(prefix) => prefix,
            Err(message) => return errors.add(&at.key("path_prefix"), message),
        },
    };
    let upstream_prefix = match &route.rewrite {
        Some(_) if prefix.is_empty() => {
            let message = "rewrite needs a path_prefix to replace; use the backend's base_path";
            return errors.add(&at.key("rewrite"), message);
        }
        Some(rewrite) => match paths::upstream_path(rewrite) {
            Ok(path) => path,
            Err(message) => return errors.add(&at.key("rewrite"), message),
        },
        // As with an Envoy route without prefix_rewrite, the prefix goes upstream.
        None => match prefix.strip_suffix('/') {
            Some(prefix) => format!("/{prefix}"),
            None => String::new(),
        },
    };
    let space = spaces.entry(prefix).or_default();
    if let Some(first) = &space.catch_all {
        let message = format!(
            "the earlier route {first:?} matches every module, so this one can never match"
        );
        return errors.add(at, message);
    }
    let place = space.routes.len() as u32;
    match &route.modules {
        Some(patterns) => {
            let at = at.key("modules");
            errors.add_patterns(&at, patterns, &mut space.modules, place, Meaning::default());
        }
        None => {
            space.any_module.push(place);
            if hosts.is_empty() {
                space.catch_all = Some(route.id.to_string());
            }
        }
    }
    space.routes.push(Route {
        key: RouteId {
            side,
            // Which that is shows once all are there.
            space: 0,
            rank: place,
        },
        id: route.id.to_string(),
        hosts,
        to,
        upstream_prefix,
    });
}

fn hosts(errors: &mut Errors, at: &Path, hosts: Option<&[Text]>) -> Vec<HostPattern> {
    let Some(hosts) = hosts else {
        return Vec::new();
    };
    if hosts.is_empty() {
        errors.add(
            at,
            "an empty list matches no host; leave it out to match all",
        );
    }
    let mut compiled = Vec::with_capacity(hosts.len());
    for (i, host) in hosts.iter().enumerate() {
        match paths::host_pattern(host) {
            Ok(pattern) => compiled.push(pattern),
            Err(message) => errors.add(&at.index(i), message),
        }
    }
    compiled
}

fn to(
    errors: &mut Errors,
    at: &Path,
    route: &RouteDoc,
    backends: &[Backend],
    side: RolloutSide,
) -> To {
    if route.backends.is_none() {
        if route.by.is_some() {
            errors.add(&at.key("by"), "`by` needs `backends`");
        }
        if route.on_failure == Some(OnFailureDoc::Next) {
            let message = "`on_failure` needs `backends`; one may have a weight of 0";
            errors.add(&at.key("on_failure"), message);
        }
    }
    match (&route.backend, &route.backends) {
        (Some(name), None) => {
            let found = errors.find(&at.key("backend"), "backend", name, backends, |b| &b.name);
            To::Backend(BackendId(found.unwrap_or_default()))
        }
        (None, Some(shares)) => {
            let at_shares = at.key("backends");
            let weights =
                weights::compile(errors, &at_shares, "backend", shares, backends, |b| &b.name);
            let failovers = match route.on_failure {
                None | Some(OnFailureDoc::Fail) => Vec::new(),
                Some(OnFailureDoc::Next) => {
                    let all: Vec<&Backend> = backends
                        .iter()
                        .filter(|backend| shares.contains_key(&backend.name))
                        .collect();
                    check_fallbacks(errors, &at.key("on_failure"), &all);
                    let prefix = match side {
                        RolloutSide::Active => FAILOVER_PREFIX,
                        RolloutSide::Candidate => CANDIDATE_FAILOVER_PREFIX,
                    };
                    failovers(&format!("{prefix}{}.", &*route.id), &all, &weights)
                }
            };
            To::Drawn(Drawn {
                weights,
                by: route.by.map_or(By::Module, By::of),
                failovers,
            })
        }
        _ => {
            errors.add(at, "give exactly one of backend and backends");
            To::Backend(BackendId(0))
        }
    }
}

/// A request that goes to another backend is the one that was written for the first.
fn check_fallbacks(errors: &mut Errors, at: &Path, backends: &[&Backend]) {
    let Some((first, others)) = backends.split_first() else {
        return;
    };
    if others.is_empty() {
        errors.add(at, "a single backend has no fallback");
    }
    for (i, other) in others.iter().enumerate() {
        let differs = [
            ("base_path", first.base_path != other.base_path),
            ("authority", first.authority != other.authority),
            ("headers", first.headers != other.headers),
            (
                "forward_headers",
                first.forward_headers != other.forward_headers,
            ),
            ("redirects", first.redirects != other.redirects),
            (
                "age",
                first.age_by_last_modified != other.age_by_last_modified,
            ),
        ];
        for (key, _) in differs.iter().filter(|(_, differs)| *differs) {
            let message = format!(
                "the backends {:?} and {:?} differ in {key}; a retry sends the second one what was meant for the first",
                first.name, other.name
            );
            errors.add(at, message);
        }
        let mut before = backends.iter().take(i + 1);
        if let Some(same) = before.find(|before| before.cluster == other.cluster) {
            let message = format!(
                "the backends {:?} and {:?} have the same cluster, so they fail together",
                same.name, other.name
            );
            errors.add(at, message);
        }
    }
}

/// For each backend the cluster in which it is asked first, and then the others, the heaviest before the
/// lighter ones.
fn failovers(cluster_prefix: &str, backends: &[&Backend], weights: &[u16]) -> Vec<Failover> {
    let mut by_weight: Vec<BackendId> = backends.iter().map(|backend| backend.id).collect();
    by_weight.sort_by_key(|id| std::cmp::Reverse(weights.get(id.0).copied()));
    let order = |first: BackendId| {
        let others = by_weight.iter().copied().filter(|&id| id != first);
        std::iter::once(first).chain(others).collect()
    };
    backends
        .iter()
        .map(|backend| Failover {
            cluster: format!("{cluster_prefix}{}", backend.name),
            order: order(backend.id),
        })
        .collect()
}
