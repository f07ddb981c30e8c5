//! Where requests go behind the filter, and ways around it.

use modgate_go::http::headers::CLUSTER_HEADER;

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::parts::Manager;
use super::questions;
use super::requests::{limited, silence};

/// Looks at the routes of a connection manager, which may not have the filter.
pub(super) fn check(manager: &Manager<'_>, needs: &Needs, notes: &mut Notes) {
    let Some(table) = &manager.routes else {
        return;
    };
    let names: Vec<&str> = manager
        .ours
        .iter()
        .filter_map(|&place| manager.filters[place].text("name"))
        .collect();
    let mut is_led = false;
    for host in table.list("virtual_hosts") {
        for route in host.list("routes") {
            let Some(action) = route.get("route") else {
                continue;
            };
            let leads = leads(manager, &route, &action, needs, notes);
            is_led |= leads == Leads::ByTheFilter;
            if !manager.is_filtered() || leads == Leads::Elsewhere {
                continue;
            }
            let levels = [&route, &host, table];
            switched_off(levels, &names, notes);
            if leads == Leads::ByTheFilter {
                removal(levels, &action, needs, notes);
            }
            retries(&host, &action, notes);
            times(&action, notes);
            changes(&action, notes);
            questions::check(levels, &action, needs, notes);
        }
    }
    if manager.is_filtered() && !is_led && !table.list("virtual_hosts").is_empty() {
        notes.error(
            table,
            format!("no route takes its cluster from the filter: a route needs cluster_header: {CLUSTER_HEADER}"),
        );
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    ByTheFilter,
    /// To a backend, whatever the filter says.
    ToABackend,
    Elsewhere,
}

/// Where a route leads, with what is wrong with that.
fn leads(
    manager: &Manager<'_>,
    route: &At<'_>,
    action: &At<'_>,
    needs: &Needs,
    notes: &mut Notes,
) -> Leads {
    if let Some(header) = action.get("cluster_header") {
        let is_ours = |name: &str| name.eq_ignore_ascii_case(CLUSTER_HEADER);
        if !header.value.as_str().is_some_and(is_ours) {
            if manager.is_filtered() {
                notes.error(&header, format!("the filter names the cluster in {CLUSTER_HEADER}; with another header a client chooses it"));
            }
            return Leads::Elsewhere;
        }
        if !manager.is_filtered() {
            notes.error(&header, "this bypasses the filter, which is not in this chain: clients choose the cluster themselves");
        } else if !needs.route_keys.is_empty() {
            notes.error(&header, format!("the policy has a route_key, so {CLUSTER_HEADER} has more than the cluster's name: Envoy answers 503; remove route_key from the policy, here a client's own header is removed first"));
        }
        return Leads::ByTheFilter;
    }
    let weighted = action.get("weighted_clusters");
    let weighted = weighted
        .iter()
        .flat_map(|clusters| clusters.list("clusters"));
    let named = weighted.filter_map(|cluster| cluster.get("name"));
    let demanded = demanded(route);
    let has_key = |value: &str| {
        needs
            .route_keys
            .iter()
            .any(|key| key.is_in(value.as_bytes()))
    };
    if demanded.is_some_and(has_key) {
        return Leads::ByTheFilter;
    }
    let mut leads = Leads::Elsewhere;
    for at in action.get("cluster").into_iter().chain(named) {
        let Some(name) = at.value.as_str() else {
            continue;
        };
        let is_backend = needs.clusters.contains(name);
        let says = match manager.is_filtered() {
            true if demanded.is_some() => format!(
                "a client that sends {CLUSTER_HEADER} itself reaches {name} if the filter is missing or has failed; give the policy a route_key, and match it here"
            ),
            true => format!(
                "a fixed cluster: the policy's routes are ignored, and if the filter is missing or has failed, requests still reach {name}; write cluster_header: {CLUSTER_HEADER}"
            ),
            false => format!(
                "this bypasses the filter, which is not in this chain: {name} is a backend of the policy"
            ),
        };
        if is_backend || (manager.is_filtered() && !needs.known) {
            notes.error_if(is_backend, &at, says);
            leads = Leads::ToABackend;
        }
    }
    leads
}

/// The one value of the header that names the cluster which a route's match demands, if it demands one.
fn demanded<'v>(route: &At<'v>) -> Option<&'v str> {
    let headers = route.get("match")?.list("headers");
    let is_ours = |at: &At<'_>| {
        let name = at.text("name");
        // An inverted match takes every other value, and requests without the header.
        name.is_some_and(|name| name.eq_ignore_ascii_case(CLUSTER_HEADER))
            && !at.is_true("invert_match")
    };
    let ours = headers.into_iter().find(is_ours)?;
    let matched = ours.get("string_match");
    let exact = matched.as_ref().and_then(|at| at.text("exact"));
    exact.or_else(|| ours.text("exact_match"))
}

