//! What the pages promise: the tutorial happens as it is written, and every example can be started.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use modgate_harness::backends::Backend;
use modgate_harness::ports::free_port;
use modgate_harness::tools::{dist, root, tool};

/// The examples, and the test that starts each.
const STARTED_BY: [(&str, &str); 4] = [
    ("ci", "desk"),
    ("demo", "demo"),
    ("envoy", "stack"),
    ("split", "splits"),
];

#[test]
fn every_example_has_a_page_and_a_test_that_starts_it() {
    let folders = fs::read_dir(root().join("examples")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    let mut wrong = String::new();
    for folder in &folders {
        let page = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        for part in ["# ", "## Start it", "```sh\n", "## What you see"] {
            if !page.contains(part) {
                _ = writeln!(wrong, "{}/README.md lacks {part:?}", folder.display());
            }
        }
    }
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let there: BTreeSet<_> = folders.iter().map(|folder| name(folder)).collect();
    let started: BTreeSet<_> = STARTED_BY.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(there, started, "an example that no test starts");
    assert!(wrong.is_empty(), "{wrong}");
}

/// A block of the tutorial.
enum Block {
    /// A policy, which the reader writes into a file.
    Policy(String),
    /// Commands, and what the page shows of their output.
    Commands(String, Option<String>),
    /// The proxy, in a terminal of its own.
    Serve(String),
}

/// The blocks of a page, in their order.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let fences: Vec<&str> = page.split("\n```").collect();
    // What begins and what ends a block take turns, because no block has a fence in it.
    for block in fences.iter().skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match (kind, blocks.last_mut()) {
            ("json", _) => blocks.push(Block::Policy(text.to_owned())),
            ("sh", _) if text.starts_with("modgate serve ") => {
                blocks.push(Block::Serve(text.to_owned()));
            }
            ("sh", _) => blocks.push(Block::Commands(text.to_owned(), None)),
            ("", Some(Block::Commands(_, shown @ None))) => *shown = Some(text.to_owned()),
            // What the proxy prints is not compared, and of what was printed one block is enough.
            ("", _) => {}
            (kind, _) => panic!("a block of {kind:?}: {text}"),
        }
    }
    blocks
}

/// A script that does what the reader does; what each block of commands prints goes to a file of its own.
fn script(blocks: &[Block]) -> String {
    let mut script = String::from(
        "cd \"$WORK\"\n\
         trap 'kill $!' EXIT\n\
         wait_for() { until (($(grep -c \"$1\" \"$WORK/serve.log\") >= $2)); do sleep 0.1; done; }\n\
         changes=0\n\
         in_force() { changes=$((changes + 1)); wait_for 'is now active' $changes; }\n",
    );
    let mut policies = 0;
    for (number, block) in blocks.iter().enumerate() {
        match block {
            Block::Policy(text) => {
                policies += 1;
                let file = "\"$WORK/modgate-tutorial/policy.json\"";
                _ = writeln!(script, "cat >{file} <<'POLICY'\n{text}\nPOLICY");
                if policies > 1 {
                    script.push_str("in_force\n");
                }
            }
            Block::Commands(text, _) => {
                // A second is enough for a person; a busy machine is waited for.
                let text = text.replace("sleep 1", "in_force");
                _ = writeln!(script, "{{\n{text}\n}} >\"$WORK/{number}\" 2>&1");
            }
            Block::Serve(text) => {
                let text = text.trim();
                _ = writeln!(
                    script,
                    "{text} --listen \"$LISTEN\" --admin \"$ADMIN\" >\"$WORK/serve.log\" 2>&1 &\n\
                     wait_for 'serving on' 1\n\
                     cd \"$WORK\""
                );
            }
        }
    }
    script
}

/// What must be the same each time: not a request's id, and not which version is the newest today.
fn normal(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let mut letters = word.chars();
        let is_version =
            letters.next() == Some('v') && letters.next().is_some_and(char::is_numeric);
        if is_version { "VERSION" } else { word }.to_owned()
    };
    let lines = text.lines().filter(|line| !line.contains("request: "));
    let line = |line: &str| {
        line.split_whitespace()
            .map(word)
            .collect::<Vec<_>>()
            .join(" ")
    };
    lines.map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_tutorial_happens_as_it_is_written() {
    let page = fs::read_to_string(root().join("docs/start/tutorial.md")).unwrap();
    let blocks = blocks(&page);
    let work = tempfile::tempdir().unwrap();
    let backend = Backend::goproxy();
    let [listen, admin] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let script = script(&blocks)
        .replace(
            "https://proxy.golang.org",
            &format!("http://{}", backend.address()),
        )
        .replace("127.0.0.1:8080", &listen)
        .replace("127.0.0.1:9901", &admin);
    let path = [dist("modgate"), tool("go")].map(|program| {
        let folder = program.parent().unwrap();
        folder.to_str().unwrap().to_owned()
    });
    let path = format!("{}:{}", path.join(":"), std::env::var("PATH").unwrap());
    let status = Command::new("timeout")
        .args(["300", "bash", "-c", &script])
        .envs([("WORK", work.path().to_str().unwrap()), ("PATH", &path)])
        .envs([("LISTEN", &listen), ("ADMIN", &admin)])
        // What a developer may have set must not get in.
        .envs([("GOENV", "off"), ("GOTOOLCHAIN", "local")])
        .envs([
            ("GOSUMDB", "sum.golang.org"),
            ("GOPRIVATE", ""),
            ("GONOSUMDB", ""),
        ])
        .status()
        .unwrap();
    let log = fs::read_to_string(work.path().join("serve.log")).unwrap_or_default();
    // The last command is what `kill` makes of the proxy; a script that hung is 124.
    assert_ne!(status.code(), Some(124), "{log}");
    let mut compared = 0;
    for (number, block) in blocks.iter().enumerate() {
        let Block::Commands(commands, Some(shown)) = block else {
            continue;
        };
        let printed = fs::read_to_string(work.path().join(number.to_string())).unwrap_or_default();
        let printed = printed.replace(&listen, "127.0.0.1:8080");
        assert_eq!(
            normal(&printed),
            normal(shown),
            "{commands}\n{printed}\n{log}"
        );
        compared += 1;
    }
    assert!(compared >= 7, "{compared}");
}
