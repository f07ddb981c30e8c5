//! One change, one finding.

use serde_json::{Value, json};

use crate::{CHAIN, CLUSTER, Files, LISTENER, MANAGER, PLUGIN, at};

/// A fault: what is changed, and the severity, the end of the path and some words of what is told.
struct Fault(&'static str, fn(&mut Files), &'static str, &'static str, &'static str);

const ERROR: &str = "errors";
const WARNING: &str = "warnings";

fn manager(files: &mut Files) -> &mut Value {
    at(&mut files.bootstrap, MANAGER)
}

fn route(files: &mut Files) -> &mut Value {
    at(manager(files), "/route_config/virtual_hosts/0/routes/0")
}

fn filters(files: &mut Files) -> &mut Vec<Value> {
    at(manager(files), "/http_filters").as_array_mut().unwrap()
}

fn source(files: &mut Files) -> &mut Value {
    at(manager(files), "/http_filters/0/config_discovery/config_source")
}

fn plugin(files: &mut Files) -> &mut Value {
    at(&mut files.filter, PLUGIN)
}

fn cluster(files: &mut Files) -> &mut Value {
    at(&mut files.bootstrap, CLUSTER)
}

fn remove(value: &mut Value, key: &str) -> Value {
    value.as_object_mut().unwrap().remove(key).unwrap()
}

fn filter(kind: &str) -> Value {
    json!({"name": kind, "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}")}})
}

/// TLS with this in its validation context.
fn tls(files: &mut Files, more: Value) {
    let mut context = json!({"trusted_ca": {"filename": "ca.pem"}});
    for (key, value) in more.as_object().unwrap() {
        context[key] = value.clone();
    }
    context.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    at(&mut files.bootstrap, CHAIN)["transport_socket"] = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"validation_context": context},
        },
    });
    files.policy["identity"] = json!([{"mtls_uri_san": "spiffe://corp/ns/{tenant}"}]);
}

fn checks_files(files: &mut Files) {
    files.policy["integrity"] = json!({"mode": "enforce", "on_unknown": "allow", "allow_on_headers_stop_iteration": true});
}

fn mapper(files: &mut Files, op: &str, status: u64, more: (&str, Value)) {
    manager(files)["local_reply_config"] = json!({"mappers": [{
        "filter": {"status_code_filter": {"comparison": {
            "op": op, "value": {"default_value": status, "runtime_key": "x"},
        }}},
        (more.0): more.1,
    }]});
}

fn other_listener(files: &mut Files, route: Value) {
    let mut listener = files.bootstrap.pointer(LISTENER).unwrap().clone();
    let manager = at(&mut listener, "/filter_chains/0/filters/0/typed_config");
    at(manager, "/http_filters").as_array_mut().unwrap().remove(0);
    at(manager, "/route_config/virtual_hosts/0/routes/0")["route"] = route;
    at(&mut files.bootstrap, "/static_resources/listeners").as_array_mut().unwrap().push(listener);
}

