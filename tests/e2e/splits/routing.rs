//! Where requests go: by host, as which host, with which headers, and to whom when a backend fails.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Output;

use http_status::StatusCode;
use modgate_goproxy::{Fault, Module, Server};
use modgate_harness::envoy::{Config, Envoy, shipped};
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::ports::free_port;
use modgate_harness::tools::root;
use serde_json::{Value, json};

use crate::splits::files;

const LIST: &str = "/corp.example/lib/@v/list";

fn library() -> (tempfile::TempDir, Server) {
    files(&[Module::new("corp.example/lib", "v1.0.0").file("lib.go", "package lib\n")])
}

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

fn routed(routes: Value) -> Value {
    json!({
        "version": "1", "default": "allow", "tenants": {"*": {"rules": ["r"]}},
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "rules": {"r": [{"id": "aged", "allow": ["aged.example"], "min_age": "1h"}]},
        "backends": {
            "first": {"cluster": "first"}, "second": {"cluster": "second"},
        },
        "routes": routes,
    })
}

/// Asks as this host, with more header lines.
fn get_as(address: SocketAddr, path: &str, host: &str, more: &str) -> http::Response {
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}connection: close\r\n\r\n");
    http::raw(address, head.as_bytes(), false).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A header of the last request that a backend got.
fn last_header(server: &Server, name: &str) -> Option<String> {
    let requests = server.requests();
    let value = requests.last()?.headers.get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

#[test]
fn hosts_choose_backends() {
    let (first, second) = (library(), library());
    let policy = routed(json!([
        {"id": "hub", "hosts": ["hub.example", "*.hub.example"], "backend": "second"},
        {"id": "rest", "backend": "first"},
    ]));
    let clusters = [("first", first.1.address()), ("second", second.1.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let rows = [
            ("hub.example", true),
            ("HUB.example:8080", true),
            ("eu.hub.example", true),
            ("nothub.example", false),
            ("localhost", false),
        ];
        table_rows::check(rows, |(authority, is_second)| {
            first.1.forget_requests();
            second.1.forget_requests();
            let answer = get_as(host.address(), LIST, authority, "");
            assert_eq!(answer.status, 200, "{authority}");
            let counts = (first.1.requests().len(), second.1.requests().len());
            let expected = if is_second { (0, 1) } else { (1, 0) };
            assert_eq!(counts, expected, "{authority}");
        });
    }
}

#[test]
fn a_backend_gets_its_own_host_with_what_the_proxy_adds_and_no_client_can() {
    let (_dir, server) = library();
    let secrets = tempfile::tempdir().unwrap();
    let token = secrets.path().join("token");
    std::fs::write(&token, "Bearer s3cret-value").unwrap();
    let mut policy = routed(json!([{"id": "all", "backend": "first"}]));
    policy["backends"]["first"]["authority"] = json!("artifactory.corp.example");
    policy["backends"]["first"]["headers"] = json!({"authorization": {"secret": "hub-token"}});
    let clusters = [("first", server.address()), ("second", server.address())];
    for mut host in Host::both_routed(&policy, &clusters, &[("hub-token", &token)]) {
        // The second is a question of the filter's own: the age of a version.
        let aged = "/aged.example/@v/v1.0.0.info";
        for path in [LIST, aged] {
            server.forget_requests();
            let mine = "authorization: Bearer mine\r\n";
            get_as(host.address(), path, "client.example", mine);
            assert_eq!(
                last_header(&server, "authorization").as_deref(),
                Some("Bearer s3cret-value"),
                "{path}"
            );
            let requested_as = last_header(&server, "host");
            assert_eq!(
                requested_as.as_deref(),
                Some("artifactory.corp.example"),
                "{path}"
            );
        }
        let log = host.process().log();
        assert!(!log.contains("s3cret"), "a secret is in the log");
        let figures = format!("{:?}", host.figures());
        assert!(!figures.contains("s3cret"), "a secret is in a metric");
    }
}

#[test]
fn a_header_without_its_secret_starts_nothing() {
    let mut policy = routed(json!([{"id": "all", "backend": "first"}]));
    policy["backends"]["first"]["headers"] = json!({"authorization": {"secret": "hub-token"}});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), policy.to_string()).unwrap();
    let said = modgate(
        [
            "serve".as_ref(),
            "--policy".as_ref(),
            file.path().as_os_str(),
            "--upstream=first=http://127.0.0.1:1".as_ref(),
            "--upstream=second=http://127.0.0.1:1".as_ref(),
        ],
        b"",
    );
    assert!(!said.status.success());
    let error = stderr(&said);
    assert!(error.contains("add --secret hub-token=FILE"), "{error}");
}