/// Whether the filter is bypassed on a route.
fn switched_off(levels: [&At<'_>; 3], names: &[&str], notes: &mut Notes) {
    for level in levels {
        let of_filters = level.get("typed_per_filter_config");
        for (name, config) in of_filters.iter().flat_map(At::members) {
            if names.contains(&name) && config.is_true("disabled") {
                notes.error(
                    &config,
                    "the filter is disabled here: no request on this route is evaluated",
                );
            }
        }
    }
}

fn removal(levels: [&At<'_>; 3], action: &At<'_>, needs: &Needs, notes: &mut Notes) {
    let removes = |level: &At<'_>| {
        let removed = level.list("request_headers_to_remove");
        let mut names = removed.iter().filter_map(|name| name.value.as_str());
        names.any(|name| name.eq_ignore_ascii_case(CLUSTER_HEADER))
    };
    if levels.into_iter().any(removes) {
        return;
    }
    let has_key = !needs.route_keys.is_empty();
    let sent = if has_key {
        "the route key"
    } else {
        "the cluster's name"
    };
    notes.error_if(
        has_key,
        action,
        format!("{sent} is sent to backends; add request_headers_to_remove: [{CLUSTER_HEADER}] to the route"),
    );
}

fn retries(host: &At<'_>, action: &At<'_>, notes: &mut Notes) {
    const HINT: &str =
        "write retry_policy: {retry_on: \"reset,connect-failure,refused-stream\", num_retries: 3}";
    let policy = action
        .get("retry_policy")
        .or_else(|| host.get("retry_policy"));
    let Some(policy) = policy else {
        return notes.warning(
            action,
            format!("a backend that closes a reused connection causes a 503; {HINT}"),
        );
    };
    if !sends_again(&policy) {
        notes.warning(
            &policy,
            format!("a backend that closes a reused connection causes a 503, because these retries cover other failures; {HINT}"),
        );
    }
    silence(&policy, "per_try_timeout", notes);
    silence(&policy, "per_try_idle_timeout", notes);
}

/// Whether a request that got no answer is sent again.
pub(super) fn sends_again(policy: &At<'_>) -> bool {
    let on = policy.text("retry_on").unwrap_or_default();
    let mut on = on.split(',').map(str::trim);
    let is_for_resets = on.any(|on| matches!(on, "reset" | "5xx" | "gateway-error"));
    is_for_resets && policy.number("num_retries") != Some(0)
}

fn times(action: &At<'_>, notes: &mut Notes) {
    match action.duration("timeout") {
        Some(time) if time.is_zero() => {}
        Some(time) => notes.warning(
            action.get("timeout").as_ref().unwrap_or(action),
            format!("a download that takes longer than {} s is cut off; write timeout: 0s, idle streams have their own timeout", time.as_secs_f64()),
        ),
        None => notes.warning(
            action,
            "a download that takes longer than 15 s, Envoy's default, is cut off; write timeout: 0s, idle streams have their own timeout",
        ),
    }
    silence(action, "idle_timeout", notes);
    if let Some(longest) = action.get("max_stream_duration") {
        limited(&longest, notes);
    }
}

/// What a route does to a request that was evaluated.
fn changes(action: &At<'_>, notes: &mut Notes) {
    for key in [
        "prefix_rewrite",
        "regex_rewrite",
        "path_rewrite",
        "path_rewrite_policy",
    ] {
        if let Some(at) = action.get(key) {
            notes.error(&at, "the route changes the path that the filter evaluated; set the backend's base_path in the policy instead");
        }
    }
    if let Some(at) = action.get("internal_redirect_policy") {
        notes.error(&at, "Envoy follows a backend's redirects to any place before the filter sees them; remove it and use the policy's redirects");
    }
    for mirror in action.list("request_mirror_policies") {
        notes.warning(
            &mirror,
            "requests are mirrored to another cluster, with the names of private modules",
        );
    }
}
