//! A person with an empty module cache, and a module of theirs to work in.

use super::{Error, Go};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder in which `go` runs with caches of its own and an environment that nothing of the
/// user's settings reaches. It goes when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    go: Go,
    folder: TempDir,
    goproxy: String,
    variables: Vec<(&'static str, String)>,
}

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it ended well.
    pub ok: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Sandbox {
    /// An empty module `app.example`, whose `GOPROXY` is this and nothing else.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn new(go: &Go, goproxy: impl Into<String>) -> Result<Self, Error> {
        let folder = TempDir::with_prefix("modgate-go-")
            .map_err(Error::files("make a folder in", std::env::temp_dir()))?;
        let sandbox = Self {
            go: go.clone(),
            folder,
            goproxy: goproxy.into(),
            variables: Vec::new(),
        };
        let module = sandbox.module();
        fs::create_dir_all(&module).map_err(Error::files("make", &module))?;
        // Or go would write there after it has ended, while the folder goes.
        let telemetry = sandbox.folder.path().join(".config/go/telemetry");
        fs::create_dir_all(&telemetry).map_err(Error::files("make", &telemetry))?;
        let mode = telemetry.join("mode");
        fs::write(&mode, "off\n").map_err(Error::files("write", &mode))?;
        sandbox.write("go.mod", "module app.example\n\ngo 1.21\n")?;
        Ok(sandbox)
    }

    /// Sets a variable of the environment, in place of what the sandbox would set.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.variables.push((variable, value.into()));
    }

    /// The home directory, in which go looks for `.netrc`.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Where the commands run.
    pub fn module(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// The module cache.
    pub fn mod_cache(&self) -> PathBuf {
        self.folder.path().join("mod")
    }

    /// Writes a file of the module.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<(), Error> {
        let file = self.module().join(name);
        fs::write(&file, content).map_err(Error::files("write", &file))
    }

    /// Runs `go` with these arguments.
    ///
    /// # Errors
    /// It cannot be started. A command that fails is an [`Outcome`].
    pub fn run(&self, arguments: &[&str]) -> Result<Outcome, Error> {
        let output = self
            .command(arguments)
            .output()
            .map_err(|source| Error::RunGo {
                program: self.go.program().to_owned(),
                source,
            })?;
        Ok(Outcome {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Nothing is inherited but where programs are: no `GOPRIVATE`, no proxy for HTTP, no settings
    /// from `go env -w`.
    fn command(&self, arguments: &[&str]) -> Command {
        let home = self.folder.path();
        let mut command = Command::new(self.go.program());
        command
            .args(arguments)
            .current_dir(self.module())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("GOPATH", home.join("path"))
            .env("GOMODCACHE", self.mod_cache())
            .env("GOCACHE", home.join("build"))
            .env("GOENV", "off")
            .env("GOWORK", "off")
            // Writable, so that the folder can go.
            .env("GOFLAGS", "-modcacherw -mod=mod")
            .env("GOPROXY", &self.goproxy)
            .env("GOSUMDB", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOVCS", "*:off")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
