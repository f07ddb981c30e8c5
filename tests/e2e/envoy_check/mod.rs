//! `modgate check --envoy`: silent about what is shipped, and not about any one line that is changed in it.

mod faults;
mod proved;

use std::path::PathBuf;

use modgate_harness::envoy::shipped;
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::tools::root;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where the listener stands in the shipped file, and its connection manager.
pub(crate) const LISTENER: &str = "/static_resources/listeners/0";
pub(crate) const CHAIN: &str = "/static_resources/listeners/0/filter_chains/0";
pub(crate) const MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
pub(crate) const CLUSTER: &str = "/static_resources/clusters/0";
/// And the filter's configuration in its own.
pub(crate) const PLUGIN: &str = "/resources/0/typed_config/config";

/// The shipped files, to be changed, and the policy that is in force.
pub(crate) struct Files {
    pub(crate) bootstrap: Value,
    pub(crate) filter: Value,
    pub(crate) policy: Value,
}

impl Files {
    pub(crate) fn shipped() -> Self {
        let filter = shipped("modgate.yaml");
        let policy = filter.pointer(PLUGIN).unwrap()["configuration"]["value"].clone();
        Self {
            bootstrap: shipped("envoy.yaml"),
            policy: serde_json::from_str(policy.as_str().unwrap()).unwrap(),
            filter,
        }
    }

    /// What `check` says of them: the status, and of each finding its severity, path and message.
    pub(crate) fn check(&self) -> (i32, Vec<(String, String, String)>) {
        let dir = tempfile::tempdir().unwrap();
        let envoy = write(&dir, "envoy.json", &self.bootstrap);
        let filter = write(&dir, "modgate.json", &self.filter);
        let policy = write(&dir, "policy.json", &self.policy);
        let all = [
            "check".into(),
            policy,
            "--envoy".into(),
            envoy,
            "--envoy".into(),
            filter,
            "--json".into(),
        ];
        let said = modgate(all, b"");
        let printed: Value = serde_json::from_slice(&said.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(&said), stderr(&said)));
        let mut found = Vec::new();
        for report in printed.as_array().unwrap() {
            for severity in ["errors", "warnings"] {
                for finding in report[severity].as_array().unwrap() {
                    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
                    assert!(finding["line"].is_number(), "no place: {finding}");
                    found.push((severity.to_owned(), text("path"), text("message")));
                }
            }
        }
        (said.status.code().unwrap(), found)
    }
}

fn write(dir: &TempDir, name: &str, value: &Value) -> String {
    let file = dir.path().join(name);
    std::fs::write(&file, value.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

pub(crate) fn at<'v>(value: &'v mut Value, pointer: &str) -> &'v mut Value {
    value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("the shipped file has no {pointer}"))
}

fn shipped_file(name: &str) -> PathBuf {
    root().join("envoy").join(name)
}

#[test]
fn what_is_shipped_is_good() {
    let (envoy, filter) = (shipped_file("envoy.yaml"), shipped_file("modgate.yaml"));
    for files in [vec![&envoy], vec![&filter], vec![&envoy, &filter]] {
        let arguments = files
            .iter()
            .flat_map(|file| ["--envoy".as_ref(), file.as_os_str()]);
        let said = modgate(std::iter::once("check".as_ref()).chain(arguments), b"");
        let printed = stdout(&said);
        assert!(said.status.success(), "{printed}{}", stderr(&said));
        assert!(
            printed.contains("Envoy's configuration: ok; 0 warnings"),
            "{printed}"
        );
        let findings = printed.lines().filter(|line| line.starts_with("warning"));
        assert_eq!(findings.count(), 0, "{printed}");
    }
}

