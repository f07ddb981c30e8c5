//! The scrape configurations for a mesh: a real Prometheus finds the right pods with them, and has what a
//! real Envoy shows. The API server and Istio's agent are fakes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::grafana::{list, text};
use modgate_harness::http;
use modgate_harness::stack::Prometheus;
use modgate_harness::tools::root;
use serde_json::{Value, json};

use crate::dashboards::backend::Backend;
use crate::dashboards::pod_api::PodApi;
use crate::dashboards::server::{listen, say};
use crate::dashboards::traffic;

/// A loopback address of this test run's own, since a mesh's ports are what they are.
fn pod_ip(last: u8) -> IpAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high.max(1), low, last).into()
}

/// What Istio makes of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sidecar {
    None,
    /// Beside the application.
    Container,
    /// As an init container that goes on, which Kubernetes calls a sidecar too.
    Native,
}

/// A pod of the application `goproxy` in the namespace `modules`.
fn pod(name: &str, ip: &str, phase: &str, sidecar: Sidecar) -> Value {
    let application = json!({"name": "goproxy", "image": "goproxy", "ports": [
        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
    ]});
    let proxy = json!({"name": "istio-proxy", "image": "proxyv2", "ports": [
        {"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"},
    ]});
    let mut pod = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "namespace": "modules", "uid": name, "resourceVersion": "1",
            "labels": {"app": "goproxy"},
            // As the injection writes them.
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "15020",
                "prometheus.io/path": "/stats/prometheus",
            },
        },
        "spec": {"nodeName": "node", "containers": [application]},
        "status": {"phase": phase, "podIP": ip, "hostIP": "10.0.0.1"},
    });
    match sidecar {
        Sidecar::None => {}
        Sidecar::Container => pod["spec"]["containers"] = json!([application, proxy]),
        Sidecar::Native => pod["spec"]["initContainers"] = json!([proxy]),
    }
    pod
}

/// The pods: two that are asked, one of another family of addresses, and those that are to be left out.
fn pods(first: IpAddr, second: IpAddr) -> Vec<Value> {
    let (first, second) = (first.to_string(), second.to_string());
    // Nothing answers there.
    let nobody = pod_ip(9).to_string();
    let mut unmerged = pod("unmerged", &second, "Running", Sidecar::Container);
    unmerged["metadata"]["annotations"] = json!({});
    let mut own = pod("own", &nobody, "Running", Sidecar::Container);
    own["metadata"]["annotations"]["prometheus.io/port"] = json!("9090");
    own["metadata"]["annotations"]["prometheus.io/path"] = json!("/metrics");
    let mut other = pod("other", &nobody, "Running", Sidecar::Container);
    other["metadata"]["labels"]["app"] = json!("web");
    vec![
        pod("one", &first, "Running", Sidecar::Container),
        pod("two", &second, "Running", Sidecar::Native),
        pod("six", "::1", "Running", Sidecar::Container),
        unmerged,
        own,
        other,
        pod("bare", &nobody, "Running", Sidecar::None),
        pod("ended", &first, "Succeeded", Sidecar::Container),
        pod("failed", &first, "Failed", Sidecar::Native),
        pod("waiting", "", "Pending", Sidecar::Container),
        pod("starting", &nobody, "Pending", Sidecar::Native),
    ]
}

/// The shipped jobs, with the API server of the test.
fn jobs(file: &str, api: SocketAddr) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let mut config: Value = plain_yaml::from_str(&text).unwrap();
    let jobs = config["scrape_configs"].as_array_mut().unwrap();
    for job in jobs.iter_mut() {
        job["kubernetes_sd_configs"][0]["api_server"] = json!(format!("http://{api}"));
    }
    std::mem::take(jobs)
}

/// Job, pod, namespace, and what is asked, of all targets.
fn targets(prometheus: &Prometheus) -> BTreeSet<[String; 4]> {
    let answer = prometheus.ask("targets", &[("state", "active")]);
    let answer = answer.unwrap_or_default();
    let target = |target: &Value| {
        let label = |name: &str| text(&target["labels"][name]).to_owned();
        let url = text(&target["scrapeUrl"]).to_owned();
        [label("job"), label("pod"), label("namespace"), url]
    };
    list(&answer["activeTargets"]).iter().map(target).collect()
}

