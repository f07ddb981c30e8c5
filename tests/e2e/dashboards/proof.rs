//! A quarter of an hour in 45 seconds: real Envoy and `modgate serve` in front of two backends, real
//! Prometheus beside them, and then every query of every dashboard.

use std::collections::BTreeSet;
use std::time::Duration;

use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::grafana::{Board, boards};
use modgate_harness::serve::Serve;
use modgate_harness::stack::{Prometheus, Target};
use serde_json::json;

use crate::dashboards::backend::Backend;
use crate::dashboards::requested::{Choice, Grafana, with};
use crate::dashboards::traffic::{self, Seen, now, policy};

/// Queries that bring nothing here, and why. One that brings something must not stand here.
const EMPTY: &[(&str, &str)] = &[
    (
        "modgate-integrity: Good files that did not arrive: A",
        "first hashes have room, and no filter nearer to the client holds a file",
    ),
    (
        "modgate-splits: Backend fallbacks: A",
        "no backend has a fallback",
    ),
    (
        "modgate-health: Values that did not fit: A",
        "no label has too many values",
    ),
    (
        "modgate-health: Values that did not fit, since the start: A",
        "no label has too many values",
    ),
    (
        "modgate-health: Refused by a second filter: A",
        "the filter is in the chain once",
    ),
];

/// Without the second that Envoy waits after each refusal.
fn start(config: &Config) -> Envoy {
    Envoy::start_with(config, |listener| listener.close_at_once())
}

/// What the traffic was, for comparison.
struct Day {
    /// When the outage began and ended.
    outage: (f64, f64),
    /// What `bank` saw in it.
    in_outage: Seen,
    /// What it saw before.
    before: Seen,
    /// When that was.
    calm: (f64, f64),
}

#[test]
fn every_query_brings_what_happened() {
    let dir = tempfile::tempdir().unwrap();
    traffic::write_modules(dir.path());
    let (one, two) = (Backend::start(dir.path()), Backend::start(dir.path()));
    let clusters = [("one", one.address()), ("two", two.address())];
    let shadow = policy("1", json!({"candidate": ["next"], "stage": "shadow"}));
    let mut envoy = start(&Config::new(shadow.clone(), &clusters));
    let serve = Serve::start(&shadow, &clusters);
    let proxies = [envoy.address(), serve.address()];
    let targets = [Target::envoy(envoy.admin()), Target::serve(serve.admin())];
    let mut prometheus = Prometheus::start(&targets);
    let mut newer = Prometheus::start_program("prometheus3", &targets);
    prometheus.wait_for_scrapes(targets.len());
    newer.wait_for_scrapes(targets.len());
    let from = now();

    let before = traffic::run(&proxies, Duration::from_secs(12));
    let calm = (from + 5.0, now());
    two.set_down(true);
    let began = now();
    let in_outage = traffic::run(&proxies, Duration::from_secs(10));
    let outage = (began, now());
    two.set_down(false);
    let canary = json!({"candidate": ["next"], "stage": "canary", "percent": 50, "by": "module"});
    assert!(envoy.reload(&policy("2", canary)));
    traffic::run(&proxies, Duration::from_secs(12));
    // What was counted last is scraped.
    std::thread::sleep(Duration::from_secs(2));

    let grafana = Grafana {
        prometheus: &prometheus,
        from,
        to: now(),
    };
    let day = Day {
        outage,
        in_outage,
        before,
        calm,
    };
    all_bring_something(grafana);
    every_choice_can_be_queried(grafana);
    // The oldest that is supported, and one of today.
    all_bring_something(Grafana {
        prometheus: &newer,
        ..grafana
    });
    values_are_as_the_traffic_was(grafana, &day);
    // What the alert on the enforcement gap is computed from.
    close(
        prometheus.query("sum(modgate:uncounted:total)").unwrap(),
        0.0,
        2.0,
    );
    let answered = prometheus.query("sum(modgate:answered:total)").unwrap();
    assert!(answered > 1000.0, "{answered}");
    // `make pictures` says where it wants them.
    if let Some(file) = std::env::var_os("MODGATE_ANSWERS") {
        let answers = grafana.answers().unwrap();
        std::fs::write(file, serde_json::to_vec(&answers).unwrap()).unwrap();
    }
}

