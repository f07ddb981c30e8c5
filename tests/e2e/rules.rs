//! The recording rules and alerts: promtool takes them and their cases pass, every alert has a page and a
//! case in which it fires and one in which it stays silent, and they name nothing that the engine's
//! catalogue does not have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use modgate_harness::policies::three_tenants;
use modgate_harness::promql;
use modgate_harness::tools::{files, root, tool};
use serde_json::Value;

fn read(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    plain_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// All rules, recording ones and alerts.
fn rules() -> Vec<Value> {
    let of_file = |file: &PathBuf| -> Vec<Value> {
        let groups = read(file)["groups"].as_array().unwrap().clone();
        let rules = |group: Value| group["rules"].as_array().unwrap().clone();
        groups.into_iter().flat_map(rules).collect()
    };
    files("grafana/rules", "yaml")
        .iter()
        .flat_map(of_file)
        .collect()
}

fn alerts() -> Vec<String> {
    let names = rules()
        .into_iter()
        .filter_map(|rule| Some(rule["alert"].as_str()?.to_owned()));
    names.collect()
}

#[test]
fn promtool_takes_the_rules_and_their_cases_pass() {
    for (command, folder) in [("check", "grafana/rules"), ("test", "grafana/rules/tests")] {
        let output = Command::new(tool("promtool"))
            .args([command, "rules"])
            .args(files(folder, "yaml"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{command}: {said}");
        assert!(said.contains("SUCCESS"), "{command}: {said}");
    }
}

#[test]
fn every_alert_has_a_page_and_cases_of_both_kinds() {
    let alerts = alerts();
    assert!(alerts.len() >= 15, "{alerts:?}");
    let (mut fires, mut is_silent) = (BTreeSet::new(), BTreeSet::new());
    for case in files("grafana/rules/tests", "yaml")
        .iter()
        .map(|file| read(file))
    {
        for test in case["tests"].as_array().unwrap() {
            let series = test["input_series"].as_array().unwrap();
            for rule in test["alert_rule_test"].as_array().unwrap() {
                let name = rule["alertname"].as_str().unwrap().to_owned();
                let fired = rule["exp_alerts"].as_array().unwrap();
                // Whoever fires for one and not for the others of the case is silent for those.
                if fired.is_empty() || fired.len() < series.len() {
                    is_silent.insert(name.clone());
                }
                if !fired.is_empty() {
                    fires.insert(name);
                }
            }
        }
    }
    for alert in &alerts {
        assert!(fires.contains(alert), "{alert} never fires in a case");
        assert!(
            is_silent.contains(alert),
            "{alert} is never silent in a case"
        );
        let page = root().join(format!("docs/runbooks/{alert}.md"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{alert}: {e}"));
        for heading in ["What it means", "What to look at", "What to do"] {
            assert!(
                text.contains(&format!("## {heading}\n")),
                "{alert}: {heading}"
            );
        }
    }
    let pages = std::fs::read_dir(root().join("docs/runbooks")).unwrap();
    for page in pages.map(|entry| entry.unwrap().path()) {
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            alerts.contains(&name),
            "{} is about no alert",
            page.display()
        );
    }
    for rule in rules().iter().filter(|rule| rule.get("alert").is_some()) {
        let name = rule["alert"].as_str().unwrap();
        let url = rule["annotations"]["runbook_url"].as_str().unwrap();
        assert_eq!(url, format!("docs/runbooks/{name}.md"));
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(
            ["page", "ticket", "info"].contains(&severity),
            "{name}: {severity}"
        );
    }
}

#[test]
fn the_rules_name_nothing_that_is_not_in_the_catalogue() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        let expression = rule["expr"].as_str().unwrap();
        let metrics = promql::check(expression).unwrap_or_else(|reason| panic!("{reason}"));
        seen.extend(metrics.iter().map(|metric| metric.name));
    }
    assert!(seen.len() >= 9, "{seen:?}");
}

/// What the enforcement gap is computed from is what a real Envoy shows: both count the same requests.
#[test]
fn envoy_and_the_filter_count_the_same_requests() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &[Module::new("golang.org/x/text", "v0.1.0")]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    let clusters = [("backend", server.address())];
    let envoy = Envoy::start(&Config::new(three_tenants("static"), &clusters));
    for path in [
        "/t/web/golang.org/x/text/@v/list",
        "/t/nobody/a.b/c/@v/list",
        "/%zz",
    ] {
        for _ in 0..5 {
            http::get(envoy.address(), path);
        }
    }
    let text = envoy.prometheus();
    let series = "envoy_http_downstream_rq_completed{envoy_http_conn_manager_prefix=\"goproxy\"} ";
    let answered = text.lines().find_map(|line| line.strip_prefix(series));
    let counted = Figures::parse(&text).sum("modgate_requests_total", &[]);
    assert_eq!((answered, counted), (Some("15"), 15.0));
}
