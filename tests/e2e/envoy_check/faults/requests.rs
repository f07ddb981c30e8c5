//! How requests come in, are answered and proved, and what reads files.

use super::*;

pub(super) const FAULTS: &[Fault] = &[
    Fault(
        "no watched directory",
        |f| _ = remove(&mut source(f)["path_config_source"], "watched_directory"),
        WARNING,
        "path_config_source",
        "ConfigMap",
    ),
    Fault(
        "another directory",
        |f| source(f)["path_config_source"]["watched_directory"] = json!({"path": "/tmp"}),
        WARNING,
        "watched_directory",
        "another folder",
    ),
    Fault(
        "the old form of a path",
        |f| *source(f) = json!({"resource_api_version": "V3", "path": "./modgate.yaml"}),
        WARNING,
        "config_source.path",
        "ConfigMap",
    ),
    Fault(
        "no retries",
        |f| _ = remove(&mut route(f)["route"], "retry_policy"),
        WARNING,
        "routes[0].route",
        "reused connection",
    ),
    Fault(
        "retries of something else",
        |f| route(f)["route"]["retry_policy"]["retry_on"] = json!("retriable-4xx"),
        WARNING,
        "retry_policy",
        "other failures",
    ),
    Fault(
        "no retry at all",
        |f| route(f)["route"]["retry_policy"]["num_retries"] = json!(0),
        WARNING,
        "retry_policy",
        "other failures",
    ),
    Fault(
        "a short try",
        |f| route(f)["route"]["retry_policy"]["per_try_timeout"] = json!("5s"),
        WARNING,
        "per_try_timeout",
        "nothing for minutes",
    ),
    Fault(
        "no retries of questions",
        |f| _ = remove(cluster(f), "typed_extension_protocol_options"),
        WARNING,
        "clusters[0]",
        "own lookups",
    ),
    Fault(
        "few retries",
        |f| _ = remove(cluster(f), "circuit_breakers"),
        WARNING,
        "clusters[0]",
        "max_retries: 1024",
    ),
    Fault(
        "three retries",
        |f| cluster(f)["circuit_breakers"]["thresholds"][0]["max_retries"] = json!(3),
        WARNING,
        "circuit_breakers",
        "max_retries: 1024",
    ),
    Fault(
        "a body format",
        |f| {
            manager(f)["local_reply_config"] =
                json!({"body_format": {"json_format": {"message": "%LOCAL_REPLY_BODY%"}}})
        },
        ERROR,
        "body_format",
        "go reads garbage",
    ),
    Fault(
        "a mapper for everything",
        |f| {
            mapper(
                f,
                "GE",
                200,
                ("body_format_override", json!({"text_format": "no"})),
            )
        },
        ERROR,
        "body_format_override",
        "go reads garbage",
    ),
    Fault(
        "a body for everything",
        |f| mapper(f, "LE", 599, ("body", json!({"inline_string": "no"}))),
        ERROR,
        "mappers[0].body",
        "go reads garbage",
    ),
    Fault(
        "another status",
        |f| mapper(f, "GE", 400, ("status_code", json!(500))),
        ERROR,
        "status_code",
        "the filter's 400",
    ),
    Fault(
        "untrusted certificates",
        |f| tls(f, json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"})),
        ERROR,
        "trust_chain_verification",
        "untrusted",
    ),
    Fault(
        "no authority",
        |f| {
            tls(
                f,
                json!({"trusted_ca": null, "match_typed_subject_alt_names": []}),
            )
        },
        ERROR,
        "validation_context",
        "trusted_ca",
    ),
    Fault(
        "expired certificates",
        |f| tls(f, json!({"allow_expired_certificate": true})),
        WARNING,
        "allow_expired_certificate",
        "expired",
    ),
    Fault(
        "certificates without TLS",
        |f| f.policy["identity"] = json!([{"mtls_uri_san": "spiffe://corp/ns/{tenant}"}]),
        WARNING,
        "filter_chains[0]",
        "no TLS",
    ),
    Fault(
        "normalised paths",
        |f| manager(f)["normalize_path"] = json!(true),
        ERROR,
        "normalize_path",
        "changes paths",
    ),
    Fault(
        "merged slashes",
        |f| manager(f)["merge_slashes"] = json!(true),
        ERROR,
        "merge_slashes",
        "changes paths",
    ),
    Fault(
        "normalised by the runtime",
        |f| {
            _ = remove(manager(f), "normalize_path");
            f.bootstrap["layered_runtime"] = json!({"layers": [{"name": "s", "static_layer": {"http_connection_manager.normalize_path": true}}]});
        },
        ERROR,
        "['http_connection_manager.normalize_path']",
        "changes paths",
    ),
    Fault(
        "unescapes slashes",
        |f| manager(f)["path_with_escaped_slashes_action"] = json!("UNESCAPE_AND_FORWARD"),
        ERROR,
        "path_with_escaped_slashes_action",
        "unescapes slashes",
    ),
    Fault(
        "no removal",
        |f| _ = remove(manager(f), "early_header_mutation_extensions"),
        ERROR,
        "typed_config",
        "is not removed",
    ),
    Fault(
        "removal of something else",
        |f| {
            at(
                manager(f),
                "/early_header_mutation_extensions/0/typed_config/mutations/0",
            )["remove"] = json!("x-other")
        },
        ERROR,
        "typed_config",
        "is not removed",
    ),
    Fault(
        "the backend is told",
        |f| _ = remove(route(f), "request_headers_to_remove"),
        WARNING,
        "routes[0].route",
        "the cluster's name is sent",
    ),
    Fault(
        "underscores",
        |f| {
            f.policy["identity"] = json!([{"header": "x-team", "trusted": true}]);
            _ = remove(
                &mut manager(f)["common_http_protocol_options"],
                "headers_with_underscores_action",
            );
        },
        WARNING,
        "common_http_protocol_options",
        "DROP_HEADER",
    ),
];
