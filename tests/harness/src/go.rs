//! The real go command, with a module cache of its own.

use std::path::{Path, PathBuf};

use modgate_goproxy::{Outcome, Sandbox};

use crate::pki::Authority;

/// The public checksum database, which go asks through the proxy where that carries it.
const DATABASE: &str = "sum.golang.org";

/// What a go command said.
#[derive(Clone, Debug)]
pub struct Output(Outcome);

impl Output {
    /// Whether the command ended well.
    pub fn ok(&self) -> bool {
        self.0.ok
    }

    /// Standard output of a command that must have ended well.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn expect_ok(&self) -> &str {
        assert!(self.0.ok, "go failed:\n{}", self.0.stderr);
        &self.0.stdout
    }

    /// Standard error of a command that must have failed.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn expect_failure(&self) -> &str {
        assert!(!self.0.ok, "go should have failed:\n{}", self.0.stdout);
        &self.0.stderr
    }
}

/// A developer: a GOPROXY, an empty module cache, and a module to work in.
#[derive(Debug)]
pub struct Go(Sandbox);

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
    /// Where there is no go, or no temporary folder can be made.
    pub fn new(goproxy: impl Into<String>, sumdb: Sumdb) -> Self {
        let go = modgate_goproxy::Go::find();
        let sandbox = go.and_then(|go| Sandbox::new(&go, goproxy));
        let mut sandbox = sandbox.unwrap_or_else(|e| panic!("{e}"));
        if sumdb == Sumdb::Verify {
            sandbox.set("GOSUMDB", DATABASE);
        }
        Self(sandbox)
    }

    /// Sets a variable of go's environment.
    #[must_use]
    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.0.set(variable, value);
        self
    }

    /// Lets it speak https with servers of this authority.
    ///
    /// # Panics
    /// Where its certificate cannot be written.
    #[must_use]
    pub fn trusting(self, authority: &Authority) -> Self {
        let file = self.home().join("authority.pem");
        std::fs::write(&file, authority.pem())
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.with("SSL_CERT_FILE", file.to_string_lossy())
    }

    /// Writes a file of the developer's module.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, name: &str, content: &str) {
        let written = self.0.write(name, content);
        written.unwrap_or_else(|e| panic!("{e}"));
    }

    /// The folder of the developer's module.
    pub fn module(&self) -> PathBuf {
        self.0.module()
    }

    /// Runs `go` in the developer's module.
    ///
    /// # Panics
    /// Where go cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Output(self.0.run(arguments).unwrap_or_else(|e| panic!("{e}")))
    }

    /// The home directory, in which go looks for `.netrc`.
    pub fn home(&self) -> &Path {
        self.0.home()
    }

    /// The module cache's download folder, which is itself a GOPROXY file tree.
    pub fn downloads(&self) -> PathBuf {
        self.0.mod_cache().join("cache/download")
    }

    /// Whether the cache has that module version, unpacked.
    pub fn has(&self, escaped: &str) -> bool {
        self.0.mod_cache().join(escaped).is_dir()
    }
}
