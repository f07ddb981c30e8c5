//! Everything together, for people and for a test: Envoy with the filter in front of goproxy and
//! Athens, and Prometheus beside it.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backends::Backend;
use crate::envoy::{Config, Envoy};
use crate::http;
use crate::process::{Process, free_port};
use crate::tools::{root, tool};

/// The running programs.
#[derive(Debug)]
pub struct Stack {
    /// The filter's proxy, in front of both backends.
    pub envoy: Envoy,
    /// goproxy/goproxy.
    pub goproxy: Backend,
    /// Athens.
    pub athens: Backend,
    /// What scrapes Envoy.
    pub prometheus: Prometheus,
}

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    // Before the folder, so that it has ended when its files go.
    _process: Process,
    _dir: TempDir,
}

impl Stack {
    /// Starts all with the policy `examples/envoy/policy.json`.
    ///
    /// # Panics
    /// Where one of them does not come up.
    pub fn start() -> Self {
        let policy = read(&root().join("examples/envoy/policy.json"));
        let goproxy = Backend::goproxy();
        let athens = Backend::athens();
        let clusters = [("goproxy", goproxy.address()), ("athens", athens.address())];
        let envoy = Envoy::start(&Config::new(policy, &clusters));
        let prometheus = Prometheus::start(envoy.admin());
        Self {
            envoy,
            goproxy,
            athens,
            prometheus,
        }
    }
}

impl Prometheus {
    /// Starts Prometheus with the shipped configuration on an Envoy's admin interface.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start(envoy_admin: SocketAddr) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let mut config = read(&root().join("grafana/prometheus.yml"));
        config["scrape_configs"][0]["static_configs"][0]["targets"] =
            json!([envoy_admin.to_string()]);
        config["global"]["scrape_interval"] = json!("1s");
        config["global"]["evaluation_interval"] = json!("1s");
        // Relative to the shipped file.
        let rules = root().join("grafana/rules/*.yaml");
        config["rule_files"] = json!([rules]);
        let file = dir.path().join("prometheus.yml");
        fs::write(&file, config.to_string()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(tool("prometheus"));
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"));
        let mut process = Process::start("prometheus", command, dir.path());
        process.wait_until("ready", || {
            http::try_get(address, "/-/ready").filter(|ready| ready.status == 200)
        });
        Self {
            address,
            _process: process,
            _dir: dir,
        }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of a query without spaces that gives one number; `None` while it gives nothing.
    pub fn query(&self, query: &str) -> Option<f64> {
        let encoded = query
            .replace('{', "%7B")
            .replace('}', "%7D")
            .replace('"', "%22");
        let answer = http::try_get(self.address, &format!("/api/v1/query?query={encoded}"))?;
        let answer: Value = serde_json::from_str(&answer.body).ok()?;
        answer
            .pointer("/data/result/0/value/1")?
            .as_str()?
            .parse()
            .ok()
    }
}

/// JSON or YAML.
fn read(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_norway::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
