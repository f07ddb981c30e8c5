//! What a package of the command brings along: completions and pages of the manual.

use std::fs;
use std::process::Command;

use modgate_harness::modgate::stdout;

use crate::desk::modgate;

#[test]
fn every_shell_gets_completions_of_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&modgate(&["completions", shell], ""));
        for command in ["serve", "check", "explain", "envoy-routes"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn bash_completes_a_command_by_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("modgate.bash");
    fs::write(&script, stdout(&modgate(&["completions", "bash"], ""))).unwrap();
    let ask = format!(
        "source {}; COMP_WORDS=(modgate exp); COMP_CWORD=1; _modgate modgate exp modgate; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let requested = Command::new("bash")
        .args(["--norc", "-c", &ask])
        .output()
        .unwrap();
    assert_eq!(stdout(&requested).trim(), "explain");
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pages");
    let written = modgate(&["man", "--out", out.to_str().unwrap()], "");
    assert!(written.status.success());
    let page = |name: &str| fs::read_to_string(out.join(format!("{name}.1"))).unwrap();
    assert!(
        page("modgate").contains("modgate\\-serve(1)")
            || page("modgate").contains("modgate-serve(1)")
    );
    assert!(page("modgate-check").contains("\\-\\-envoy"));
    let refused = modgate(&["man", "--out", "/dev/null/pages"], "");
    assert!(!refused.status.success());
}
