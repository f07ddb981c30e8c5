//! `make envoy` as a person would run it.

use modgate_tests::tools::root;
use std::process::Command;

#[test]
fn make_envoy_starts_everything_and_shows_it_in_prometheus() {
    let output = Command::new(env!("CARGO_BIN_EXE_envoy-stack"))
        .arg("--check")
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("All of it works"), "{said}");
}
