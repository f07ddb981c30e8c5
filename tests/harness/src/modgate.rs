//! The command `modgate`, as a person runs it.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::tools::dist;

/// Runs it to its end with this standard input.
///
/// # Panics
/// Where it does not start.
pub fn modgate(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &[u8]) -> Output {
    let child = Command::new(dist("modgate"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("modgate does not start: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // Who has read enough closes it.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output();
    output.unwrap_or_else(|error| panic!("modgate has no output: {error}"))
}

/// What it printed.
///
/// # Panics
/// Where that is no UTF-8.
pub fn stdout(output: &Output) -> String {
    text(&output.stdout)
}

/// What it said beside that.
///
/// # Panics
/// Where that is no UTF-8.
pub fn stderr(output: &Output) -> String {
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec());
    text.unwrap_or_else(|error| panic!("modgate prints no UTF-8: {error}"))
}
