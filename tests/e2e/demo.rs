//! `make demo` as a newcomer sees it.

use std::process::Command;

use modgate_harness::tools::{dist, root};

#[test]
fn the_demo_shows_what_happened_and_why() {
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(dist("modgate"))
        .arg("demo")
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("TMPDIR", temporary.path())
        // What a developer may have set must not get in.
        .env("GOPRIVATE", "*")
        .env("GOFLAGS", "-mod=vendor")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "go: added example.org/clock v1.1.1",
        "modgate: denied example.org/w0rds@v0.3.0",
        "rule: org/typosquat",
        "go: added corp.example/ledger v1.3.0",
        "/private.proxy/v1/corp.example/ledger/@v/v1.3.0.zip",
        "example.org/words v0.1.0 v0.2.0 v0.3.0 v0.4.0-beta.1",
        "8 of 8 (100%)",
        "make envoy",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "colours although NO_COLOR is set");
    let left: Vec<_> = temporary.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn without_go_it_says_so_in_one_sentence() {
    let elsewhere = tempfile::tempdir().unwrap();
    let alone = elsewhere.path().join("modgate");
    std::fs::copy(dist("modgate"), &alone).unwrap();
    let output = Command::new(alone)
        .arg("demo")
        .env("MODGATE_WASM", dist("modgate.wasm"))
        .env("PATH", elsewhere.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: no `go` command: "), "{said}");
    assert!(said.contains("make setup"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
