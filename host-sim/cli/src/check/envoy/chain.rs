//! What stands before and behind the filter.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::parts::Manager;

const ROUTER: &str = "envoy.extensions.filters.http.router.v3.Router";
const CACHE: &str = "envoy.extensions.filters.http.cache.v3.CacheConfig";
const JWT: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
const BASIC_AUTH: &str = "envoy.extensions.filters.http.basic_auth.v3.BasicAuth";

/// Filters that must not stand between the filter and the backends, and why.
const NOT_BEHIND: &[(&str, &str)] = &[
    (
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        COMPRESSES,
    ),
    (
        "envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        REWRITES,
    ),
    (
        "envoy.extensions.filters.http.grpc_json_reverse_transcoder.v3.GrpcJsonReverseTranscoder",
        REWRITES,
    ),
    (
        "envoy.extensions.filters.http.grpc_http1_bridge.v3.Config",
        REWRITES,
    ),
    (
        "envoy.extensions.filters.http.grpc_http1_reverse_bridge.v3.FilterConfig",
        REWRITES,
    ),
    (
        "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb",
        REWRITES,
    ),
    ("envoy.extensions.filters.http.buffer.v3.Buffer", WAITS),
    (
        "envoy.extensions.filters.http.file_system_buffer.v3.FileSystemBufferFilterConfig",
        WAITS,
    ),
];

const COMPRESSES: &str = "compresses responses before the filter sees them, so that hashes cannot be checked and lists cannot be filtered; put it before the filter";
const REWRITES: &str = "rewrites bodies after the filter, which then checks other bytes than the backend sent; remove it from this chain";
const WAITS: &str = "needs whole bodies, which the filter buffers and releases in pieces; remove it from this chain";

/// Looks at the filters of a chain that has Modgate's.
pub(super) fn check(manager: &Manager<'_>, needs: &Needs, notes: &mut Notes) {
    let Some(&place) = manager.ours.first() else {
        return;
    };
    for &again in manager.ours.iter().skip(1) {
        notes.error(
            &manager.filters[again],
            format!(
                "the filter is in this chain twice, also at {}: every request would be evaluated twice, the second time as rewritten",
                manager.filters[place].path
            ),
        );
    }
    for &ours in &manager.ours {
        switched_off(&manager.filters[ours], notes);
    }
    let kinds: Vec<Option<&str>> = manager.filters.iter().map(kind).collect();
    let router = kinds.iter().position(|kind| *kind == Some(ROUTER));
    for (i, filter) in manager.filters.iter().enumerate() {
        let Some(kind) = kinds[i] else {
            if router.is_some_and(|router| router < i) {
                after_router(filter, notes);
            }
            continue;
        };
        if router.is_some_and(|router| router < i) {
            after_router(filter, notes);
        }
        if kind == CACHE && i < place {
            notes.error(
                filter,
                "a cache before the filter answers without it, so every tenant gets what one tenant may have; put it after the filter",
            );
        }
        let not_behind = NOT_BEHIND.iter().find(|(known, _)| *known == kind);
        if let Some((_, why)) = not_behind.filter(|_| i > place) {
            notes.error(filter, format!("{} {why}", name(filter)));
        }
    }
    for (is_needed, wanted, source) in [
        (needs.token, JWT, "a token's claim, which jwt_authn"),
        (
            needs.password,
            BASIC_AUTH,
            "a user's name, which basic_auth",
        ),
    ] {
        let stands = kinds.iter().position(|kind| *kind == Some(wanted));
        if is_needed && stands.is_none_or(|at| at > place) {
            let at = stands.map_or(&manager.filters[place], |at| &manager.filters[at]);
            notes.error(
                at,
                format!("the policy's identity needs {source} must verify before the filter; in this chain no client is identified by it"),
            );
        }
    }
}

fn after_router(filter: &At<'_>, notes: &mut Notes) {
    notes.error(
        filter,
        "it comes after the router, which must be the last filter: Envoy rejects the configuration",
    );
}

/// Whether the filter is there and yet not called.
fn switched_off(filter: &At<'_>, notes: &mut Notes) {
    if let Some(at) = filter
        .get("disabled")
        .filter(|_| filter.is_true("disabled"))
    {
        notes.error(&at, "the filter is disabled: no request is evaluated");
    }
    if let Some(at) = filter
        .get("is_optional")
        .filter(|_| filter.is_true("is_optional"))
    {
        notes.error(
            &at,
            "an Envoy without this filter ignores it, and no request is evaluated",
        );
    }
    let discovery = filter.get("config_discovery");
    if let Some(at) = discovery.and_then(|discovery| discovery.get("default_config")) {
        notes.error(
            &at,
            "this default is used until the filter's own configuration arrives; without a default, requests wait for it",
        );
    }
}

fn kind<'v>(filter: &At<'v>) -> Option<&'v str> {
    let typed = filter.get("typed_config")?;
    typed.typed().map(|(kind, _)| kind)
}

fn name<'v>(filter: &At<'v>) -> &'v str {
    filter.text("name").unwrap_or("it")
}