const FAULTS: &[Fault] = &[
    Fault("no watched directory", |f| _ = remove(&mut source(f)["path_config_source"], "watched_directory"), WARNING, "path_config_source", "ConfigMap"),
    Fault("another directory", |f| source(f)["path_config_source"]["watched_directory"] = json!({"path": "/tmp"}), WARNING, "watched_directory", "another folder"),
    Fault("the old form of a path", |f| *source(f) = json!({"resource_api_version": "V3", "path": "./modgate.yaml"}), WARNING, "config_source.path", "ConfigMap"),
    Fault("no retries", |f| _ = remove(&mut route(f)["route"], "retry_policy"), WARNING, "routes[0].route", "kept connection"),
    Fault("retries of something else", |f| route(f)["route"]["retry_policy"]["retry_on"] = json!("retriable-4xx"), WARNING, "retry_policy", "other failures"),
    Fault("no retry at all", |f| route(f)["route"]["retry_policy"]["num_retries"] = json!(0), WARNING, "retry_policy", "other failures"),
    Fault("a short try", |f| route(f)["route"]["retry_policy"]["per_try_timeout"] = json!("5s"), WARNING, "per_try_timeout", "silent for minutes"),
    Fault("no retries of questions", |f| _ = remove(cluster(f), "typed_extension_protocol_options"), WARNING, "clusters[0]", "own questions"),
    Fault("few retries", |f| _ = remove(cluster(f), "circuit_breakers"), WARNING, "clusters[0]", "max_retries: 1024"),
    Fault("three retries", |f| cluster(f)["circuit_breakers"]["thresholds"][0]["max_retries"] = json!(3), WARNING, "circuit_breakers", "max_retries: 1024"),
    Fault("a body format", |f| manager(f)["local_reply_config"] = json!({"body_format": {"json_format": {"message": "%LOCAL_REPLY_BODY%"}}}), ERROR, "body_format", "go reads garbage"),
    Fault("a mapper for everything", |f| mapper(f, "GE", 200, ("body_format_override", json!({"text_format": "no"}))), ERROR, "body_format_override", "go reads garbage"),
    Fault("a body for everything", |f| mapper(f, "LE", 599, ("body", json!({"inline_string": "no"}))), ERROR, "mappers[0].body", "go reads garbage"),
    Fault("another status", |f| mapper(f, "GE", 400, ("status_code", json!(500))), ERROR, "status_code", "of the filter's 400"),
    Fault("untrusted certificates", |f| tls(f, json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"})), ERROR, "trust_chain_verification", "anybody made"),
    Fault("no authority", |f| tls(f, json!({"trusted_ca": null, "match_typed_subject_alt_names": []})), ERROR, "validation_context", "trusted_ca"),
    Fault("expired certificates", |f| tls(f, json!({"allow_expired_certificate": true})), WARNING, "allow_expired_certificate", "ended"),
    Fault("certificates without TLS", |f| f.policy["identity"] = json!([{"mtls_uri_san": "spiffe://corp/ns/{tenant}"}]), WARNING, "filter_chains[0]", "no TLS"),
    Fault("normalised paths", |f| manager(f)["normalize_path"] = json!(true), ERROR, "normalize_path", "changes paths"),
    Fault("merged slashes", |f| manager(f)["merge_slashes"] = json!(true), ERROR, "merge_slashes", "changes paths"),
    Fault("normalised by the runtime", |f| {
        _ = remove(manager(f), "normalize_path");
        f.bootstrap["layered_runtime"] = json!({"layers": [{"name": "s", "static_layer": {"http_connection_manager.normalize_path": true}}]});
    }, ERROR, "['http_connection_manager.normalize_path']", "changes paths"),
    Fault("escaped slashes", |f| manager(f)["path_with_escaped_slashes_action"] = json!("UNESCAPE_AND_FORWARD"), ERROR, "path_with_escaped_slashes_action", "escaped slashes"),
    Fault("no removal", |f| _ = remove(manager(f), "early_header_mutation_extensions"), ERROR, "typed_config", "is not removed"),
    Fault("removal of something else", |f| at(manager(f), "/early_header_mutation_extensions/0/typed_config/mutations/0")["remove"] = json!("x-other"), ERROR, "typed_config", "is not removed"),
    Fault("the backend is told", |f| _ = remove(route(f), "request_headers_to_remove"), WARNING, "routes[0].route", "are told the cluster's name"),
    Fault("underscores", |f| _ = remove(&mut manager(f)["common_http_protocol_options"], "headers_with_underscores_action"), WARNING, "common_http_protocol_options", "DROP_HEADER"),
    Fault("open", |f| plugin(f)["failure_policy"] = json!("FAIL_OPEN"), ERROR, "failure_policy", "everything pass"),
    Fault("open as a number", |f| plugin(f)["failure_policy"] = json!(3), ERROR, "failure_policy", "everything pass"),
    Fault("open as of old", |f| { _ = remove(plugin(f), "failure_policy"); plugin(f)["fail_open"] = json!(true); }, ERROR, "fail_open", "everything pass"),
    Fault("no failure policy", |f| _ = remove(plugin(f), "failure_policy"), WARNING, ".config", "default"),
    Fault("a missing tag", |f| _ = at(&mut f.bootstrap, "/stats_config/stats_tags").as_array_mut().unwrap().remove(0), WARNING, "stats_tags", "labels tenant"),
    Fault("no stats", |f| _ = remove(&mut f.bootstrap["stats_config"], "stats_tags"), WARNING, "stats_config", "policy_hash"),
    Fault("no buckets", |f| _ = remove(&mut f.bootstrap["stats_config"], "histogram_bucket_settings"), WARNING, "stats_config", "buckets"),
    Fault("headers that do not wait", |f| _ = remove(plugin(f), "allow_on_headers_stop_iteration"), WARNING, ".config", "broken off"),
    Fault("headers that do not wait, and must", |f| { checks_files(f); plugin(f)["allow_on_headers_stop_iteration"] = json!(false); }, ERROR, ".config", "for ever"),
    Fault("a small buffer", |f| { checks_files(f); at(&mut f.bootstrap, LISTENER)["per_connection_buffer_limit_bytes"] = json!(16384); }, ERROR, "per_connection_buffer_limit_bytes", "32768"),
    Fault("a large buffer", |f| { checks_files(f); _ = remove(cluster(f), "per_connection_buffer_limit_bytes"); }, WARNING, "clusters[0]", "16384"),
    Fault("a compressor behind", |f| filters(f).insert(1, filter("compressor.v3.Compressor")), ERROR, "http_filters[1]", "compresses"),
    Fault("a buffer behind", |f| filters(f).insert(1, filter("buffer.v3.Buffer")), ERROR, "http_filters[1]", "whole bodies"),
    Fault("a transcoder behind", |f| filters(f).insert(1, filter("grpc_json_transcoder.v3.GrpcJsonTranscoder")), ERROR, "http_filters[1]", "rewrites bodies"),
    Fault("a cache before", |f| filters(f).insert(0, filter("cache.v3.CacheConfig")), ERROR, "http_filters[0]", "every tenant"),
    Fault("behind the router", |f| filters(f).swap(0, 1), ERROR, "http_filters[1]", "behind the router"),
    Fault("twice", |f| { let again = filters(f)[0].clone(); filters(f).insert(1, again); }, ERROR, "http_filters[1]", "twice"),
    Fault("switched off", |f| filters(f)[0]["disabled"] = json!(true), ERROR, "disabled", "nothing is judged"),
    Fault("a default", |f| at(manager(f), "/http_filters/0/config_discovery")["default_config"] = filter("buffer.v3.Buffer")["typed_config"].clone(), ERROR, "default_config", "in its place"),
    Fault("switched off on a route", |f| route(f)["typed_per_filter_config"] = json!({"modgate": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true}}), ERROR, "modgate", "switched off"),
    Fault("a token that nobody verifies", |f| f.policy["identity"] = json!([{"jwt_claim": "tenant"}]), ERROR, "http_filters[0]", "jwt_authn"),
    Fault("a fixed cluster", |f| { let mut more = route(f).clone(); remove(&mut more["route"], "cluster_header"); more["route"]["cluster"] = json!("public"); at(manager(f), "/route_config/virtual_hosts/0/routes").as_array_mut().unwrap().insert(0, more); }, ERROR, "routes[0].route.cluster", "fixed cluster"),
    Fault("another header", |f| { let mut more = route(f).clone(); more["route"]["cluster_header"] = json!("x-cluster"); at(manager(f), "/route_config/virtual_hosts/0/routes").as_array_mut().unwrap().insert(0, more); }, ERROR, "cluster_header", "a client chooses"),
    Fault("another listener", |f| other_listener(f, json!({"cluster": "public"})), ERROR, "listeners[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].route.cluster", "way around"),
    Fault("another listener by header", |f| other_listener(f, json!({"cluster_header": "x-modgate-cluster"})), ERROR, "routes[0].route.cluster_header", "way around"),
    Fault("another listener without HTTP", |f| {
        let tcp = json!({"name": "tcp", "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": "public"}}]}]});
        at(&mut f.bootstrap, "/static_resources/listeners").as_array_mut().unwrap().push(tcp);
    }, ERROR, "listeners[1].filter_chains[0].filters[0].typed_config", "way around"),
    Fault("no such cluster", |f| cluster(f)["name"] = json!("pubilc"), ERROR, "$.backends.public.cluster", "did you mean \"pubilc\""),
    Fault("the default timeout", |f| _ = remove(&mut route(f)["route"], "timeout"), WARNING, "routes[0].route", "15 s"),
    Fault("a timeout", |f| route(f)["route"]["timeout"] = json!("60s"), WARNING, "timeout", "60 s"),
    Fault("a short silence", |f| route(f)["route"]["idle_timeout"] = json!("15s"), WARNING, "idle_timeout", "silent for minutes"),
    Fault("a short silence of streams", |f| manager(f)["stream_idle_timeout"] = json!("30s"), WARNING, "stream_idle_timeout", "silent for minutes"),
    Fault("a longest stream", |f| manager(f)["common_http_protocol_options"]["max_stream_duration"] = json!("60s"), WARNING, "max_stream_duration", "is cut"),
    Fault("a rewritten path", |f| route(f)["route"]["prefix_rewrite"] = json!("/go"), ERROR, "prefix_rewrite", "base_path"),
    Fault("redirects that are followed", |f| route(f)["route"]["internal_redirect_policy"] = json!({}), ERROR, "internal_redirect_policy", "redirects"),
    Fault("a mirror", |f| route(f)["route"]["request_mirror_policies"] = json!([{"cluster": "public"}]), WARNING, "request_mirror_policies[0]", "private modules"),
    Fault("a Struct", |f| plugin(f)["configuration"] = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}), ERROR, "configuration", "StringValue"),
    Fault("no configuration", |f| _ = remove(plugin(f), "configuration"), ERROR, ".config", "no policy"),
];