#[track_caller]
fn within_a_minute<T>(what: &str, mut there: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match there() {
            Ok(value) => return value,
            Err(state) if start.elapsed() > Duration::from_secs(60) => panic!("{what}: {state}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

#[test]
fn prometheus_finds_the_pods_that_have_the_filter() {
    let dir = tempfile::tempdir().unwrap();
    traffic::write_modules(dir.path());
    let backend = Backend::start(dir.path());
    let clusters = [("one", backend.address()), ("two", backend.address())];
    let policy = traffic::policy("1", json!({"candidate": ["next"], "stage": "off"}));
    let envoy = Envoy::start(&Config::new(policy, &clusters));
    for _ in 0..7 {
        http::get(envoy.address(), "/t/web/corp.example/lib/@v/list");
    }
    let (first, second) = (pod_ip(2), pod_ip(3));
    // One Envoy stands for the sidecars of all pods. At 15090 it is as Envoy says it, at 15020 with the
    // application's own figures behind it, as Istio's agent merges them.
    let admin = envoy.admin();
    for ip in [first, second] {
        for (port, own) in [(15090, ""), (15020, "goproxy_cached_modules 5\n")] {
            listen(SocketAddr::new(ip, port), move |request, stream| {
                assert_eq!(request.target, "/stats/prometheus");
                let merged = http::get(admin, &request.target).body + own;
                say(stream, "text/plain; version=0.0.4", &merged)
            });
        }
    }
    let api = PodApi::start(pods(first, second));
    let files = [
        "grafana/scrape/istio.yml",
        "grafana/scrape/istio-sidecar.yml",
    ];
    let jobs: Vec<Value> = files
        .iter()
        .flat_map(|file| jobs(file, api.address()))
        .collect();
    let config = json!({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs});
    let prometheus = Prometheus::start_with("prometheus3", &config, &[]);

    let target = |job: &str, pod: &str, at: &str| {
        let url = format!("http://{at}/stats/prometheus");
        [job.to_owned(), pod.to_owned(), "modules".to_owned(), url]
    };
    let nobody = pod_ip(9);
    let mut expected = BTreeSet::from([
        target("modgate-merged", "one", &format!("{first}:15020")),
        target("modgate-merged", "two", &format!("{second}:15020")),
        target("modgate-merged", "six", "[::1]:15020"),
        target("modgate-sidecar", "one", &format!("{first}:15090")),
        target("modgate-sidecar", "two", &format!("{second}:15090")),
        target("modgate-sidecar", "six", "[::1]:15090"),
        target("modgate-sidecar", "unmerged", &format!("{second}:15090")),
        target("modgate-sidecar", "own", &format!("{nobody}:15090")),
    ]);
    let are = |expected: &BTreeSet<[String; 4]>| {
        let found = targets(&prometheus);
        if found == *expected {
            return Ok(());
        }
        Err(format!("{found:#?} are not {expected:#?}"))
    };
    within_a_minute("targets", || are(&expected));

    let value = |query: &str| prometheus.query(query);
    for job in ["modgate-merged", "modgate-sidecar"] {
        for (pod, ip, port) in [
            ("one", first, 15020),
            ("two", second, 15020),
            ("one", first, 15090),
            ("two", second, 15090),
        ] {
            if (job == "modgate-merged") != (port == 15020) {
                continue;
            }
            let query = format!(
                "sum(modgate_requests_total{{job=\"{job}\", namespace=\"modules\", pod=\"{pod}\",\
                 instance=\"{ip}:{port}\", tenant=\"web\", operation=\"list\"}})"
            );
            let counted = within_a_minute(&query, || value(&query).ok_or_else(String::new));
            assert_eq!(counted, 7.0, "{query}");
        }
    }
    assert_eq!(
        value("count(goproxy_cached_modules{job=\"modgate-merged\"} == 5)"),
        Some(2.0)
    );
    assert_eq!(
        value("goproxy_cached_modules{job=\"modgate-sidecar\"}"),
        None
    );

    // A pod that goes is asked no more.
    api.delete("two");
    expected.retain(|[_, pod, _, _]| pod != "two");
    within_a_minute("targets", || are(&expected));
}
