//! The judge of names and requests: `golang.org/x/mod` and `net/http`, in one Go process.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::go_program;

/// Asks the Go program `tests/go/xmod`; one answer for each question, in their order.
///
/// # Panics
/// Where Go cannot build or run it.
pub fn ask(questions: &[Value]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    let program = go_program::build("xmod", dir.path());
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("the Go program cannot be run: {e}"));
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        panic!("the Go program has no pipes");
    };
    let answers: Vec<Value> = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut to_go = BufWriter::new(stdin);
            for question in questions {
                // Where the program has ended, its answers are missing, which is noticed below.
                let _ = writeln!(to_go, "{question}");
            }
        });
        let lines = BufReader::new(stdout).lines();
        let parse = |line: String| serde_json::from_str(&line).unwrap_or(Value::Null);
        lines.map_while(Result::ok).map(parse).collect()
    });
    assert!(child.wait().is_ok_and(|status| status.success()));
    assert_eq!(answers.len(), questions.len(), "the Go program ended early");
    answers
}
