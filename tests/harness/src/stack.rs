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
use crate::ports::free_port;
use crate::process::Process;
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
    process: Process,
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
        let prometheus = Prometheus::start(&[Target::envoy(envoy.admin())]);
        Self {
            envoy,
            goproxy,
            athens,
            prometheus,
        }
    }
}

/// Something that Prometheus scrapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it answers.
    pub address: SocketAddr,
    /// Under which path.
    pub path: &'static str,
}

impl Target {
    /// An Envoy's admin interface.
    pub fn envoy(address: SocketAddr) -> Self {
        let path = "/stats/prometheus";
        Self { address, path }
    }

    /// The admin interface of `modgate serve`.
    pub fn serve(address: SocketAddr) -> Self {
        let path = "/metrics";
        Self { address, path }
    }
}

impl Prometheus {
    /// Starts Prometheus with the shipped configuration and rules on these targets, with every interval
    /// a second.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start(targets: &[Target]) -> Self {
        Self::start_program("prometheus", targets)
    }

    /// The same with this program, which is a Prometheus of another version.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start_program(program: &str, targets: &[Target]) -> Self {
        let mut config = read(&root().join("grafana/prometheus.yml"));
        let template = config["scrape_configs"][0].clone();
        let job = |(number, target): (usize, &Target)| {
            let mut job = template.clone();
            job["job_name"] = json!(format!("modgate-{number}"));
            job["metrics_path"] = json!(target.path);
            job["static_configs"][0]["targets"] = json!([target.address.to_string()]);
            job
        };
        config["scrape_configs"] = targets.iter().enumerate().map(job).collect();
        config["global"]["scrape_interval"] = json!("1s");
        config["global"]["evaluation_interval"] = json!("1s");
        // Relative to the shipped file.
        let rules = root().join("grafana/rules/*.yaml");
        config["rule_files"] = json!([rules]);
        Self::start_with(program, &config, &[])
    }

    /// Starts this program, a Prometheus, with a configuration and more arguments.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start_with(program: &str, config: &Value, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let file = dir.path().join("prometheus.yml");
        fs::write(&file, config.to_string()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(tool(program));
        command
            .args(arguments)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"));
        let mut process = Process::start(program, command, dir.path());
        process.wait_until("ready", || {
            http::try_get(address, "/-/ready").filter(|ready| ready.status == 200)
        });
        Self {
            address,
            process,
            _dir: dir,
        }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has scraped so many targets, which takes it some seconds.
    ///
    /// # Panics
    /// Where one of them does not answer.
    pub fn wait_for_scrapes(&mut self, targets: usize) {
        let address = self.address;
        self.process.wait_until("scraping", || {
            let answer = ask(address, "query", &[("query", "count(up == 1)")]).ok()?;
            let up = answer.pointer("/result/0/value/1")?.as_str()?;
            (up == targets.to_string()).then_some(())
        });
    }

    /// The value of a query that gives one number; `None` while it gives nothing.
    pub fn query(&self, query: &str) -> Option<f64> {
        let answer = self.ask("query", &[("query", query)]).ok()?;
        let value = answer.pointer("/result/0/value/1")?;
        value.as_str()?.parse().ok()
    }

    /// The `data` of an answer of its HTTP API, below `/api/v1/`.
    ///
    /// # Errors
    /// What Prometheus says, where it refuses.
    pub fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        ask(self.address, path, parameters)
    }
}

fn ask(at: SocketAddr, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encode(name), encode(value));
    let pairs: Vec<String> = parameters.iter().map(pair).collect();
    let target = format!("/api/v1/{path}?{}", pairs.join("&"));
    let answer = http::try_get(at, &target).ok_or("no answer")?;
    let mut answer: Value =
        serde_json::from_str(&answer.body).map_err(|e| format!("{e}: {}", answer.body))?;
    match answer["status"].as_str() {
        Some("success") => Ok(answer["data"].take()),
        _ => Err(answer["error"].to_string()),
    }
}

/// As a part of a URL's query.
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// JSON or YAML.
fn read(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    plain_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
