//! Looks at a policy file again and again, and hands on what it has become.
//!
//! It looks at the content, not at the file's times: an editor that renames, a ConfigMap that swaps
//! a symbolic link and a copy that keeps the times are all seen, on every file system.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use envoy_wasm_host::{LogLevel, files};
use tokio::sync::{mpsc, watch};

use super::shared::Shared;
use super::thread::Command;

/// The most that a policy's file has, in bytes.
const POLICY_LIMIT: u64 = 64 << 20;

/// What a policy's file has in it. It is read again and again, on a thread that the proxy's end waits for,
/// so it is a regular file.
///
/// # Errors
/// As [`files::regular`].
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    files::regular(path, POLICY_LIMIT)
}

pub(super) struct PolicyWatch {
    pub path: PathBuf,
    pub every: Duration,
    pub shared: Arc<Shared>,
    pub workers: Vec<mpsc::UnboundedSender<Command>>,
    pub stop: watch::Receiver<bool>,
    /// What is in force, or was refused: what is not looked at again.
    pub evaluated: Vec<u8>,
}

impl PolicyWatch {
    /// Watches until the proxy stops.
    pub(super) fn run(mut self) {
        let mut seen: Option<Vec<u8>> = None;
        let mut unreadable = None;
        while !*self.stop.borrow() && self.stop.has_changed().is_ok() {
            std::thread::sleep(self.every);
            let content = match read(&self.path) {
                Ok(content) => content,
                Err(error) => {
                    let why = error.to_string();
                    // Once, and not each time that it is looked at.
                    if unreadable.as_ref() != Some(&why) {
                        self.keep(&format!("cannot be read: {why}"));
                        unreadable = Some(why);
                    }
                    continue;
                }
            };
            unreadable = None;
            // A file that is being written is evaluated once it has stood still for a moment.
            let still = seen.as_ref() == Some(&content);
            if still && content != self.evaluated {
                self.evaluate(&content);
                self.evaluated = content;
                seen = None;
            } else {
                seen = Some(content);
            }
        }
    }

    fn evaluate(&self, content: &[u8]) {
        let policy = match self.shared.format(&self.path, content) {
            Ok(policy) => policy,
            Err(error) => return self.keep(&format!("is refused: {error}")),
        };
        let plugin = self.shared.plugin(&policy);
        if let Err(error) = self.shared.try_out(plugin.clone()) {
            return self.keep(&format!("is refused: {error}"));
        }
        for worker in &self.workers {
            // A worker that has gone needs none.
            _ = worker.send(Command::Reconfigure(plugin.clone()));
        }
        let line = format!(
            "the policy {} has changed and is now active",
            self.path.display()
        );
        self.shared.log(LogLevel::Info, &line);
    }

    fn keep(&self, what: &str) {
        let line = format!(
            "the policy {} {what}; the last valid one stays active",
            self.path.display()
        );
        self.shared.log(LogLevel::Error, &line);
    }
}
