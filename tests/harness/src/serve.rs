//! `modgate serve`: the same module in the simulator.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::http;
use crate::ports::free_port;
use crate::process::Process;
use crate::tools::dist;

/// A running `modgate serve`.
#[derive(Debug)]
pub struct Serve {
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    dir: TempDir,
}

impl Serve {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start(policy: &Value, upstreams: &[(&str, SocketAddr)]) -> Self {
        Self::start_with(policy, upstreams, &[])
    }

    /// Starts it with more arguments.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start_with(
        policy: &Value,
        upstreams: &[(&str, SocketAddr)],
        arguments: &[String],
    ) -> Self {
        let all = [&upstream_arguments(upstreams), arguments].concat();
        Self::launch(policy, &all, |command| command)
    }

    /// Starts it with upstreams that stand among the arguments, by a command that is changed before.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn launch(
        policy: &Value,
        arguments: &[String],
        change: impl FnOnce(Command) -> Command,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let file = dir.path().join("policy.json");
        fs::write(&file, policy.to_string()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        Self::start_in(dir, &file, arguments, change)
    }

    /// Starts it with the policy in a file of the test's.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start_from(file: &Path, upstreams: &[(&str, SocketAddr)]) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        Self::start_in(dir, file, &upstream_arguments(upstreams), |command| command)
    }

    fn start_in(
        dir: TempDir,
        file: &Path,
        arguments: &[String],
        change: impl FnOnce(Command) -> Command,
    ) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let admin = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(dist("modgate"));
        command.arg("serve").arg("--policy").arg(file).args([
            "--listen",
            &address.to_string(),
            "--admin",
            &admin.to_string(),
        ]);
        command.args(arguments);
        let mut process = Process::start("modgate-serve", change(command), dir.path());
        process.wait_until("ready", || {
            http::try_get(admin, "/ready").filter(|ready| ready.status == 200)
        });
        Self {
            process,
            address,
            admin,
            dir,
        }
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What it shows to Prometheus.
    pub fn prometheus(&self) -> String {
        http::get(self.admin, "/metrics").body
    }

    /// The policy's file.
    pub fn policy_file(&self) -> PathBuf {
        self.dir.path().join("policy.json")
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn upstream_arguments(upstreams: &[(&str, SocketAddr)]) -> Vec<String> {
    let argument = |(name, at): &(&str, SocketAddr)| format!("--upstream={name}=http://{at}");
    upstreams.iter().map(argument).collect()
}
