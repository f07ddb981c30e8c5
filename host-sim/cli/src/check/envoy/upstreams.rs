//! The clusters of the backends.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::requests::limited;
use super::routes::sends_again;

const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The most that should be hashed at a time (docs/explain/performance.md).
const MOST_BUFFER: u64 = 64 * 1024;

/// Envoy's default.
const FEW_RETRIES: u64 = 3;

/// Looks at a cluster that is a backend's, or may be.
pub(super) fn check(cluster: &At<'_>, needs: &Needs, notes: &mut Notes) {
    let name = cluster.text("name").unwrap_or_default();
    // Those that `modgate envoy-routes` makes have what they need by themselves.
    let is_made = name.starts_with(modgate_go::http::headers::RESERVED_CLUSTERS);
    if is_made || !needs.perhaps(needs.clusters.contains(name)) {
        return;
    }
    let options = cluster.get("typed_extension_protocol_options");
    let options = options.and_then(|all| all.get(HTTP_OPTIONS));
    let retries = options
        .as_ref()
        .and_then(|options| options.get("retry_policy"));
    if !retries.as_ref().is_some_and(sends_again) {
        notes.warning(
            retries.as_ref().unwrap_or(cluster),
            format!("the filter's own lookups, which use no route, fail if a backend closes a reused connection; give the cluster's {HTTP_OPTIONS} a retry_policy: {{retry_on: \"reset,connect-failure,refused-stream\", num_retries: 3}}"),
        );
    }
    if let Some(common) = options.and_then(|options| options.get("common_http_protocol_options")) {
        limited(&common, notes);
    }
    many_retries(cluster, notes);
    let key = "per_connection_buffer_limit_bytes";
    let is_small = cluster
        .number(key)
        .is_some_and(|bytes| bytes <= MOST_BUFFER);
    if !is_small && needs.perhaps(needs.checks_files) {
        let at = cluster.get(key);
        notes.warning(
            at.as_ref().unwrap_or(cluster),
            format!("if files are checked, hashing one chunk (1 MiB by default) blocks the worker and all its other requests; write {key}: 16384"),
        );
    }
}

fn many_retries(cluster: &At<'_>, notes: &mut Notes) {
    let breakers = cluster.get("circuit_breakers");
    let thresholds = breakers
        .iter()
        .flat_map(|breakers| breakers.list("thresholds"));
    let mut normal = thresholds.filter(|threshold| {
        let priority = threshold.get("priority");
        priority.is_none() || threshold.is_one("priority", "DEFAULT", 0)
    });
    let is_enough = normal.any(|threshold| {
        let retries = threshold.number("max_retries");
        threshold.get("retry_budget").is_some() || retries.is_some_and(|most| most > FEW_RETRIES)
    });
    if !is_enough {
        notes.warning(
            breakers.as_ref().unwrap_or(cluster),
            "Envoy allows three retries at a time by default: when a backend restarts, all other requests fail; write circuit_breakers: {thresholds: [{max_retries: 1024}]}",
        );
    }
}
