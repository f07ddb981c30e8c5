//! Compiles the document's routes into the table by prefix.

use std::collections::BTreeMap;

use super::backend::Backend;
use super::compile::Errors;
use super::document::RouteDoc;
use super::error::Path;
use super::names::name_error;
use super::paths;
use super::pattern::{Meaning, PatternSetBuilder};
use super::rollout::By;
use super::weights;
use crate::route::{Drawn, Route, RouteSpace, RouteTable, To};

/// The routes of one prefix, while they are collected.
#[derive(Default)]
struct Space {
    routes: Vec<Route>,
    modules: PatternSetBuilder,
    /// The place of the first route without `modules`, and its id.
    catch_all: Option<(u32, String)>,
}

pub(super) fn compile(
    errors: &mut Errors,
    at: &Path,
    routes: &[RouteDoc],
    backends: &[Backend],
) -> RouteTable {
    if routes.is_empty() {
        errors.add(at, "no route: there is nowhere to send a request");
    }
    let mut spaces: BTreeMap<String, Space> = BTreeMap::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, route) in routes.iter().enumerate() {
        let at = at.index(i);
        if let Some(message) = name_error("route", &route.id) {
            errors.add(&at.key("id"), message);
        }
        if let Some(first) = seen.insert(&route.id, i) {
            let message = format!("the route {:?} stands at [{first}] already", &*route.id);
            errors.add(&at.key("id"), message);
        }
        add(errors, &at, route, backends, &mut spaces);
    }
    let mut spaces: Vec<_> = spaces
        .into_iter()
        .map(|(prefix, space)| RouteSpace {
            prefix,
            routes: space.routes,
            modules: space.modules.build(),
            catch_all: space.catch_all.map(|(place, _)| place),
        })
        .collect();
    spaces.sort_by_key(|space| std::cmp::Reverse(space.prefix.len()));
    RouteTable { spaces }
}

fn add(
    errors: &mut Errors,
    at: &Path,
    route: &RouteDoc,
    backends: &[Backend],
    spaces: &mut BTreeMap<String, Space>,
) {
    let to = to(errors, at, route, backends);
    let prefix = match &route.path_prefix {
        None => String::new(),
        Some(prefix) => match paths::route_prefix(prefix) {
            Ok(prefix) => prefix,
            Err(message) => return errors.add(&at.key("path_prefix"), message),
        },
    };
    let upstream_prefix = match &route.rewrite {
        Some(_) if prefix.is_empty() => {
            let message =
                "there is no path_prefix that it could replace; use the backend's base_path";
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
    if let Some((_, first)) = &space.catch_all {
        let message =
            format!("the route {first:?} before it takes every module, so it can never match");
        return errors.add(at, message);
    }
    let place = space.routes.len() as u32;
    match &route.modules {
        Some(patterns) => {
            let at = at.key("modules");
            errors.add_patterns(&at, patterns, &mut space.modules, place, Meaning::default());
        }
        None => space.catch_all = Some((place, route.id.to_string())),
    }
    space.routes.push(Route {
        id: route.id.to_string(),
        to,
        upstream_prefix,
    });
}

fn to(errors: &mut Errors, at: &Path, route: &RouteDoc, backends: &[Backend]) -> To {
    if route.by.is_some() && route.backends.is_none() {
        errors.add(&at.key("by"), "nothing is drawn without backends");
    }
    match (&route.backend, &route.backends) {
        (Some(name), None) => {
            let found = errors.find(&at.key("backend"), "backend", name, backends, |b| &b.name);
            To::Backend(found.unwrap_or_default())
        }
        (None, Some(shares)) => {
            let at = at.key("backends");
            To::Drawn(Drawn {
                weights: weights::compile(errors, &at, "backend", shares, backends, |b| &b.name),
                by: route.by.map_or(By::Module, By::of),
            })
        }
        _ => {
            errors.add(at, "give exactly one of backend and backends");
            To::Backend(0)
        }
    }
}
