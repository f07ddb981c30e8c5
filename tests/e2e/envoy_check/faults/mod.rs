//! One change, one finding.

mod filter;
mod requests;
mod routes;

use serde_json::{Value, json};

use crate::envoy_check::{CHAIN, CLUSTER, Files, LISTENER, MANAGER, PLUGIN, at};

/// A fault: what is changed, and the severity, the end of the path and some words of what is told.
#[derive(Clone, Copy)]
struct Fault(
    &'static str,
    fn(&mut Files),
    &'static str,
    &'static str,
    &'static str,
);

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
    at(
        manager(files),
        "/http_filters/0/config_discovery/config_source",
    )
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
    context
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
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
    files.policy["integrity"] =
        json!({"mode": "enforce", "on_unknown": "allow", "allow_on_headers_stop_iteration": true});
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
    at(manager, "/http_filters")
        .as_array_mut()
        .unwrap()
        .remove(0);
    at(manager, "/route_config/virtual_hosts/0/routes/0")["route"] = route;
    at(&mut files.bootstrap, "/static_resources/listeners")
        .as_array_mut()
        .unwrap()
        .push(listener);
}

#[test]
fn every_fault_is_found_with_its_place_and_nothing_else() {
    let mut wrong = Vec::new();
    let all = [requests::FAULTS, filter::FAULTS, routes::FAULTS].concat();
    for Fault(name, change, severity, path, words) in all {
        let mut files = Files::shipped();
        change(&mut files);
        let (status, found) = files.check();
        let is_it = matches!(&found[..], [(s, p, m)] if *s == severity && p.ends_with(path) && m.contains(words));
        if !is_it || (status == 1) != (severity == ERROR) {
            wrong.push(format!("{name}: status {status}, {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_gateway_may_do_is_not_reported() {
    let harmless: [fn(&mut Files); 6] = [
        // Only failures are rewritten.
        |f| {
            mapper(
                f,
                "GE",
                400,
                (
                    "body_format_override",
                    json!({"json_format": {"m": "%LOCAL_REPLY_BODY%"}}),
                ),
            )
        },
        |f| manager(f)["local_reply_config"] = json!({"body_format": {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%\n"}}}),
        // The first that matches decides.
        |f| {
            mapper(
                f,
                "LE",
                399,
                (
                    "body_format_override",
                    json!({"text_format": "%LOCAL_REPLY_BODY%"}),
                ),
            );
            manager(f)["local_reply_config"]["body_format"] = json!({"text_format": "no"});
        },
        |f| filters(f).insert(0, filter("compressor.v3.Compressor")),
        |f| tls(f, json!({})),
        // Another service beside it.
        |f| {
            let other = json!({"match": {"prefix": "/api"}, "route": {"cluster": "api"}});
            at(manager(f), "/route_config/virtual_hosts/0/routes")
                .as_array_mut()
                .unwrap()
                .insert(0, other);
        },
    ];
    for (i, change) in harmless.into_iter().enumerate() {
        let mut files = Files::shipped();
        change(&mut files);
        assert_eq!(files.check(), (0, Vec::new()), "{i}");
    }
}