#[test]
fn what_is_made_for_a_policy_is_good() {
    let mut files = Files::shipped();
    files.policy["backends"] = json!({
        "public": {"cluster": "public", "headers": {"authorization": {"secret": "token"}}},
        "second": {"cluster": "second", "headers": {"authorization": {"secret": "token"}}},
    });
    files.policy["routes"] = json!([
        {"id": "all", "backends": {"public": 100, "second": 0}, "on_failure": "next"},
    ]);
    let made = modgate(["envoy-routes", "-"], files.policy.to_string().as_bytes());
    let made: Value = plain_yaml::from_str(&stdout(&made)).unwrap();
    at(&mut files.bootstrap, MANAGER)["route_config"] = made["route_config"].clone();
    let mut clusters = made["clusters"].as_array().unwrap().clone();
    for name in ["public", "second"] {
        let mut cluster = files.bootstrap.pointer(CLUSTER).unwrap().clone();
        cluster["name"] = json!(name);
        for (key, value) in made["cluster_options"][name].as_object().unwrap() {
            cluster[key] = value.clone();
        }
        clusters.push(cluster);
    }
    files.bootstrap["static_resources"]["clusters"] = json!(clusters);
    assert_eq!(files.check(), (0, Vec::new()));
}

#[test]
fn places_are_reported_in_yaml_and_json_and_in_both_spellings() {
    let yaml = std::fs::read_to_string(shipped_file("envoy.yaml")).unwrap();
    let line = yaml
        .lines()
        .position(|line| line.contains("normalize_path: false"))
        .unwrap();
    let camel = yaml.replace("normalize_path: false", "normalizePath: true");
    for (text, key) in [
        (
            yaml.replace("normalize_path: false", "normalize_path: true"),
            "normalize_path",
        ),
        (camel, "normalizePath"),
    ] {
        let said = modgate(["check", "--envoy", "-"], text.as_bytes());
        let printed = stdout(&said);
        assert_eq!(said.status.code(), Some(1), "{printed}");
        let place = format!("standard input:{}:", line + 1);
        let path = format!(
            "$.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.{key}: "
        );
        let reported = |line: &str| {
            line.starts_with("error: ") && line.contains(&place) && line.contains(&path)
        };
        assert!(printed.lines().any(reported), "{printed}");
        assert!(printed.contains("refused, 1 error"), "{printed}");
    }
}

#[test]
fn what_an_envoy_shows_of_itself_is_read_too() {
    let mut files = Files::shipped();
    let mut listener = files.bootstrap.pointer(LISTENER).unwrap().clone();
    at(&mut listener, "/filter_chains/0/filters/0/typed_config")["merge_slashes"] = json!(true);
    let clusters = files.bootstrap["static_resources"]["clusters"].clone();
    files.bootstrap = json!({"configs": [
        {"static_clusters": [{"cluster": clusters[0]}]},
        {"dynamic_listeners": [{"active_state": {"listener": listener}}]},
        {"ecds_filters": [{"ecds_filter": files.filter["resources"][0]}]},
    ]});
    let (status, found) = files.check();
    assert_eq!((status, found.len()), (1, 1), "{found:?}");
    assert!(found[0].1.ends_with("merge_slashes"), "{found:?}");
}

#[test]
fn what_questions_lack_is_reported_where_the_filter_asks() {
    let route = format!("{MANAGER}/route_config/virtual_hosts/0/routes/0");
    let host = format!("{MANAGER}/route_config/virtual_hosts/0");
    let added = json!([{"header": {"key": "x-token", "value": "t"}}]);
    for (place, key, value, says) in [
        (
            &route,
            "request_headers_to_add",
            added.clone(),
            "lack this header",
        ),
        (&host, "request_headers_to_add", added, "lack this header"),
        (
            &format!("{route}/route"),
            "host_rewrite_literal",
            json!("a.example"),
            "the client's host",
        ),
        (
            &format!("{route}/route"),
            "auto_host_rewrite",
            json!(true),
            "the client's host",
        ),
    ] {
        let mut files = Files::shipped();
        at(&mut files.bootstrap, place)[key] = value;
        let reported = |files: &Files| {
            let (_, found) = files.check();
            let of_questions = found
                .iter()
                .filter(|(_, _, message)| message.contains("without routes"));
            of_questions.cloned().collect::<Vec<_>>()
        };
        assert_eq!(reported(&files), [], "{key}: nothing is asked");
        files.policy["rules"]["everybody"][1]["min_age"] = json!("7d");
        let found = reported(&files);
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        let (severity, path, message) = &found[0];
        assert!(
            severity == "warnings" && path.contains(key) && message.contains(says),
            "{found:?}"
        );
    }
}

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