#[test]
fn every_fault_is_found_with_its_place_and_nothing_else() {
    let mut wrong = Vec::new();
    for Fault(name, change, severity, path, words) in FAULTS {
        let mut files = Files::shipped();
        change(&mut files);
        let (status, found) = files.check();
        let is_it = matches!(&found[..], [(s, p, m)] if s == severity && p.ends_with(path) && m.contains(words));
        if !is_it || (status == 1) != (*severity == ERROR) {
            wrong.push(format!("{name}: status {status}, {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_gateway_may_do_is_not_told() {
    let harmless: [fn(&mut Files); 6] = [
        // Only failures are rewritten.
        |f| mapper(f, "GE", 400, ("body_format_override", json!({"json_format": {"m": "%LOCAL_REPLY_BODY%"}}))),
        |f| manager(f)["local_reply_config"] = json!({"body_format": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%\n"}}}),
        // The first that matches decides.
        |f| {
            mapper(f, "LE", 399, ("body_format_override", json!({"text_format": "%LOCAL_REPLY_BODY%"})));
            manager(f)["local_reply_config"]["body_format"] = json!({"text_format": "no"});
        },
        |f| filters(f).insert(0, filter("compressor.v3.Compressor")),
        |f| tls(f, json!({})),
        // Another service beside it.
        |f| {
            let other = json!({"match": {"prefix": "/api"}, "route": {"cluster": "api"}});
            at(manager(f), "/route_config/virtual_hosts/0/routes").as_array_mut().unwrap().insert(0, other);
        },
    ];
    for (i, change) in harmless.into_iter().enumerate() {
        let mut files = Files::shipped();
        change(&mut files);
        assert_eq!(files.check(), (0, Vec::new()), "{i}");
    }
}
