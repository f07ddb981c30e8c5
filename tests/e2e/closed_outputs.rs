//! Commands whose output nobody reads on: `modgate ... | head`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::tools::{dist, root};
use tempfile::TempDir;

/// Commands that print nothing a reader waits for: a server's log lines, and files.
const NO_OUTPUT: [&str; 3] = ["help", "man", "serve"];

/// A pipe whose reader has gone away.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(dist("modgate"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env(
            "PATH",
            std::env::join_paths([root().join(".tools/bin"), "/usr/bin".into()]).unwrap(),
        );
    command
}

/// The files that the commands below are about.
fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    let demo = std::fs::read(root().join("examples/demo/policy.json")).unwrap();
    let split = std::fs::read(root().join("examples/split/policy.json")).unwrap();
    let sum = "example.org/a v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let base = r#"{"version": "1", "default": "deny", "teams": {}, "tenants": {"*": {"rules": ["own"]}},
        "rules": {"own": [{"id": "all", "allow": ["example.org"]}]},
        "backends": {"a": {"cluster": "a"}}, "routes": [{"id": "all", "backend": "a"}]}"#;
    let plain = base.replace(r#""teams": {}, "#, "");
    std::fs::create_dir_all(folder.path().join("parts/teams")).unwrap();
    for (name, content) in [
        ("policy.json", demo.as_slice()),
        ("split.json", split.as_slice()),
        ("plain.json", plain.as_bytes()),
        ("clients.txt", b"one\ntwo\n"),
        ("log.txt", b"/t/web/example.org/words/@v/list\n"),
        ("go.mod", b"module example.org/m\n"),
        ("go.sum", sum.as_bytes()),
        ("wanted.txt", b"example.org/a v1.0.0\n"),
        ("bad.json", b"{}"),
        ("scenario.yaml", b"name: nothing\n"),
        ("parts/base.json", base.as_bytes()),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

const PRINTING: &[(&str, &[&str])] = &[
    ("demo", &[]),
    ("check", &["policy.json"]),
    ("check", &["--json", "policy.json"]),
    ("check", &["bad.json"]),
    ("explain", &["example.org/words@v0.1.0"]),
    ("explain", &["--json", "example.org/words"]),
    ("test", &["policy.json"]),
    ("replay", &["--candidate", "policy.json", "log.txt"]),
    ("split", &["--clients", "clients.txt", "split.json"]),
    ("policy", &["build", "parts"]),
    ("policy", &["diff", "policy.json", "split.json"]),
    ("policy", &["diff", "policy.json", "policy.json"]),
    ("h1", &["go.mod"]),
    ("pins", &["import", "go.sum"]),
    ("warm", &["--proxy", "http://127.0.0.1:1", "wanted.txt"]),
    ("envoy-routes", &["policy.json"]),
    (
        "deploy",
        &[
            "plain.json",
            "--target=istio",
            "--at=sidecar",
            "--namespace=tools",
            "--selector=app=athens",
            "--cluster=a=http://127.0.0.1:3000",
            "--module=https://files.corp.example/modgate.wasm",
            "--sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "--route-keys=keys",
        ],
    ),
    ("sim", &["scenario.yaml"]),
    ("metrics", &["--format", "istio"]),
    ("completions", &["bash"]),
];

#[test]
fn a_command_whose_reader_goes_away_ends_quietly() {
    let folder = files();
    table_rows::check(PRINTING, |(name, arguments)| {
        let arguments = [&[*name], *arguments].concat();
        let ended = |out: Stdio| -> Output {
            let mut command = command(&arguments, folder.path());
            command.stdout(out).stderr(Stdio::piped()).output().unwrap()
        };
        let read = ended(Stdio::piped());
        assert!(
            !read.stdout.is_empty(),
            "it prints nothing: {}",
            stderr(&read)
        );
        let output = ended(closed());
        let said = stderr(&output);
        // As a shell reports a program that SIGPIPE ended.
        assert_eq!(output.status.code(), Some(141), "{said}");
        assert!(
            !said.contains("error") && !said.contains("panicked"),
            "{said}"
        );
    });
}

#[test]
fn every_command_that_prints_is_tried() {
    let help = stdout(&modgate(["--help"], b""));
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.map(|line| line.split_whitespace().next().unwrap());
    let all: BTreeSet<&str> = commands.filter(|name| !NO_OUTPUT.contains(name)).collect();
    let tried: BTreeSet<&str> = PRINTING.iter().map(|(name, _)| *name).collect();
    assert_eq!(all, tried);
}

/// What goes to standard error is for people; that they do not read it changes nothing.
#[test]
fn a_status_does_not_depend_on_who_reads_the_errors() {
    let folder = files();
    let rows: [(&[&str], i32); 6] = [
        (&["check", "bad.json"], 1),
        (&["explain", "Not a module"], 1),
        (&["h1", "missing.zip"], 1),
        (&["h1", "--sum", "go.sum", "go.mod"], 1),
        (&["policy", "diff", "policy.json", "missing.json"], 2),
        (&["policy", "build", "-o", "built.json", "parts"], 0),
    ];
    table_rows::check(rows, |(arguments, status)| {
        let mut command = command(arguments, folder.path());
        let output = command.stdout(Stdio::piped()).stderr(closed()).output();
        assert_eq!(output.unwrap().status.code(), Some(status));
    });
}
