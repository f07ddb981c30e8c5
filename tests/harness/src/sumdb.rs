//! A real checksum database for a folder of modules, which lies as it is told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::go_program;
use crate::http;
use crate::process::Process;

/// The running Go program `tests/go/sumdb`.
#[derive(Debug)]
pub struct Database {
    address: SocketAddr,
    _process: Process,
    _dir: TempDir,
}

/// The database's name.
pub const NAME: &str = "sum.corp.example";

impl Database {
    /// One that is honest, with so many records beside the ones that are looked up.
    ///
    /// # Panics
    /// Where Go cannot build it, or it does not come up.
    pub fn start(modules: &Path, records: usize) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let mut command = Command::new(program());
        command
            .args(["--listen", "127.0.0.1:0", "--name", NAME])
            .args(["--fill", &records.to_string()])
            .arg("--tree")
            .arg(modules);
        let mut process = Process::start("sumdb", command, dir.path());
        let log = process.log_file().to_owned();
        let address = process.wait_until("telling its address", || {
            let log = std::fs::read_to_string(&log).ok()?;
            let (_, reported) = log.split_once("listening on ")?;
            reported.split_once(".\n")?.0.parse().ok()
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

    /// Its verifier key.
    pub fn key(&self) -> String {
        self.control("key")
    }

    /// Makes it lie from now on, or be `none`.
    pub fn lie(&self, lie: &str) {
        self.control(&format!("lie?{lie}"));
    }

    /// Adds so many records that nobody asks for.
    pub fn grow(&self, records: usize) {
        self.control(&format!("grow?{records}"));
    }

    /// The paths that it was asked for.
    pub fn requested(&self) -> Vec<String> {
        let requested = self.control("asked");
        requested.lines().map(ToOwned::to_owned).collect()
    }

    fn control(&self, command: &str) -> String {
        http::get(self.address, &format!("/control/{command}")).body
    }
}

/// The program, built once for all tests of a process.
fn program() -> PathBuf {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, program) = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let program = go_program::build("sumdb", dir.path());
        (dir, program)
    });
    program.clone()
}
