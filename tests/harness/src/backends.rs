//! The real Go proxies that stand behind the filter.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tempfile::TempDir;

use crate::ports::free_port;
use crate::process::{Process, accepts};
use crate::tools::{root, tool, upstream_goproxy};

/// A running Go proxy.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    // Before the folder, so that the program has ended when its files go.
    _process: Process,
    _dir: TempDir,
}

impl Backend {
    /// goproxy/goproxy, which fetches what it has not and carries the checksum database.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn goproxy() -> Self {
        let upstream = upstream_goproxy();
        // Its own database proxy wants one URL: the first that the machine's go would ask.
        let first = upstream.split([',', '|']).next().unwrap_or_default();
        let sumdb = format!(
            "sum.golang.org {}/sumdb/sum.golang.org",
            first.trim_end_matches('/')
        );
        Self::start("goproxy", |command, port, dir| {
            command
                .arg("server")
                .args(["--address", &format!("127.0.0.1:{port}")])
                .arg("--cacher-dir")
                .arg(dir.join("cache"))
                .args(["--proxied-sumdbs", &sumdb])
                .env("GOPROXY", &upstream);
        })
    }

    /// Athens, which keeps what it fetches on disk.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn athens() -> Self {
        let upstream = upstream_goproxy();
        Self::athens_with(&[
            ("ATHENS_GO_BINARY_ENV_VARS", format!("GOPROXY={upstream}")),
            ("ATHENS_DOWNLOAD_MODE", "sync".to_owned()),
            ("ATHENS_NETWORK_MODE", "fallback".to_owned()),
        ])
    }

    /// Athens that sends its clients on to another proxy for what it has not.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn athens_that_redirects(to: SocketAddr) -> Self {
        Self::athens_with(&[
            ("ATHENS_DOWNLOAD_MODE", "redirect".to_owned()),
            ("ATHENS_DOWNLOAD_URL", format!("http://{to}")),
        ])
    }

    fn athens_with(settings: &[(&str, String)]) -> Self {
        Self::start("athens", |command, port, dir| {
            command
                .env("ATHENS_PORT", format!("127.0.0.1:{port}"))
                .env("ATHENS_STORAGE_TYPE", "disk")
                .env("ATHENS_DISK_STORAGE_ROOT", dir.join("storage"))
                .env("ATHENS_GO_BINARY_PATH", tool("go"))
                .envs(settings.iter().map(|(name, value)| (name, value)));
            let _ = std::fs::create_dir(dir.join("storage"));
        })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(name: &str, configure: impl FnOnce(&mut Command, u16, &std::path::Path)) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let port = free_port();
        let mut command = Command::new(tool(name));
        // Nothing of the machine's own go settings, and a cache that can be deleted. Our go comes
        // first on PATH, where both proxies look for it.
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env(
                "PATH",
                format!("{}:{path}", root().join(".tools/bin").display()),
            )
            .env("HOME", dir.path())
            .env("GOPATH", dir.path().join("gopath"))
            .env("GOFLAGS", "-modcacherw")
            .env("GOTOOLCHAIN", "local");
        configure(&mut command, port, dir.path());
        let mut process = Process::start(name, command, dir.path());
        process.wait_until("accepting connections", || accepts(port));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            address,
            _process: process,
            _dir: dir,
        }
    }
}
