//! What the queries name, without asking them.

use std::collections::BTreeSet;

use modgate_harness::grafana::boards;
use modgate_harness::promql;
use modgate_harness::tools::root;
use serde_json::Value;

/// All texts that Prometheus gets: of panels, annotations and variables.
fn expressions() -> Vec<String> {
    let mut all = Vec::new();
    for board in boards() {
        all.extend(board.queries().into_iter().map(|query| query.expression));
        let variables = board.variables().iter();
        let queries = variables.filter_map(|variable| variable["query"]["query"].as_str());
        all.extend(queries.map(ToOwned::to_owned));
    }
    all
}

#[test]
fn they_name_nothing_that_is_not_in_the_catalogue() {
    let mut seen = BTreeSet::new();
    for expression in expressions() {
        // A pattern of names looks for broken ones.
        if expression.contains("__name__") {
            continue;
        }
        let metrics = promql::check(&expression).unwrap_or_else(|reason| panic!("{reason}"));
        seen.extend(metrics.iter().map(|metric| metric.name));
    }
    let all: BTreeSet<&str> = modgate_engine::telemetry::CATALOGUE
        .iter()
        .map(|metric| metric.name)
        .collect();
    assert_eq!(seen, all);
}

/// What is recorded is what `grafana/rules/recording.yaml` records.
#[test]
fn they_name_no_rule_that_is_not_there() {
    let file = root().join("grafana/rules/recording.yaml");
    let rules: Value = plain_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    let records: BTreeSet<&str> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .filter_map(|rule| rule["record"].as_str())
        .collect();
    let mut seen = 0;
    for expression in expressions() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let names = expression.split(|c| !is_name(c));
        for name in names.filter(|name| name.starts_with("modgate:")) {
            assert!(records.contains(name), "{name}: {expression}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

/// A rate is taken over Grafana's own interval, or over the whole time shown; what is in force is asked
/// as it is.
#[test]
fn they_take_grafanas_intervals() {
    for board in boards() {
        for query in board.queries() {
            let text = &query.expression;
            for range in text.split('[').skip(1) {
                let range = range.split(']').next().unwrap_or_default();
                let good = ["$__rate_interval", "$__range"].contains(&range);
                assert!(good, "{}: [{range}]", query.place);
            }
            let info = text.split("modgate_policy_info").skip(1);
            for behind in info {
                let plain = !behind.trim_start_matches(['}', ')']).starts_with('[');
                assert!(plain, "{}: {text}", query.place);
            }
            // One who asks by module has no bounds.
            assert!(!text.contains("module"), "{}: {text}", query.place);
        }
    }
}