/// As control planes make routes: by a header that they cannot remove from clients first.
fn by_header(files: &mut Files, value: &str) {
    let manager = at(&mut files.bootstrap, MANAGER);
    manager["early_header_mutation_extensions"] = json!([]);
    let route = at(manager, "/route_config/virtual_hosts/0/routes/0");
    route["match"]["headers"] =
        json!([{"name": "x-modgate-cluster", "string_match": {"exact": value}}]);
    let action = route["route"].as_object_mut().unwrap();
    action.remove("cluster_header");
    action.insert("cluster".to_owned(), json!("public"));
}

#[test]
fn routes_that_match_a_header_need_the_route_key() {
    type Change = fn(&mut Files);
    let rows: [(&str, Change, Option<&str>); 7] = [
        (
            "the key, and it is removed",
            |f| by_header(f, &format!("{KEY}:public")),
            None,
        ),
        (
            "the key, and backends get it",
            |f| {
                by_header(f, &format!("{KEY}:public"));
                let route = format!("{MANAGER}/route_config/virtual_hosts/0/routes/0");
                at(&mut f.bootstrap, &route)["request_headers_to_remove"] = json!([]);
            },
            Some("the route key is sent to backends"),
        ),
        (
            "the cluster's name alone",
            |f| by_header(f, "public"),
            Some("a client that sends x-modgate-cluster itself reaches public"),
        ),
        (
            "all but the key",
            |f| {
                by_header(f, &format!("{KEY}:public"));
                let route = format!("{MANAGER}/route_config/virtual_hosts/0/routes/0");
                at(&mut f.bootstrap, &format!("{route}/match/headers/0"))["invert_match"] =
                    json!(true);
            },
            Some("a fixed cluster"),
        ),
        (
            "another key",
            |f| by_header(f, &format!("{}:public", KEY.replace('0', "1"))),
            Some("a client that sends x-modgate-cluster itself reaches public"),
        ),
        (
            "Envoy's own route",
            |_| {},
            Some("remove route_key from the policy"),
        ),
        (
            "no key, and the cluster's name",
            |f| {
                by_header(f, "public");
                f.policy.as_object_mut().unwrap().remove("route_key");
            },
            Some("give the policy a route_key"),
        ),
    ];
    table_rows::check(rows, |(_, change, says)| {
        let mut files = Files::shipped();
        files.policy["route_key"] = json!(KEY);
        change(&mut files);
        let (status, found) = files.check();
        let errors = found.iter().filter(|(severity, ..)| severity == "errors");
        let mut errors = errors.map(|(_, _, message)| message);
        match says {
            None => assert_eq!((status, found), (0, Vec::new())),
            Some(says) => assert!(errors.any(|error| error.contains(says)), "{found:?}"),
        }
    });
}

#[test]
fn one_policy_without_a_route_key_needs_the_header_removed() {
    let mut files = Files::shipped();
    at(&mut files.bootstrap, MANAGER)["early_header_mutation_extensions"] = json!([]);
    let mut keyed = files.policy.clone();
    keyed["route_key"] = json!(KEY);
    let dir = tempfile::tempdir().unwrap();
    let envoy = write(&dir, "envoy.json", &files.bootstrap);
    let keyed = write(&dir, "keyed.json", &keyed);
    let bare = write(&dir, "bare.json", &files.policy);
    let reported = |policies: &[&str]| {
        let all = [&["check"], policies, &["--envoy", &envoy]].concat();
        stdout(&modgate(all, b"")).contains("a client's own x-modgate-cluster is not removed first")
    };
    assert!(!reported(&[&keyed]), "a key is enough");
    assert!(reported(&[&keyed, &bare]), "one policy has none");
}
