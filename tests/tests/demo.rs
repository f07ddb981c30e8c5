//! `make demo` as a newcomer sees it.

use std::process::Command;

use modgate_tests::tools::{dist, root};

#[test]
fn the_demo_shows_what_happened_and_why() {
    let output = Command::new(dist("modgate"))
        .arg("demo")
        .current_dir(root())
        .env("NO_COLOR", "1")
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
}