fn all_bring_something(grafana: Grafana<'_>) {
    let mut requested = 0;
    let mut wrong = Vec::new();
    let mut empty: BTreeSet<&str> = EMPTY.iter().map(|(place, _)| *place).collect();
    for board in boards() {
        let choice = grafana.open(&board);
        for query in board.queries() {
            requested += 1;
            let brought = grafana.ask(&query, &choice);
            let is_listed = empty.remove(query.place.as_str());
            match brought {
                Err(error) => wrong.push(format!("{}: {error}", query.place)),
                Ok(series) => {
                    let has_points = series.iter().any(|series| !series.points.is_empty());
                    if has_points == is_listed {
                        let what = if is_listed {
                            "is not empty"
                        } else {
                            "is empty"
                        };
                        let expanded = grafana.expand(&query.expression, &choice);
                        wrong.push(format!("{} {what}: {expanded}", query.place));
                    }
                }
            }
        }
    }
    wrong.extend(empty.iter().map(|place| format!("{place} is no query")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(requested > 90, "{requested} queries");
}

/// One value, several, and one with characters that mean something in an expression, as Grafana writes them
/// for `=~`.
fn every_choice_can_be_queried(grafana: Grafana<'_>) {
    for board in boards() {
        let open = grafana.open(&board);
        for chosen in ["web", "(web|bank)", r"a\\.b\\+c"] {
            let mut choice = open.clone();
            for value in choice.values_mut() {
                chosen.clone_into(value);
            }
            for query in board.queries() {
                let brought = grafana.ask(&query, &choice);
                assert!(brought.is_ok(), "{}: {chosen}: {brought:?}", query.place);
            }
        }
    }
}

fn values_are_as_the_traffic_was(grafana: Grafana<'_>, day: &Day) {
    let boards = boards();
    let board = |name: &str| -> (&Board, Choice) {
        let board = boards.iter().find(|board| board.uid() == name).unwrap();
        (board, grafana.open(board))
    };

    let (tenant, mut bank) = board("modgate-tenant");
    bank.insert("tenant".to_owned(), "bank".to_owned());
    let hits = grafana.panel(tenant, "Hit rate by operation", &bank);
    let shown = with(&hits, "operation", "info").mean(day.calm.0, day.calm.1);
    close(
        shown,
        f64::from(day.before.hits) / f64::from(day.before.requests),
        0.06,
    );
    let latencies = grafana.panel(tenant, "Latency by cache status, 95 %", &bank);
    for status in ["hit", "miss", "none"] {
        with(&latencies, "cache_status", status);
    }
    let failures = grafana.panel(tenant, "Failures by operation", &bank);
    let info = with(&failures, "operation", "info");
    close(info.mean(day.calm.0, day.calm.1), 0.0, 0.001);
    let in_outage = f64::from(day.in_outage.failed) / f64::from(day.in_outage.requests);
    assert!(in_outage > 0.3, "{:?}", day.in_outage);
    // As soon as the rate's own window lies in it.
    close(info.mean(day.outage.0 + 5.0, day.outage.1), in_outage, 0.08);

    let (overview, all) = board("modgate-overview");
    let tenants = grafana.panel(overview, "Tenants", &all);
    assert!(with(&tenants, "tenant", "bank").last() > 100.0);
    assert!(with(&tenants, "tenant", "web").last() > 100.0);

    // Nothing was slow, whichever of the two counted it.
    let slow = grafana.panel(overview, "Slow requests", &all);
    assert!(slow.len() >= 6, "{slow:?}");
    for one in &slow {
        close(one.last(), 0.0, 0.001);
    }

    let (splits, all) = board("modgate-splits");
    let shares = grafana.panel(splits, "Shares of the variants", &all);
    close(with(&shares, "variant", "beta").last(), 0.25, 0.03);
    close(with(&shares, "variant", "stable").last(), 0.75, 0.03);
    let shares = grafana.panel(splits, "Shares of the backends", &all);
    let together: f64 = shares.iter().map(|series| series.last()).sum();
    close(together, 1.0, 0.001);
    let weights = grafana.panel(splits, "Weights of the backends", &all);
    close(with(&weights, "backend", "one").last(), 0.7, 1e-9);
    close(with(&weights, "backend", "two").last(), 0.3, 1e-9);
    // `bank` asks for lists of the one, and files of the other, which are there.
    let failures = grafana.panel(splits, "Failures by variant", &all);
    for variant in ["beta", "stable"] {
        let shown = with(&failures, "variant", variant);
        close(shown.mean(day.calm.0, day.calm.1), 0.0, 0.001);
    }
    // Every list of that module falls back, one of five.
    let fallbacks = grafana.panel(splits, "Fallbacks", &all);
    close(fallbacks[0].mean(day.calm.0, day.calm.1), 0.2, 0.05);

    let (integrity, all) = board("modgate-integrity");
    let wrong = grafana.panel(integrity, "Wrong files by tenant", &all);
    let wrong = with(&wrong, "evidence", "pin");
    assert_eq!(wrong.labels["result"], "mismatch");
    assert_eq!(wrong.labels["tenant"], "bank");
    let away = grafana.panel(integrity, "Checksum database away", &all);
    close(away[0].mean(day.calm.0, day.calm.1), 1.0, 0.001);

    let (rollout, all) = board("modgate-rollout");
    let stages = grafana.panel(rollout, "Stage by tenant", &all);
    let web = with(&stages, "tenant", "web");
    assert_eq!(web.mean(day.calm.0, day.calm.1), 1.0);
    // Only Envoy has the canary, and the simulator the other policy.
    assert_eq!(web.last(), 2.0);
    assert_eq!(stages.len(), 1, "bank has no candidate: {stages:?}");
    assert_eq!(
        grafana.panel(rollout, "Policies in force", &all)[0].last(),
        2.0
    );
    let rules = grafana.panel(rollout, "Disagreements by rule", &all);
    assert_eq!(with(&rules, "rule", "freeze").labels["decision"], "deny");

    let queries = rollout.queries();
    let changes = queries
        .iter()
        .find(|q| q.place == "modgate-rollout: Policy changes");
    let changes = grafana.ask(changes.unwrap(), &all).unwrap();
    let change = with(&changes, "policy_version", "2").points[0].0;
    assert!(
        (day.outage.1..day.outage.1 + 5.0).contains(&change),
        "{changes:?}"
    );

    let (health, all) = board("modgate-health");
    for (title, value, tolerance) in [
        ("Proxies that count", 2.0, 0.0),
        ("Envoys without the filter's figures", 0.0, 0.0),
        ("Proxies with labels in the names", 0.0, 0.0),
        // Envoy writes the two down one after the other.
        ("Requests past the filter", 0.0, 2.0),
    ] {
        let brought = grafana.panel(health, title, &all);
        close(brought[0].mean(day.calm.0, day.calm.1), value, tolerance);
    }
    for proxy in grafana.panel(health, "Figures of each proxy", &all) {
        assert_eq!(proxy.last(), 0.0, "{proxy:?}");
    }
}

#[track_caller]
fn close(value: f64, expected: f64, tolerance: f64) {
    let distance = (value - expected).abs();
    assert!(distance <= tolerance, "{value} is not near {expected}");
}

/// An Envoy without the filter, and one whose bootstrap lacks the labels' patterns, are told apart.
#[test]
fn the_health_page_says_why_there_are_no_figures() {
    let dir = tempfile::tempdir().unwrap();
    traffic::write_modules(dir.path());
    let backend = Backend::start(dir.path());
    let clusters = [("one", backend.address()), ("two", backend.address())];
    let mut config = Config::new(
        policy("1", json!({"candidate": ["next"], "stage": "off"})),
        &clusters,
    );
    config.stats_tags = false;
    let uncut = start(&config);
    config.filter = false;
    let bare = start(&config);
    let targets = [&uncut, &bare].map(|envoy| Target::envoy(envoy.admin()));
    let mut prometheus = Prometheus::start(&targets);
    prometheus.wait_for_scrapes(targets.len());
    let from = now();
    for proxy in [uncut.address(), bare.address()] {
        modgate_harness::http::get(proxy, "/t/web/corp.example/lib/@v/list");
    }
    std::thread::sleep(Duration::from_secs(2));
    for proxy in [uncut.address(), bare.address()] {
        for _ in 0..20 {
            modgate_harness::http::get(proxy, "/t/web/corp.example/lib/@v/list");
        }
    }
    std::thread::sleep(Duration::from_secs(3));

    let grafana = Grafana {
        prometheus: &prometheus,
        from,
        to: now(),
    };
    let boards = boards();
    let health = boards
        .iter()
        .find(|board| board.uid() == "modgate-health")
        .unwrap();
    let none = grafana.open(health);
    let rows = [
        ("Proxies that count", 0.0),
        ("Envoys without the filter's figures", 1.0),
        ("Proxies with labels in the names", 1.0),
    ];
    table_rows::check(rows, |(title, value)| {
        assert_eq!(
            grafana.panel(health, title, &none)[0].last(),
            value,
            "{title}"
        );
    });
    let past = grafana.panel(health, "Requests past the filter", &none);
    // Of each of the two, one before and twenty more.
    assert_eq!(past[0].last(), 42.0, "{past:?}");
    assert_eq!(prometheus.query("sum(modgate:uncounted:total)"), Some(42.0));
    let proxies = grafana.panel(health, "Figures of each proxy", &none);
    let state = |envoy: &Envoy| with(&proxies, "instance", &envoy.admin().to_string()).last();
    assert_eq!((state(&uncut), state(&bare)), (2.0, 1.0));
}
