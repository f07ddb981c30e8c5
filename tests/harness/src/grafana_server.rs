//! A Grafana with the shipped provisioning, where the machine has one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http;
use crate::ports::free_port;
use crate::process::Process;
use crate::tools::root;

/// Where Grafana's packages put what it needs beside its program.
const HOME: &str = "/usr/share/grafana";
/// It makes its database first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running Grafana, for whoever is at this machine: without a login, to look and not to change.
#[derive(Debug)]
pub struct GrafanaServer {
    address: SocketAddr,
    // Before the folder, so that it has ended when its files go.
    _process: Process,
    _dir: TempDir,
}

impl GrafanaServer {
    /// The program `grafana`, where it is on PATH.
    pub fn find() -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let programs = std::env::split_paths(&path).map(|folder| folder.join("grafana"));
        programs.into_iter().find(|program| program.is_file())
    }

    /// Starts it on a Prometheus. `None` where it ends, or does not answer in a minute.
    pub fn start(program: &Path, prometheus: SocketAddr) -> Option<Self> {
        let dir = tempfile::tempdir().ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(program);
        command.arg("server");
        if Path::new(HOME).is_dir() {
            command.arg("--homepath").arg(HOME);
        }
        command
            .env("GF_SERVER_HTTP_ADDR", address.ip().to_string())
            .env("GF_SERVER_HTTP_PORT", address.port().to_string())
            .env("GF_PATHS_DATA", dir.path().join("data"))
            .env("GF_PATHS_LOGS", dir.path().join("logs"))
            .env("GF_PATHS_PLUGINS", dir.path().join("plugins"))
            .env("GF_PATHS_PROVISIONING", shipped("provisioning"))
            .env("GF_AUTH_ANONYMOUS_ENABLED", "true")
            .env("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer")
            .env("GF_ANALYTICS_REPORTING_ENABLED", "false")
            .env("GF_ANALYTICS_CHECK_FOR_UPDATES", "false")
            .env("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false")
            .env("MODGATE_PROMETHEUS", format!("http://{prometheus}"))
            .env("MODGATE_DASHBOARDS", shipped("dashboards"));
        let mut process = Process::start("grafana", command, dir.path());
        let start = Instant::now();
        while process.is_running() && start.elapsed() < START_LIMIT {
            let health = http::try_get(address, "/api/health");
            if health.is_some_and(|health| health.status == 200) {
                return Some(Self {
                    address,
                    _process: process,
                    _dir: dir,
                });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    /// The dashboard to begin with.
    pub fn url(&self) -> String {
        format!("http://{}/d/modgate-overview", self.address)
    }
}

/// A folder below `grafana/`, as one that holds wherever Grafana runs.
fn shipped(name: &str) -> PathBuf {
    let folder = root().join("grafana").join(name);
    folder.canonicalize().unwrap_or(folder)
}
