//! What happens to a request before the filter judges it, and to one that lasts.

use std::time::Duration;

use modgate_go::http::headers::CLUSTER_HEADER;

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::parts::Manager;

const MUTATION: &str =
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation";

/// A backend that must clone a repository first is silent for minutes.
pub(super) const SILENCE: Duration = Duration::from_secs(120);

/// What a listener must hold for a client where files are checked (docs/reference/integrity.md).
const LEAST_BUFFER: u64 = 32 * 1024;

/// Looks at a connection manager that has the filter.
pub(super) fn check(manager: &Manager<'_>, files: &[At<'_>], needs: &Needs, notes: &mut Notes) {
    paths(&manager.at, files, notes);
    headers(&manager.at, needs, notes);
    times(&manager.at, notes);
    let limit = "per_connection_buffer_limit_bytes";
    let held = manager.listener.number(limit);
    if let (Some(at), true) = (
        manager.listener.get(limit),
        held.is_some_and(|held| held < LEAST_BUFFER) && needs.perhaps(needs.checks_files),
    ) {
        notes.error_if(
            needs.checks_files,
            &at,
            "the filter buffers up to 24 KiB of a checked file, and Envoy aborts beyond this limit: set at least 32768",
        );
    }
    for upgrade in manager.at.list("upgrade_configs") {
        if let Some(at) = upgrade.get("filters") {
            notes.error(
                &at,
                "a client that requests this upgrade gets a filter chain without this filter",
            );
        }
    }
}

fn paths(manager: &At<'_>, files: &[At<'_>], notes: &mut Notes) {
    const WHY: &str =
        "before the filter evaluates it, so the policy is not applied to what the client sent";
    for key in ["normalize_path", "merge_slashes"] {
        if let Some(at) = manager.get(key).filter(|_| manager.is_true(key)) {
            notes.error(
                &at,
                format!("Envoy changes paths {WHY}; write {key}: false"),
            );
        }
        // Where nothing is said, the runtime decides.
        let runtime = format!("http_connection_manager.{key}");
        let unset = manager.get(key).is_none();
        for layer in files.iter().filter(|_| unset).flat_map(layers) {
            if let Some(at) = layer.get(&runtime).filter(|_| layer.is_true(&runtime)) {
                notes.error(
                    &at,
                    format!(
                        "Envoy changes paths {WHY}; write {key}: false in the connection manager"
                    ),
                );
            }
        }
    }
    let key = "path_with_escaped_slashes_action";
    let keeps = [
        ("IMPLEMENTATION_SPECIFIC_DEFAULT", 0),
        ("KEEP_UNCHANGED", 1),
    ];
    let keeps = keeps
        .iter()
        .any(|(name, number)| manager.is_one(key, name, *number));
    // What it refuses, the filter refuses as well.
    let refuses = manager.is_one(key, "REJECT_REQUEST", 2);
    if let Some(at) = manager.get(key).filter(|_| !keeps && !refuses) {
        notes.error(
            &at,
            format!("Envoy unescapes slashes {WHY}; write {key}: KEEP_UNCHANGED"),
        );
    }
    if let Some(at) = manager.get("path_normalization_options") {
        notes.error(&at, format!("Envoy changes paths {WHY}; remove it"));
    }
}

fn layers<'v>(file: &At<'v>) -> Vec<At<'v>> {
    let runtime = file.get("layered_runtime").into_iter();
    let layers = runtime.flat_map(|runtime| runtime.list("layers"));
    layers
        .filter_map(|layer| layer.get("static_layer"))
        .collect()
}

fn headers(manager: &At<'_>, needs: &Needs, notes: &mut Notes) {
    let removes = |extension: &At<'_>| {
        let typed = extension.get("typed_config");
        let Some((MUTATION, at)) = typed.as_ref().and_then(At::typed) else {
            return false;
        };
        let mutations = at.list("mutations");
        mutations.iter().any(|mutation| {
            let removed = mutation.text("remove");
            removed.is_some_and(|name| name.eq_ignore_ascii_case(CLUSTER_HEADER))
        })
    };
    let early = manager.list("early_header_mutation_extensions");
    // Routes with a key take no header that a client made up.
    let have_keys = needs.known && !needs.lacks_route_key;
    if !have_keys && !early.iter().any(removes) {
        notes.error(
            manager,
            format!(
                "a client's own {CLUSTER_HEADER} is not removed first, so if the filter is missing or has failed a client chooses the cluster; add an early_header_mutation_extensions with `remove: {CLUSTER_HEADER}`"
            ),
        );
    }
    let options = manager.get("common_http_protocol_options");
    let key = "headers_with_underscores_action";
    let safe = options.as_ref().is_some_and(|options| {
        let safe = [("REJECT_REQUEST", 1), ("DROP_HEADER", 2)];
        safe.iter()
            .any(|(name, number)| options.is_one(key, name, *number))
    });
    if !safe && needs.perhaps(needs.header) {
        let at = options.as_ref().and_then(|options| options.get(key));
        notes.warning(
            at.as_ref().or(options.as_ref()).unwrap_or(manager),
            format!("some servers read `_` in a header name as `-`, so a client could set a header that it must not; write {key}: DROP_HEADER"),
        );
    }
}

fn times(manager: &At<'_>, notes: &mut Notes) {
    let longest = manager.get("common_http_protocol_options");
    if let Some(options) = longest {
        limited(&options, notes);
    }
    silence(manager, "stream_idle_timeout", notes);
}

/// Ends all that lasts longer, a large download too.
pub(super) fn limited(options: &At<'_>, notes: &mut Notes) {
    let key = "max_stream_duration";
    let is_set = options.duration(key).is_some_and(|time| !time.is_zero());
    if let Some(at) = options.get(key).filter(|_| is_set) {
        notes.warning(
            &at,
            "a download that takes longer is cut off; remove it, idle streams have their own timeout",
        );
    }
}

/// Ends what is silent for so long.
pub(super) fn silence(at: &At<'_>, key: &str, notes: &mut Notes) {
    let is_short = at
        .duration(key)
        .is_some_and(|time| !time.is_zero() && time < SILENCE);
    if let Some(at) = at.get(key).filter(|_| is_short) {
        notes.warning(
            &at,
            "a backend that must clone a repository first sends nothing for minutes; write 300s",
        );
    }
}
