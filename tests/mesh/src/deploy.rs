//! `modgate deploy`, as a person runs it again and again for one policy.

use std::path::{Path, PathBuf};

use modgate_harness::modgate::{modgate, stderr};
use serde_json::Value;
use tempfile::TempDir;

use crate::api_server::write;

/// A policy, and the folder with what was written for it.
#[derive(Debug)]
pub struct Deploy {
    dir: TempDir,
    arguments: Vec<String>,
}

impl Deploy {
    /// Writes everything for a policy.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn new(policy: &Value, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let arguments = arguments.into_iter().map(Into::into).collect();
        let deploy = Self { dir, arguments };
        deploy.again(policy, &[]);
        deploy
    }

    /// Writes everything anew, with further arguments.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn again(&self, policy: &Value, more: &[&str]) {
        let file = self.dir.path().join("policy.json");
        write(&file, &format!("{policy:#}"));
        let mut arguments = vec!["deploy".to_owned(), file.display().to_string()];
        arguments.extend(self.arguments.iter().cloned());
        arguments.extend(["--out".to_owned(), self.folder().display().to_string()]);
        arguments.extend(more.iter().map(|&more| more.to_owned()));
        let output = modgate(arguments, b"");
        assert!(output.status.success(), "{}", stderr(&output));
    }

    /// The folder that is applied.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("deploy")
    }

    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What one of its files says.
    ///
    /// # Panics
    /// Where there is no such file.
    pub fn text(&self, name: &str) -> String {
        read(&self.file(name))
    }

    /// The keys that the routes know: the one before, the one in use, the next.
    ///
    /// # Panics
    /// Where there are not three.
    pub fn keys(&self) -> [String; 3] {
        let text = self.text("route-keys");
        let keys: Vec<String> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        keys.try_into()
            .unwrap_or_else(|_| panic!("not three keys: {text}"))
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}
