//! The configuration for an OpenTelemetry Collector, in a real one, in front of real proxies: what it hands
//! on is what they show, name by name and label by label.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::process::Process;
use modgate_harness::serve::Serve;
use modgate_harness::stack::{Prometheus, Target};
use modgate_harness::tools::{root, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::dashboards::backend::Backend;
use crate::dashboards::otlp::Receiver;
use crate::dashboards::shown::{self, All, Shown};
use crate::dashboards::traffic;

/// A running collector.
#[derive(Debug)]
struct Collector {
    // Before the folder, so that it has ended when its files go.
    process: Process,
    _dir: TempDir,
}

/// The shipped configuration, with these proxies in the place of the one there, asked every second.
fn shipped(targets: &[Target]) -> Value {
    let text = std::fs::read_to_string(root().join("grafana/otel-collector.yaml")).unwrap();
    let mut config: Value = plain_yaml::from_str(&text).unwrap();
    let jobs = config
        .pointer_mut("/receivers/prometheus/config/scrape_configs")
        .unwrap();
    let template = jobs[0].clone();
    let job = |(number, target): (usize, &Target)| {
        let mut job = template.clone();
        job["job_name"] = json!(format!("modgate-{number}"));
        job["scrape_interval"] = json!("1s");
        job["metrics_path"] = json!(target.path);
        job["static_configs"][0]["targets"] = json!([target.address.to_string()]);
        job
    };
    *jobs = targets.iter().enumerate().map(job).collect();
    // Figures of its own would want a port of its own.
    config["service"]["telemetry"] = json!({"metrics": {"level": "none"}});
    config
}

impl Collector {
    /// Starts it with a configuration that hands on to an endpoint.
    fn start(config: &Value, endpoint: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("otelcol.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(tool("otelcol"));
        command
            .arg("--config")
            .arg(&file)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        let process = Process::start("otelcol", command, dir.path());
        Self { process, _dir: dir }
    }
}

/// The same in a scrape and in what arrived. A histogram's sum is Envoy's estimate, and the same one.
#[track_caller]
fn same(shown: &All, arrived: &All) {
    for (series, value) in shown {
        let found = arrived.get(series);
        let is_same = found.is_some_and(|found| value.is(found));
        assert!(is_same, "{series:?}: {value:?} arrives as {found:?}");
    }
    for series in arrived.keys() {
        assert!(shown.contains_key(series), "{series:?} is not shown");
    }
}

/// Waits until what the proxies show does not change any more: Envoy adds up histograms every five seconds.
fn settled(read: impl Fn() -> All) -> All {
    let mut before = read();
    loop {
        std::thread::sleep(Duration::from_secs(6));
        let now = read();
        if now == before {
            return now;
        }
        before = now;
    }
}

#[test]
fn a_collector_hands_on_what_the_proxies_show() {
    let dir = tempfile::tempdir().unwrap();
    traffic::write_modules(dir.path());
    let backend = Backend::start(dir.path());
    let clusters = [("one", backend.address()), ("two", backend.address())];
    let canary = json!({"candidate": ["next"], "stage": "canary", "percent": 50, "by": "module"});
    let policy = traffic::policy("1", canary);
    let envoy = Envoy::start_with(&Config::new(policy.clone(), &clusters), |listener| {
        listener.close_at_once();
    });
    let serve = Serve::start(&policy, &clusters);
    traffic::run(&[envoy.address(), serve.address()], Duration::from_secs(2));
    let of_envoy = settled(|| shown::read(&envoy.prometheus()));
    let of_serve = shown::read(&serve.prometheus());
    // All kinds are there.
    let kinds: [fn(&Shown) -> bool; 3] = [
        |shown| matches!(shown, Shown::Counter(_)),
        |shown| matches!(shown, Shown::Gauge(_)),
        |shown| matches!(shown, Shown::Buckets(_)),
    ];
    for kind in kinds {
        assert!(of_envoy.values().any(kind), "{of_envoy:?}");
    }
    assert!(of_envoy.len() > 60, "{of_envoy:?}");

    let targets = [Target::envoy(envoy.admin()), Target::serve(serve.admin())];
    let receiver = Receiver::start();
    let mut config = shipped(&targets);
    // Only so that this test can read it.
    config["exporters"]["otlphttp"]["encoding"] = json!("json");
    config["exporters"]["otlphttp"]["compression"] = json!("none");
    let endpoint = format!("http://{}", receiver.address());
    let mut collector = Collector::start(&config, &endpoint);
    for (proxy, shown) in [(envoy.admin(), &of_envoy), (serve.admin(), &of_serve)] {
        let arrived = collector.process.wait_until("handing on", || {
            let arrived = receiver.of(proxy);
            (arrived.len() >= shown.len()).then_some(arrived)
        });
        same(shown, &arrived);
    }
    drop(collector);

    into_prometheus(&targets, [&of_envoy, &of_serve]);
}

/// Prometheus takes OTLP too, and what it then has is what the dashboards and rules ask for.
fn into_prometheus(targets: &[Target; 2], shown: [&All; 2]) {
    // Or Envoy's own counters, which have no `_total` at the end, would get one.
    let config = json!({"otlp": {"translation_strategy": "UnderscoreEscapingWithoutSuffixes"}});
    let prometheus =
        Prometheus::start_with("prometheus3", &config, &["--web.enable-otlp-receiver"]);
    let endpoint = format!("http://{}/api/v1/otlp", prometheus.address());
    let mut collector = Collector::start(&shipped(targets), &endpoint);
    for (target, shown) in targets.iter().zip(shown) {
        let instance = target.address;
        for ((name, labels), value) in shown {
            let (name, value) = match value {
                Shown::Counter(value) | Shown::Gauge(value) | Shown::Part(value) => {
                    (name.clone(), *value)
                }
                // As Prometheus 3 writes this bound.
                Shown::Buckets(buckets) => (
                    format!("{name}_bucket"),
                    buckets
                        .iter()
                        .find(|(bound, _)| *bound == 1000.0)
                        .unwrap()
                        .1,
                ),
            };
            let mut matchers: Vec<String> = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{value}\""))
                .collect();
            matchers.push(format!("instance=\"{instance}\""));
            if name.ends_with("_bucket") {
                matchers.push("le=~\"1000([.]0)?\"".to_owned());
            }
            let query = format!("{name}{{{}}}", matchers.join(", "));
            let what = format!("handing on {query}");
            let stored = collector
                .process
                .wait_until(&what, || prometheus.query(&query));
            assert!(
                shown::near(value, stored),
                "{query}: {value} is stored as {stored}"
            );
        }
    }
}

/// A collector that cannot have its configuration says so and ends.
#[test]
fn the_collector_of_the_tests_has_no_more_than_the_configuration_names() {
    let mut config = shipped(&[Target::envoy(SocketAddr::from(([127, 0, 0, 1], 9)))]);
    config["processors"]["memory_limiter"] = json!({});
    let mut collector = Collector::start(&config, "http://127.0.0.1:9");
    assert!(!collector.process.wait_for_end().success());
    let said = collector.process.log();
    assert!(said.contains("memory_limiter"), "{said}");
    // Nothing answers there.
    assert!(http::try_get(SocketAddr::from(([127, 0, 0, 1], 9)), "/").is_none());
}
