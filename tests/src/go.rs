//! The real go command, with a module cache of its own.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::tools::tool;

/// What a go command said.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it ended well.
    pub ok: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that must have ended well.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn expect_ok(&self) -> &str {
        assert!(self.ok, "go failed:\n{}", self.stderr);
        &self.stdout
    }

    /// Standard error of a command that must have failed.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn expect_failure(&self) -> &str {
        assert!(!self.ok, "go should have failed:\n{}", self.stdout);
        &self.stderr
    }
}

/// A developer: a GOPROXY, an empty module cache, and a module to work in.
#[derive(Debug)]
pub struct Go {
    dir: TempDir,
    goproxy: String,
    sumdb: Sumdb,
}

/// Whether downloads are checked against the checksum database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sumdb {
    /// As Go does it by default: through the proxy where it carries the database.
    Verify,
    /// Not at all, for modules that no database knows.
    Off,
}

impl Go {
    /// A developer whose GOPROXY is this URL, with nothing behind it.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    pub fn new(goproxy: impl Into<String>, sumdb: Sumdb) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let work = dir.path().join("work");
        let made = std::fs::create_dir(&work)
            .and_then(|()| std::fs::write(work.join("go.mod"), "module work.example\n\ngo 1.24\n"));
        made.unwrap_or_else(|e| panic!("{}: {e}", work.display()));
        Self {
            dir,
            goproxy: goproxy.into(),
            sumdb,
        }
    }

    /// Runs `go` in the developer's module.
    ///
    /// # Panics
    /// Where go cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let home = self.dir.path();
        let mut command = Command::new(tool("go"));
        command
            .args(arguments)
            .current_dir(home.join("work"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("GOPATH", home.join("gopath"))
            .env("GOCACHE", home.join("build"))
            .env("GOENV", "off")
            .env("GOFLAGS", "-modcacherw -mod=mod")
            .env("GOTOOLCHAIN", "local")
            .env("GOPROXY", &self.goproxy)
            .env("GOVCS", "*:off");
        if self.sumdb == Sumdb::Off {
            command.env("GOSUMDB", "off");
        }
        let output = command
            .output()
            .unwrap_or_else(|e| panic!("go cannot be run: {e}"));
        Output {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The module cache.
    pub fn cache(&self) -> std::path::PathBuf {
        self.dir.path().join("gopath/pkg/mod")
    }

    /// The module cache's download folder, which is itself a GOPROXY file tree.
    pub fn downloads(&self) -> std::path::PathBuf {
        self.cache().join("cache/download")
    }

    /// The developer's own module.
    pub fn work(&self) -> std::path::PathBuf {
        self.dir.path().join("work")
    }

    /// Whether the cache has that module version, unpacked.
    pub fn has(&self, escaped: &str) -> bool {
        Path::new(&self.cache()).join(escaped).is_dir()
    }
}
