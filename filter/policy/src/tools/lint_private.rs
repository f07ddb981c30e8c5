//! Warnings about private names that a route leads out of the house.

use std::collections::{BTreeMap, BTreeSet};

use super::lint::Cover;
use crate::document::{BackendDoc, Document, Path, PolicyError, RouteDoc, Text};

/// Hosts that serve everybody's modules, or their hashes.
const PUBLIC_HOSTS: [&str; 7] = [
    "proxy.golang.org",
    "sum.golang.org",
    "goproxy.io",
    "goproxy.cn",
    "goproxy.dev",
    "sum.golang.google.cn",
    "mirrors.aliyun.com",
];

/// Routes that lead a private name to a backend that is public, by its own word or by what is known.
pub(crate) fn private_routes(document: &Document, found: &mut Vec<PolicyError>) {
    let names = private_names(document);
    if names.is_empty() {
        return;
    }
    let public = public_backends(document);
    let root = Path::root();
    let tried = document.routes_rollout.as_ref();
    let tried = tried.map(|tried| {
        (
            root.key("routes_rollout").key("candidate"),
            &tried.candidate,
        )
    });
    let tables = std::iter::once((root.key("routes"), &document.routes)).chain(tried);
    for (at, routes) in tables {
        let mut before: BTreeMap<&str, Cover> = BTreeMap::new();
        for (i, route) in routes.iter().enumerate() {
            let prefix = route.path_prefix.as_deref().unwrap_or_default();
            let before = before.entry(prefix.trim_matches('/')).or_default();
            let mut taken = names.iter().copied().filter(|name| {
                let name = std::slice::from_ref(*name);
                before.catches(name).is_none() && takes(route, name)
            });
            let public = backends_of(route).find_map(|name| public.get_key_value(name));
            if let (Some(name), Some((backend, why))) = (taken.next(), public) {
                found.push(at.index(i).error(format!(
                    "this route sends private names ({}) to the backend {backend:?}, {why}",
                    &**name
                )));
            }
            if let (Some(modules), None) = (&route.modules, &route.hosts) {
                before.add(modules, &route.id);
            }
        }
    }
}

/// Whether a route takes all that a pattern describes.
fn takes(route: &RouteDoc, name: &[Text]) -> bool {
    route.modules.as_ref().is_none_or(|modules| {
        let mut own = Cover::default();
        own.add(modules, &route.id);
        own.catches(name).is_some()
    })
}

fn backends_of(route: &RouteDoc) -> impl Iterator<Item = &str> {
    let drawn = route.backends.iter().flat_map(BTreeMap::keys);
    let named = route.backend.as_deref();
    named.into_iter().chain(drawn.map(String::as_str))
}

fn private_names(document: &Document) -> Vec<&Text> {
    let integrity = document.integrity.as_ref();
    let integrity = integrity.and_then(|integrity| integrity.private.as_ref());
    let databases = document.sumdb.iter().flat_map(BTreeMap::values);
    let databases = databases.flat_map(|database| [&database.private, &database.modules]);
    let lists = integrity.into_iter().chain(databases.flatten());
    lists.flatten().collect()
}

/// The public backends, and why they are taken for such.
fn public_backends(document: &Document) -> BTreeMap<&str, &'static str> {
    let mut carriers: BTreeSet<&str> = BTreeSet::new();
    for database in document.sumdb.iter().flat_map(BTreeMap::values) {
        if database.modules.is_none() {
            carriers.extend(database.backend.as_deref());
        }
    }
    let requested = document.integrity.as_ref().and_then(|i| i.sumdb.as_ref());
    let own = requested.and_then(|requested| {
        let name = requested.key.split('+').next()?;
        document.sumdb.as_ref()?.get(name)?.modules.as_ref()
    });
    if own.is_none() {
        carriers.extend(requested.map(|requested| &*requested.backend));
    }
    // Where every backend carries a database, that tells nothing of any.
    let tells = document
        .backends
        .keys()
        .any(|name| !carriers.contains(name.as_str()));
    let why = |name: &str, backend: &BackendDoc| match backend.public {
        Some(true) => Some("which is public"),
        Some(false) => None,
        None if backend.authority.as_deref().is_some_and(is_public_host) => {
            Some("which is shared by everybody")
        }
        None if tells && carriers.contains(name) => Some(
            "which serves a checksum database that is not theirs; give them a separate route, or set \"public\": false on the backend",
        ),
        None => None,
    };
    let all = document.backends.iter();
    all.filter_map(|(name, backend)| Some((name.as_str(), why(name, backend)?)))
        .collect()
}

