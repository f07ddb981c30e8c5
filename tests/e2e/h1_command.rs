//! `modgate h1` on a real module cache, as a person runs it.

use std::path::Path;
use std::process::Output;

use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::module_zips::{ModuleZip, real_module_zips};

fn h1(arguments: &[&str], input: &[u8]) -> Output {
    modgate(["h1"].iter().chain(arguments), input)
}

/// The module's two lines of go.sum, as go itself has them.
fn lines(module: &ModuleZip) -> [String; 2] {
    let (path, version) = (&module.path, &module.version);
    [
        format!("{path} {version} {}", module.sum),
        format!("{path} {version}/go.mod {}", module.go_mod_sum),
    ]
}

fn small() -> ModuleZip {
    let all = real_module_zips();
    let found = all.into_iter().find(|m| m.path == "github.com/pkg/errors");
    found.unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_module_cache_prints_as_its_go_sum_and_agrees_with_it() {
    let modules = real_module_zips();
    let cache = modules[0]
        .zip
        .ancestors()
        .find(|a| a.ends_with("cache/download"));
    let cache = cache.unwrap().ancestors().nth(2).unwrap();
    let output = h1(&[text(cache)], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    for line in modules.iter().flat_map(lines) {
        assert!(printed.lines().any(|l| l == line), "no line {line}");
    }
    // No progress bar where standard error is no terminal.
    assert_eq!(stderr(&output), "");

    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("go.sum");
    std::fs::write(&sums, &printed).unwrap();
    let output = h1(&["--sum", text(&sums), text(cache)], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let said = format!("{} match go.sum, 0 differ, 0 not", printed.lines().count());
    assert!(stderr(&output).starts_with(&said), "{}", stderr(&output));
}

#[test]
fn a_file_that_differs_is_named_and_fails() {
    let module = small();
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("go.sum");
    let [zip, go_mod] = lines(&module);
    let other = format!("{} {} {}", module.path, module.version, module.go_mod_sum);
    std::fs::write(&sums, format!("{other}\n{go_mod}\n")).unwrap();
    let arguments = [
        "--sum",
        text(&sums),
        text(&module.zip),
        text(&module.go_mod),
    ];
    let output = h1(&arguments, b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), format!("{zip}\n{go_mod}\n"));
    let said = stderr(&output);
    assert!(said.contains(text(&module.zip)), "{said}");
    assert!(said.contains("1 match go.sum, 1 differ, 0 not"), "{said}");

    // Nothing compared is no success.
    std::fs::write(&sums, "").unwrap();
    let output = h1(&arguments, b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing was compared"));

    // Lines may end as on Windows: the Go command reads fields.
    std::fs::write(&sums, format!("{zip}\r\n{go_mod}\r\n")).unwrap();
    let output = h1(&arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    // What is no go.sum is said with its line.
    std::fs::write(&sums, format!("{go_mod}\n{zip} more\n")).unwrap();
    let output = h1(&arguments, b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("go.sum, line 2: "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_module_cache_with_a_changed_zip_is_found_out() {
    let module = small();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("github.com/pkg/errors/@v");
    std::fs::create_dir_all(&place).unwrap();
    let zip = place.join("v0.9.1.zip");
    std::fs::copy(&module.zip, &zip).unwrap();
    std::fs::write(place.join("v0.9.1.ziphash"), &module.sum).unwrap();
    let output = h1(&[text(folder.path())], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::write(place.join("v0.9.1.ziphash"), &module.go_mod_sum).unwrap();
    let output = h1(&[text(folder.path())], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("its .ziphash has h1:"),
        "{}",
        stderr(&output)
    );

    // Another module's zip in this one's place.
    let other = folder.path().join("github.com/pkg/other/@v");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::rename(&zip, other.join("v0.9.1.zip")).unwrap();
    let output = h1(&[text(folder.path())], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("is not under MODULE@VERSION/"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn standard_input_is_a_zip_or_a_go_mod_and_a_broken_zip_tells_where() {
    let module = small();
    let [zip_line, _] = lines(&module);
    let zip = std::fs::read(&module.zip).unwrap();
    let output = h1(&["-"], &zip);
    assert_eq!(stdout(&output), format!("{zip_line}\n"));
    let output = h1(&["-"], &std::fs::read(&module.go_mod).unwrap());
    assert_eq!(
        stdout(&output),
        format!("{}  standard input\n", module.go_mod_sum)
    );

    let output = h1(&["-"], &zip[..5000]);
    assert_eq!(output.status.code(), Some(1));
    let said = "error: standard input: refused: at byte 5000: the zip ends before its end record";
    assert_eq!(stderr(&output).lines().next(), Some(said));
}

#[test]
fn wrong_use_is_status_2() {
    let output = h1(&[], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Usage: modgate h1"));
}