const FAILOVERS: &str = "modgate_failovers_total";

#[test]
fn when_a_backend_fails_the_next_one_answers_and_the_metrics_say_so() {
    let second = library();
    let mut policy = routed(json!([
        {"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"},
    ]));
    policy["backends"]["second"]["kind"] = json!("static");
    let failing = library();
    failing
        .1
        .set_fault(LIST, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    for first in [nobody(), failing.1.address()] {
        let clusters = [("first", first), ("second", second.1.address())];
        for host in Host::both_routed(&policy, &clusters, &[]) {
            let answer = host.get(LIST);
            assert_eq!((answer.status, answer.body.as_str()), (200, "v1.0.0\n"));
            let labels = [("backend", "first"), ("fallback", "second")];
            assert_eq!(host.figures().sum(FAILOVERS, &labels), 1.0);
            // What is known of the backend that answered counts, and not of the one that did not.
            let hit = [
                ("backend", "second"),
                ("cache_status", "hit"),
                ("evidence", "backend"),
            ];
            assert_eq!(host.figures().sum("modgate_cache_lookups_total", &hit), 1.0);
            let ok = [("backend", "second"), ("outcome", "ok")];
            assert_eq!(host.figures().sum("modgate_requests_total", &ok), 1.0);
            // What is not there is not there: no failure, and no second opinion.
            let missing = host.get("/corp.example/none/@v/list");
            let failed = if first == failing.1.address() {
                1.0
            } else {
                2.0
            };
            assert_eq!(missing.status, 404);
            assert_eq!(host.figures().sum(FAILOVERS, &[]), failed);
        }
    }
}

#[test]
fn the_filters_own_questions_go_on_to_the_next_backend_too() {
    let (_dir, second) =
        files(&[Module::new("aged.example", "v1.0.0").file("a.go", "package a\n")]);
    let policy = routed(json!([
        {"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"},
    ]));
    let clusters = [("first", nobody()), ("second", second.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let answer = host.get("/aged.example/@v/v1.0.0.info");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let go = host.go("web");
        go.run(&["get", "aged.example@latest"]).expect_ok();
        let listed = go.run(&["list", "-m", "-f", "{{.Version}}", "aged.example"]);
        assert_eq!(listed.expect_ok().trim(), "v1.0.0");
    }
}

#[test]
fn a_backend_that_keeps_failing_is_passed_over() {
    let (failing, second) = (library(), library());
    let fault = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
    failing.1.set_fault(LIST, fault);
    let policy = routed(json!([
        {"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"},
    ]));
    let clusters = [
        ("first", failing.1.address()),
        ("second", second.1.address()),
    ];
    let envoy = Envoy::start(&Config::new(policy, &clusters).with_routes(&[]));
    for _ in 0..20 {
        assert_eq!(http::get(envoy.address(), LIST).status, 200);
    }
    let requested = failing.1.requests().len();
    assert!((5..10).contains(&requested), "{requested} of 20 requests");
    // Who answered at the first attempt stands in all the same.
    let counted = Figures::parse(&envoy.prometheus());
    let labels = [("backend", "first"), ("fallback", "second")];
    assert_eq!(counted.sum(FAILOVERS, &labels), 20.0);
}

#[test]
fn without_on_failure_a_failure_is_the_clients() {
    let second = library();
    let policy = routed(json!([{"id": "all", "backends": {"first": 100, "second": 0}}]));
    let clusters = [("first", nobody()), ("second", second.1.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let answer = host.get(LIST);
        assert!(matches!(answer.status, 502 | 503), "{}", answer.status);
        assert_eq!(second.1.requests().len(), 0);
        assert_eq!(host.figures().sum(FAILOVERS, &[]), 0.0);
    }
}

#[test]
fn without_the_routes_that_it_needs_envoy_sends_nothing_anywhere() {
    let second = library();
    let policy = routed(json!([
        {"id": "all", "backends": {"first": 50, "second": 50}, "on_failure": "next"},
    ]));
    let address = second.1.address();
    let envoy = Envoy::start(&Config::new(
        policy,
        &[("first", address), ("second", address)],
    ));
    let answer = http::get(envoy.address(), LIST);
    assert_eq!(answer.status, 503);
    assert_eq!(second.1.requests().len(), 0);
}

fn envoy_routes(arguments: &[&str]) -> Output {
    let all = ["envoy-routes"].iter().chain(arguments);
    modgate(all, b"")
}

#[test]
fn the_shipped_configuration_has_the_routes_of_the_shipped_policy() {
    let policy = root().join("examples/envoy/policy.json");
    let made = envoy_routes(&[policy.to_str().unwrap()]);
    let made: Value = plain_yaml::from_str(&stdout(&made)).unwrap();
    let file = shipped("envoy.yaml");
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let shipped = &file.pointer(manager).unwrap()["route_config"];
    assert_eq!(&made["route_config"], shipped);
    let cluster = &file["static_resources"]["clusters"][0];
    for name in ["athens", "goproxy"] {
        let options = made["cluster_options"][name].as_object().unwrap();
        assert_eq!(options.len(), 2, "{options:?}");
        for (key, value) in options {
            assert_eq!(&cluster[key], value, "{key}");
        }
    }
    assert_eq!(made.as_object().unwrap().len(), 2, "{made}");
}

#[test]
fn routes_and_clusters_come_as_files_that_envoy_reads_by_itself() {
    let policy = routed(json!([
        {"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"},
    ]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), policy.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    for (format, kind) in [
        (
            "rds",
            "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        ),
        ("cds", "type.googleapis.com/envoy.config.cluster.v3.Cluster"),
    ] {
        let made = envoy_routes(&[path, "--format", format]);
        let made: Value = plain_yaml::from_str(&stdout(&made)).unwrap();
        assert_eq!(made["resources"][0]["@type"], kind);
    }
    let older = stdout(&envoy_routes(&[path, "--no-callout-retries"]));
    assert!(
        !older.contains("typed_extension_protocol_options"),
        "{older}"
    );
    assert!(
        older.contains("# Give the endpoints of the cluster first"),
        "{older}"
    );
}

#[test]
fn check_knows_the_clusters_of_an_envoy() {
    let policy = routed(json!([
        {"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"},
    ]));
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let file = write("policy.json", &policy.to_string());
    let bootstrap = write(
        "envoy.yaml",
        "static_resources: {clusters: [{name: first}, {name: secnod}]}",
    );
    let check = |more: &[&str]| {
        let arguments = ["check", &*file, "--json"];
        modgate(arguments.iter().chain(more), b"")
    };
    let said = check(&["--envoy", &bootstrap]);
    assert!(!said.status.success());
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let errors: Vec<(&str, &str)> = said[0]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["path"].as_str().unwrap(), e["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            (
                "$.backends.second.cluster",
                "Envoy has no cluster \"second\"; did you mean \"secnod\"?"
            ),
            (
                "$.routes[0].on_failure",
                "Envoy has no cluster \"modgate.next.all.first\"; `modgate envoy-routes` prints it"
            ),
        ]
    );
    // A file of clusters and what the admin interface dumps count, too.
    let cds = write(
        "cds.yaml",
        &stdout(&envoy_routes(&[&file, "--format", "cds"])),
    );
    let dump = json!({"configs": [
        {"static_clusters": [{"cluster": {"name": "first"}}]},
        {"dynamic_active_clusters": [{"cluster": {"name": "second"}}]},
    ]});
    let dump = write("dump.json", &dump.to_string());
    let said = check(&["--envoy", &dump, "--envoy", &cds]);
    assert!(said.status.success(), "{}", stdout(&said));
    let none = write("none.yaml", "static_resources: {}");
    let said = check(&["--envoy", &none]);
    assert!(
        stderr(&said).contains("it has no clusters"),
        "{}",
        stderr(&said)
    );
}
