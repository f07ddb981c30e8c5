//! Whom a collector hands figures on to by OTLP over HTTP, in JSON, and what arrived there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use modgate_harness::grafana::{list, text};
use serde_json::Value;

use crate::dashboards::server::{listen, say};
use crate::dashboards::shown::{All, Shown, is_wanted};

/// What arrived last of each series, by the proxy that it is of.
type Arrived = BTreeMap<String, All>;

/// The running receiver.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    arrived: Arc<Mutex<Arrived>>,
}

impl Receiver {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let arrived = Arc::new(Mutex::new(Arrived::new()));
        let kept = Arc::clone(&arrived);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = listen(any, move |request, stream| {
            assert_eq!(request.target, "/v1/metrics");
            let sent: Value = serde_json::from_slice(&request.body)?;
            keep(&sent, &mut kept.lock().unwrap());
            say(stream, "application/json", "{}")
        });
        Self { address, arrived }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived of a proxy.
    pub fn of(&self, proxy: SocketAddr) -> All {
        let arrived = self.arrived.lock().unwrap();
        arrived.get(&proxy.to_string()).cloned().unwrap_or_default()
    }
}

fn keep(sent: &Value, into: &mut Arrived) {
    for resource in list(&sent["resourceMetrics"]) {
        let about = attributes(&resource["resource"]);
        let proxy = about.get("service.instance.id").cloned();
        let all = into.entry(proxy.unwrap_or_default()).or_default();
        let scopes = list(&resource["scopeMetrics"]).iter();
        for metric in scopes.flat_map(|scope| list(&scope["metrics"])) {
            keep_metric(metric, all);
        }
    }
}

fn keep_metric(metric: &Value, all: &mut All) {
    let name = text(&metric["name"]);
    let mut put = |end: &str, point: &Value, shown: Shown| {
        let series = (format!("{name}{end}"), attributes(point));
        if is_wanted(&series) {
            all.insert(series, shown);
        }
    };
    for point in list(&metric["gauge"]["dataPoints"]) {
        put("", point, Shown::Gauge(number(&point["asDouble"])));
    }
    let sum = &metric["sum"];
    // 2 is cumulative: since the start, as a counter of Prometheus.
    let grows = sum["isMonotonic"] == true && sum["aggregationTemporality"] == 2;
    for point in list(&sum["dataPoints"]) {
        let value = number(&point["asDouble"]);
        let shown = if grows {
            Shown::Counter(value)
        } else {
            Shown::Gauge(value)
        };
        put("", point, shown);
    }
    for point in list(&metric["histogram"]["dataPoints"]) {
        put("_count", point, Shown::Part(number(&point["count"])));
        put("_sum", point, Shown::Part(number(&point["sum"])));
        let bounds = list(&point["explicitBounds"]).iter().map(number);
        let counts = list(&point["bucketCounts"]).iter().map(number);
        // Prometheus counts all below a bound, OTLP those of one bucket.
        let below = counts.scan(0.0, |below, count| {
            *below += count;
            Some(*below)
        });
        let buckets = bounds.chain([f64::INFINITY]).zip(below);
        put("", point, Shown::Buckets(buckets.collect()));
    }
}

fn attributes(of: &Value) -> BTreeMap<String, String> {
    let pair = |pair: &Value| {
        let value = text(&pair["value"]["stringValue"]);
        (text(&pair["key"]).to_owned(), value.to_owned())
    };
    list(&of["attributes"]).iter().map(pair).collect()
}

/// Of 64 bits, JSON has a text.
fn number(value: &Value) -> f64 {
    let of_text = || value.as_str()?.parse().ok();
    // What is 0 may be left out.
    value.as_f64().or_else(of_text).unwrap_or_default()
}
