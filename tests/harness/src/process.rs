//! Programs that run beside a test and end with it, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a program may take until it is ready. Generous: two cores may be busy with other tests.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running program, whose output goes to a file.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; its output goes to `dir/NAME.log`.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(name: &str, mut command: Command, dir: &Path) -> Self {
        let log = dir.join(format!("{name}.log"));
        let file = File::create(&log).unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        let other = file
            .try_clone()
            .unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(other)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Waits until `ready` gives something.
    ///
    /// # Panics
    /// Where the program ends first, or is not ready in a minute; the message has the end of its log.
    pub fn wait_until<T>(&mut self, what: &str, ready: impl FnMut() -> Option<T>) -> T {
        self.wait_or_end(what, ready).unwrap_or_else(|status| {
            let (name, log) = (&self.name, self.log_tail());
            panic!("{name} ended with {status} before {what}:\n{log}")
        })
    }

    /// Waits until `ready` gives something.
    ///
    /// # Errors
    /// The program's status, where it ends first.
    ///
    /// # Panics
    /// Where it is not ready in a minute; the message has the end of its log.
    pub fn wait_or_end<T>(
        &mut self,
        what: &str,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(status);
            }
            if start.elapsed() > START_LIMIT {
                panic!("{} was not {what} in time:\n{}", self.name, self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the program's own end.
    ///
    /// # Panics
    /// Where it does not end in a minute.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status;
            }
            assert!(start.elapsed() < START_LIMIT, "{} did not end", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where its output goes.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until it has written this.
    ///
    /// # Panics
    /// Where it has not in a minute.
    pub fn wait_for_log(&mut self, text: &str) {
        let log = self.log.clone();
        self.wait_until("telling so", || {
            let written = std::fs::read(&log).ok()?;
            String::from_utf8_lossy(&written)
                .contains(text)
                .then_some(())
        });
    }

    /// The lines of its access log, once there are so many.
    ///
    /// # Panics
    /// Where there are fewer, or one that is no JSON.
    pub fn json_lines(&mut self, lines: usize) -> Vec<Value> {
        let log = self.log.clone();
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.wait_until("telling its access log", || {
            let text = std::fs::read_to_string(&log).ok()?;
            let (whole, _) = text.rsplit_once('\n')?;
            let found = whole.lines().filter(|line| line.starts_with('{'));
            let found: Vec<Value> = found.map(parse).collect();
            (found.len() >= lines).then_some(found)
        })
    }

    /// Asks it to end as a supervisor does, with SIGTERM.
    pub fn terminate(&self) {
        let _ = Command::new("kill").arg(self.id().to_string()).status();
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether something accepts connections there.
pub fn accepts(port: u16) -> Option<()> {
    std::net::TcpStream::connect(("127.0.0.1", port))
        .ok()
        .map(drop)
}
