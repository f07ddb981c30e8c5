//! The filter, its place in the chain, its metrics and its buffers.

use super::*;

pub(super) const FAULTS: &[Fault] = &[
    Fault(
        "open",
        |f| plugin(f)["failure_policy"] = json!("FAIL_OPEN"),
        ERROR,
        "failure_policy",
        "every request pass",
    ),
    Fault(
        "open as a number",
        |f| plugin(f)["failure_policy"] = json!(3),
        ERROR,
        "failure_policy",
        "every request pass",
    ),
    Fault(
        "open as of old",
        |f| {
            _ = remove(plugin(f), "failure_policy");
            plugin(f)["fail_open"] = json!(true);
        },
        ERROR,
        "fail_open",
        "every request pass",
    ),
    Fault(
        "no failure policy",
        |f| _ = remove(plugin(f), "failure_policy"),
        WARNING,
        ".config",
        "default",
    ),
    Fault(
        "a missing tag",
        |f| {
            _ = at(&mut f.bootstrap, "/stats_config/stats_tags")
                .as_array_mut()
                .unwrap()
                .remove(0)
        },
        WARNING,
        "stats_tags",
        "labels tenant",
    ),
    Fault(
        "no stats",
        |f| _ = remove(&mut f.bootstrap["stats_config"], "stats_tags"),
        WARNING,
        "stats_config",
        "policy_hash",
    ),
    Fault(
        "no buckets",
        |f| {
            _ = remove(
                &mut f.bootstrap["stats_config"],
                "histogram_bucket_settings",
            )
        },
        WARNING,
        "stats_config",
        "buckets",
    ),
    Fault(
        "headers that do not wait",
        |f| _ = remove(plugin(f), "allow_on_headers_stop_iteration"),
        WARNING,
        ".config",
        "cut off",
    ),
    Fault(
        "headers that do not wait, and must",
        |f| {
            checks_files(f);
            plugin(f)["allow_on_headers_stop_iteration"] = json!(false);
        },
        ERROR,
        ".config",
        "hangs",
    ),
    Fault(
        "a small buffer",
        |f| {
            checks_files(f);
            at(&mut f.bootstrap, LISTENER)["per_connection_buffer_limit_bytes"] = json!(16384);
        },
        ERROR,
        "per_connection_buffer_limit_bytes",
        "32768",
    ),
    Fault(
        "a large buffer",
        |f| {
            checks_files(f);
            _ = remove(cluster(f), "per_connection_buffer_limit_bytes");
        },
        WARNING,
        "clusters[0]",
        "16384",
    ),
    Fault(
        "a compressor behind",
        |f| filters(f).insert(1, filter("compressor.v3.Compressor")),
        ERROR,
        "http_filters[1]",
        "compresses",
    ),
    Fault(
        "a buffer behind",
        |f| filters(f).insert(1, filter("buffer.v3.Buffer")),
        ERROR,
        "http_filters[1]",
        "whole bodies",
    ),
    Fault(
        "a transcoder behind",
        |f| filters(f).insert(1, filter("grpc_json_transcoder.v3.GrpcJsonTranscoder")),
        ERROR,
        "http_filters[1]",
        "rewrites bodies",
    ),
    Fault(
        "a cache before",
        |f| filters(f).insert(0, filter("cache.v3.CacheConfig")),
        ERROR,
        "http_filters[0]",
        "every tenant",
    ),
    Fault(
        "after the router",
        |f| filters(f).swap(0, 1),
        ERROR,
        "http_filters[1]",
        "after the router",
    ),
    Fault(
        "twice",
        |f| {
            let again = filters(f)[0].clone();
            filters(f).insert(1, again);
        },
        ERROR,
        "http_filters[1]",
        "twice",
    ),
    Fault(
        "is disabled",
        |f| filters(f)[0]["disabled"] = json!(true),
        ERROR,
        "disabled",
        "no request is evaluated",
    ),
    Fault(
        "defaults differ",
        |f| {
            at(manager(f), "/http_filters/0/config_discovery")["default_config"] =
                filter("buffer.v3.Buffer")["typed_config"].clone()
        },
        ERROR,
        "default_config",
        "this default is used",
    ),
    Fault(
        "is disabled on a route",
        |f| route(f)["typed_per_filter_config"] = json!({"modgate": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true}}),
        ERROR,
        "modgate",
        "is disabled",
    ),
];
