//! Routes that match a header, as Istio and Envoy Gateway make them: shut without the filter by a key that only the
//! policy and the routes know.

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy, Listener};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::modgate::{modgate, stderr};
use modgate_harness::policies::three_tenants;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const LIST: &str = "/t/web/example.org/words/@v/list";
const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
const NEW: &str = "vutsrqponmlkjihgfedcba9876543210";

fn words() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let words =
        Module::new("example.org/words", "v0.1.0").file("go.mod", "module example.org/words\n");
    let tree = Tree::write(dir.path(), &[words]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

fn policy(key: &str) -> Value {
    let mut policy = three_tenants("static");
    policy["route_key"] = json!(key);
    policy
}

/// A route for each value, and nothing that removes a client's header first: a control plane cannot.
fn by_header(listener: &mut Listener<'_>, values: &[String]) {
    let manager = listener.manager();
    manager["early_header_mutation_extensions"] = json!([]);
    let routes = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
    let template = routes[0].clone();
    let route = |value: &String| {
        let mut route = template.clone();
        route["match"]["headers"] =
            json!([{"name": "x-modgate-cluster", "string_match": {"exact": value}}]);
        let action = route["route"].as_object_mut().unwrap();
        action.remove("cluster_header");
        action.insert("cluster".to_owned(), json!("backend"));
        route
    };
    *routes = values.iter().map(route).collect();
}

fn status(envoy: &Envoy, headers: &[(&str, &str)]) -> u16 {
    http::request(envoy.address(), "GET", LIST, headers).status
}

#[test]
fn without_the_filter_whoever_does_not_know_the_key_gets_nothing() {
    let (_dir, server) = words();
    let own = format!("{OLD}:backend");
    for (filter, expected) in [(true, 200), (false, 404)] {
        let mut config = Config::new(policy(OLD), &[("backend", server.address())]);
        config.filter = filter;
        let envoy = Envoy::start_with(&config, |l| by_header(l, std::slice::from_ref(&own)));
        let other = format!("{NEW}:backend");
        for forged in [None, Some("backend"), Some(&*other), Some(OLD), Some("")] {
            let header = forged.map(|value| ("x-modgate-cluster", value));
            let headers: Vec<_> = header.into_iter().collect();
            assert_eq!(status(&envoy, &headers), expected, "{filter} {forged:?}");
        }
    }
    for request in server.requests() {
        let seen = format!("{request:?}");
        assert!(!seen.contains(OLD), "the backend has seen the key: {seen}");
    }
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn the_key_changes_without_a_request_that_fails() {
    let (_dir, server) = words();
    let config = Config::new(policy(OLD), &[("backend", server.address())]);
    let both = [OLD, NEW].map(|key| format!("{key}:backend"));
    let mut envoy = Envoy::start_with(&config, |l| by_header(l, &both));
    assert_eq!(status(&envoy, &[]), 200);
    assert!(envoy.reload(&policy(NEW)));
    for _ in 0..20 {
        assert_eq!(status(&envoy, &[]), 200);
    }
    let figures = Figures::parse(&envoy.prometheus());
    // The key is no part of the policy's hash: it is the same policy.
    assert_eq!(figures.sum("modgate_policy_info", &[]), 1.0);
    let shown = [envoy.prometheus(), envoy.process().log()].concat();
    assert!(!shown.contains(OLD) && !shown.contains(NEW), "{shown}");
}

#[test]
fn the_filter_twice_in_a_chain_is_refused_and_counted_once() {
    let (_dir, server) = words();
    let config = Config::new(policy(OLD), &[("backend", server.address())]);
    let own = format!("{OLD}:backend");
    let mut envoy = Envoy::start_with(&config, |listener| {
        by_header(listener, std::slice::from_ref(&own));
        let filters = &mut listener.manager()["http_filters"];
        let first = filters[0].clone();
        filters.as_array_mut().unwrap().insert(0, first);
    });
    for _ in 0..3 {
        let answer = http::get(envoy.address(), LIST);
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains("twice"), "{}", answer.body);
    }
    let figures = Figures::parse(&envoy.prometheus());
    assert_eq!(figures.sum("modgate_filter_twice_total", &[]), 3.0);
    assert_eq!(figures.sum("modgate_requests_total", &[]), 3.0);
    let log = envoy.process().log();
    assert_eq!(log.matches("chain twice").count(), 1, "{log}");
    assert!(server.requests().is_empty());
}

#[test]
fn serve_has_no_such_routes_and_leaves_the_key_out() {
    let (_dir, server) = words();
    let serve = Serve::start(&policy(OLD), &[("backend", server.address())]);
    assert_eq!(http::get(serve.address(), LIST).status, 200);
}

#[test]
fn the_key_is_in_no_output_of_the_command() {
    let bad = "short:and-with-a-colon-in-it-0123456789";
    let rows = [
        ("check", vec!["check", "-"], OLD),
        ("check of a bad one", vec!["check", "-"], bad),
        ("check as JSON", vec!["check", "-", "--json"], bad),
        (
            "explain",
            vec!["explain", "--policy", "-", "example.org/words"],
            OLD,
        ),
        ("envoy-routes", vec!["envoy-routes", "-"], OLD),
        ("test", vec!["test", "-"], OLD),
    ];
    table_rows::check(rows, |(_, arguments, key)| {
        let said = modgate(arguments, policy(key).to_string().as_bytes());
        let all = [said.stdout.as_slice(), said.stderr.as_slice()].concat();
        let all = String::from_utf8(all).unwrap();
        assert!(!all.is_empty() && !all.contains(key), "{all}");
    });
    let before = policy(OLD).to_string();
    let after = policy(NEW).to_string();
    let files = tempfile::tempdir().unwrap();
    let [a, b] = [("a.json", before), ("b.json", after)].map(|(name, text)| {
        let file = files.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let said = modgate(["policy", "diff", &a, &b], b"");
    let all = format!("{}{}", String::from_utf8_lossy(&said.stdout), stderr(&said));
    assert!(!all.contains(OLD) && !all.contains(NEW), "{all}");
}
