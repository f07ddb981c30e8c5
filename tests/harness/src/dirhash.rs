//! The judge of hashes: `golang.org/x/mod`'s own `dirhash` and `zip.CheckZip`, in one process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::go_program;

/// The running Go program `tests/go/dirhash`.
#[derive(Debug)]
pub struct Dirhash {
    /// Holds the program, and the zips while they are judged.
    folder: TempDir,
    program: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What Go makes of a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoVerdict {
    /// `dirhash.HashZip`'s hash, or why there is none.
    pub h1: Result<String, String>,
    /// What `zip.CheckZip` says.
    pub check: Result<(), String>,
}

/// What Go knows of all characters, as ranges (first, last) and pairs (character, its fold).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Runes {
    /// `unicode.IsLetter`.
    pub letters: Vec<(u32, u32)>,
    /// What is assigned in the version of Unicode that this Go has.
    pub assigned: Vec<(u32, u32)>,
    /// A character and the least that `unicode.SimpleFold` leads to, where that is another.
    pub folds: Vec<(u32, u32)>,
}

impl Dirhash {
    /// Builds and starts it.
    ///
    /// # Panics
    /// Where Go cannot build it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder can be made");
        let program = go_program::build("dirhash", folder.path());
        let mut program = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Go program cannot be started");
        let questions = program.stdin.take().expect("its input is piped");
        let answers = BufReader::new(program.stdout.take().expect("its output is piped"));
        Self {
            folder,
            program,
            questions,
            answers,
        }
    }

    /// Judges a zip of this module.
    pub fn zip(&mut self, bytes: &[u8], module: &str, version: &str) -> GoVerdict {
        let file = self.folder.path().join("judged.zip");
        std::fs::write(&file, bytes).expect("the zip can be written");
        self.zip_file(&file, module, version)
    }

    /// The same of a zip that is a file already.
    pub fn zip_file(&mut self, file: &Path, module: &str, version: &str) -> GoVerdict {
        let question = json!({"Kind": "zip", "File": file, "Path": module, "Version": version});
        let answer = self.ask(&question);
        let reason = |key: &str| Some(answer[key].as_str()?.to_owned()).filter(|s| !s.is_empty());
        GoVerdict {
            h1: match reason("HashError") {
                None => Ok(answer["H1"].as_str().unwrap_or_default().to_owned()),
                Some(why) => Err(why),
            },
            check: reason("CheckError").map_or(Ok(()), Err),
        }
    }

    /// How long `dirhash.HashZip` takes over a zip, by the program's own clock.
    pub fn time_of(&mut self, file: &Path) -> Duration {
        let answer = self.ask(&json!({"Kind": "bench", "File": file, "Times": 1}));
        Duration::from_nanos(answer["Nanoseconds"].as_u64().unwrap_or_default())
    }

    /// The hash of a `go.mod` file.
    pub fn go_mod(&mut self, file: &Path) -> String {
        let answer = self.ask(&json!({"Kind": "mod", "File": file}));
        answer["H1"].as_str().unwrap_or_default().to_owned()
    }

    /// For each name whether `module.CheckFilePath` takes it.
    pub fn file_names(&mut self, names: &[String]) -> Vec<bool> {
        let answer = self.ask(&json!({"Kind": "files", "Names": names}));
        let verdicts = answer["OK"].as_array().cloned().unwrap_or_default();
        verdicts.iter().map(|ok| ok == true).collect()
    }

    /// What Go knows of all characters.
    ///
    /// # Panics
    /// Where the program answers otherwise.
    pub fn runes(&mut self) -> Runes {
        let answer = self.ask(&json!({"Kind": "runes"}));
        serde_json::from_value(answer).expect("the program answers with ranges")
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").expect("the Go program has ended");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("the Go program has ended");
        serde_json::from_str(&answer).expect("the Go program answers in JSON")
    }
}

impl Drop for Dirhash {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
