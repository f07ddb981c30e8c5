//! Where requests go, and for how long.

use super::*;

pub(super) const FAULTS: &[Fault] = &[
    Fault(
        "a token that nobody verifies",
        |f| f.policy["identity"] = json!([{"jwt_claim": "tenant", "payload": "modgate"}]),
        ERROR,
        "http_filters[0]",
        "jwt_authn",
    ),
    Fault(
        "a fixed cluster",
        |f| {
            let mut more = route(f).clone();
            remove(&mut more["route"], "cluster_header");
            more["route"]["cluster"] = json!("public");
            at(manager(f), "/route_config/virtual_hosts/0/routes")
                .as_array_mut()
                .unwrap()
                .insert(0, more);
        },
        ERROR,
        "routes[0].route.cluster",
        "fixed cluster",
    ),
    Fault(
        "another header",
        |f| {
            let mut more = route(f).clone();
            more["route"]["cluster_header"] = json!("x-cluster");
            at(manager(f), "/route_config/virtual_hosts/0/routes")
                .as_array_mut()
                .unwrap()
                .insert(0, more);
        },
        ERROR,
        "cluster_header",
        "a client chooses",
    ),
    Fault(
        "another listener",
        |f| other_listener(f, json!({"cluster": "public"})),
        ERROR,
        "listeners[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].route.cluster",
        "bypasses",
    ),
    Fault(
        "another listener by header",
        |f| other_listener(f, json!({"cluster_header": "x-modgate-cluster"})),
        ERROR,
        "routes[0].route.cluster_header",
        "bypasses",
    ),
    Fault(
        "another listener without HTTP",
        |f| {
            let tcp = json!({"name": "tcp", "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": "public"}}]}]});
            at(&mut f.bootstrap, "/static_resources/listeners")
                .as_array_mut()
                .unwrap()
                .push(tcp);
        },
        ERROR,
        "listeners[1].filter_chains[0].filters[0].typed_config",
        "bypasses",
    ),
    Fault(
        "no such cluster",
        |f| cluster(f)["name"] = json!("pubilc"),
        ERROR,
        "$.backends.public.cluster",
        "did you mean \"pubilc\"",
    ),
    Fault(
        "the default timeout",
        |f| _ = remove(&mut route(f)["route"], "timeout"),
        WARNING,
        "routes[0].route",
        "15 s",
    ),
    Fault(
        "a timeout",
        |f| route(f)["route"]["timeout"] = json!("60s"),
        WARNING,
        "timeout",
        "60 s",
    ),
    Fault(
        "a short silence",
        |f| route(f)["route"]["idle_timeout"] = json!("15s"),
        WARNING,
        "idle_timeout",
        "nothing for minutes",
    ),
    Fault(
        "a short silence of streams",
        |f| manager(f)["stream_idle_timeout"] = json!("30s"),
        WARNING,
        "stream_idle_timeout",
        "nothing for minutes",
    ),
    Fault(
        "a longest stream",
        |f| manager(f)["common_http_protocol_options"]["max_stream_duration"] = json!("60s"),
        WARNING,
        "max_stream_duration",
        "is cut",
    ),
    Fault(
        "a rewritten path",
        |f| route(f)["route"]["prefix_rewrite"] = json!("/go"),
        ERROR,
        "prefix_rewrite",
        "base_path",
    ),
    Fault(
        "redirects that are followed",
        |f| route(f)["route"]["internal_redirect_policy"] = json!({}),
        ERROR,
        "internal_redirect_policy",
        "redirects",
    ),
    Fault(
        "a mirror",
        |f| route(f)["route"]["request_mirror_policies"] = json!([{"cluster": "public"}]),
        WARNING,
        "request_mirror_policies[0]",
        "private modules",
    ),
    Fault(
        "a Struct",
        |f| {
            plugin(f)["configuration"] =
                json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}})
        },
        ERROR,
        "configuration",
        "StringValue",
    ),
    Fault(
        "no configuration",
        |f| _ = remove(plugin(f), "configuration"),
        ERROR,
        ".config",
        "no policy",
    ),
];