fn is_public_host(authority: &str) -> bool {
    let host = authority.split(':').next().unwrap_or_default();
    PUBLIC_HOSTS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::super::policy_source::PolicySource;
    use serde_json::{Value, json};

    fn warned(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut document = json!({
            "version": "1", "default": "allow", "tenants": {"*": {"rules": ["r"]}},
            "rules": {"r": [{"id": "all", "allow": ["*"]}]},
            "backends": {"public": {"cluster": "a"}, "private": {"cluster": "b"}},
            "routes": [
                {"id": "corp", "modules": ["corp.example"], "backend": "private"},
                {"id": "rest", "backend": "public"}
            ],
            "sumdb": {"sum.golang.org": {"backend": "public", "private": ["corp.example/team"]}}
        });
        change(&mut document);
        let policy_source = PolicySource::from_json(document.to_string().as_bytes()).unwrap();
        let warnings = policy_source
            .warnings()
            .into_iter()
            .map(|warning| warning.to_string());
        warnings
            .filter(|warning| warning.contains("private names"))
            .collect()
    }

    #[test]
    fn a_route_of_private_names_to_a_public_backend_is_warned_of() {
        let reported = |change: fn(&mut Value)| {
            let warnings = warned(change);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            warnings[0].clone()
        };
        let rest = reported(|d| d["routes"][0]["modules"] = json!(["corp.example/other"]));
        assert!(
            rest.starts_with("$.routes[1]: ") && rest.contains("(corp.example/team)"),
            "{rest}"
        );
        let own = reported(|d| d["routes"][0]["backend"] = json!("public"));
        assert!(own.starts_with("$.routes[0]: "), "{own}");
        let shared = reported(|d| {
            d["routes"][0] = json!({"id": "corp", "modules": ["corp.example"], "backends": {"private": 90, "public": 10}});
        });
        assert!(shared.starts_with("$.routes[0]: "), "{shared}");
        let of_host = reported(|d| d["routes"][0]["hosts"] = json!(["a.example"]));
        assert!(of_host.starts_with("$.routes[1]: "), "{of_host}");
        let prefix = reported(|d| {
            let rest = json!({"id": "rest", "modules": ["golang.org"], "backend": "public"});
            let up = json!({"id": "up", "path_prefix": "/up", "backend": "public"});
            d["routes"] = json!([d["routes"][0], rest, up]);
        });
        assert!(prefix.starts_with("$.routes[2]: "), "{prefix}");
        let tried = reported(|d| {
            d["routes_rollout"] =
                json!({"stage": "shadow", "candidate": [{"id": "rest", "backend": "public"}]});
        });
        assert!(
            tried.starts_with("$.routes_rollout.candidate[0]: "),
            "{tried}"
        );
        let known = reported(|d| {
            d["backends"]["private"]["authority"] = json!("Proxy.golang.org:443");
        });
        assert!(known.contains("which is shared by everybody"), "{known}");
        let says = reported(|d| d["backends"]["private"]["public"] = json!(true));
        assert!(says.contains("which is public"), "{says}");
    }

    /// Routes go by the exact name, so that nearly every policy would be told.
    #[test]
    fn another_spelling_is_not_reported() {
        let document = json!({
            "version": "1", "default": "allow", "tenants": {"*": {"rules": ["all"]}},
            "rules": {"all": [
                {"id": "ours", "allow": ["github.com/corp"]},
                {"id": "misspelt", "deny": ["github.com/corp"], "fold_case": true, "reason": "write github.com/corp"}
            ]},
            "backends": {"public": {"cluster": "a", "public": true}, "private": {"cluster": "b"}},
            "routes": [
                {"id": "corp", "modules": ["github.com/corp"], "backend": "private"},
                {"id": "rest", "backend": "public"}
            ],
            "sumdb": {"sum.golang.org": {"backend": "public", "private": ["github.com/corp"]}}
        });
        let policy_source = PolicySource::from_json(document.to_string().as_bytes()).unwrap();
        assert_eq!(policy_source.warnings(), Vec::new());
    }

    #[test]
    fn internal_backends_are_not_warned_of() {
        let quiet: [fn(&mut Value); 5] = [
            |_| (),
            |d| d["sumdb"]["sum.golang.org"]["private"] = Value::Null,
            // One backend for everything says nothing about it.
            |d| {
                d["backends"] = json!({"public": {"cluster": "a"}});
                d["routes"] = json!([{"id": "rest", "backend": "public"}]);
            },
            |d| {
                d["routes"][0]["backend"] = json!("public");
                d["backends"]["public"]["public"] = json!(false);
            },
            // Their own database is no sign.
            |d| {
                d["sumdb"] = json!({"sum.corp.example": {"backend": "private", "modules": ["corp.example"]}});
            },
        ];
        for change in quiet {
            assert_eq!(warned(change), Vec::<String>::new());
        }
    }
}
