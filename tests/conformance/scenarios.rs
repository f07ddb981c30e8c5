//! `modgate sim` as a person runs it, on the scenarios of the project and on wrong ones.

use std::path::{Path, PathBuf};
use std::process::Output;

use modgate_harness::modgate::{modgate, stdout};
use modgate_harness::tools::root;
use serde_json::Value;

/// Every scenario of the filter.
fn scenarios() -> Vec<PathBuf> {
    let files = modgate_harness::tools::files("tests/scenarios", "yaml");
    assert!(files.len() > 4, "{files:?}");
    files
}

fn sim(options: &[&str], files: &[PathBuf]) -> Output {
    let files = files.iter().map(|file| file.as_os_str());
    let arguments = ["sim"].iter().chain(options).map(|a| a.as_ref());
    modgate(arguments.chain(files), b"")
}

/// A scenario that is one of the project's but for this change, beside the files that it names.
fn changed(folder: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let original = root().join("tests/scenarios");
    std::fs::copy(original.join("policy.json"), folder.join("policy.json")).unwrap();
    let text = std::fs::read_to_string(original.join(name)).unwrap();
    assert!(text.contains(from), "{text}");
    let path = folder.join(name);
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    path
}

#[test]
fn every_scenario_goes_as_expected() {
    let mut files = scenarios();
    for folder in ["odd", "languages", "profiles"] {
        let folder = format!("tests/scenarios/{folder}");
        files.extend(modgate_harness::tools::files(&folder, "yaml"));
    }
    let output = sim(&[], &files);
    let printed = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    let all = format!("{} scenarios, all as expected\n", files.len());
    assert!(printed.ends_with(&all), "{printed}");
}

#[test]
fn every_scenario_holds_in_other_ways_too() {
    let mut files = scenarios();
    // Whatever comes between, what was held goes out as it was changed.
    files.push(root().join("tests/scenarios/odd/edits-held-bodies.yaml"));
    let output = sim(&["--explore", "--budget", "60"], &files);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

/// A backend that clones a repository first is silent for minutes. What passes may be silent for so long, in
/// the shipped Envoy too.
#[test]
fn a_question_waits_as_long_as_a_request_that_passes() {
    let shipped = std::fs::read_to_string(root().join("envoy/envoy.yaml")).unwrap();
    for limit in ["stream_idle_timeout: 300s", " idle_timeout: 300s"] {
        assert!(shipped.contains(limit), "{limit}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (after, outcome) in [
        ("299s", "status: 200, body: \"v0.2.0\\n\""),
        ("301s", "status: 504, body: \"upstream request timeout\""),
    ] {
        let file = changed(
            folder.path(),
            "shaped-list.yaml",
            "after: 20ms",
            &format!("after: {after}"),
        );
        let text = std::fs::read_to_string(&file).unwrap();
        let expected = "status: 200, body: \"v0.2.0\\n\"";
        assert!(text.contains(expected), "{text}");
        std::fs::write(&file, text.replacen(expected, outcome, 1)).unwrap();
        let output = sim(&[], &[file]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{after}: {}",
            stdout(&output)
        );
    }
}

/// A status of gRPC in an answer's headers counts only where nothing comes behind them.
#[test]
fn what_a_grpc_call_hears_does_not_hang_on_how_its_answer_ends() {
    let of_grpc = ["calls-grpc.yaml", "calls-grpc-twice.yaml"];
    let files = of_grpc.map(|name| root().join("tests/scenarios/odd").join(name));
    for schedule in ["late", "trailers", "late trailers"] {
        let output = sim(&["--schedule", schedule], &files);
        let printed = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{schedule}: {printed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_to_the_last_byte() {
    let files = scenarios();
    let first = stdout(&sim(&["--trace", "--seed", "7"], &files));
    assert!(first.contains("-> proxy_on_request_headers("), "{first}");
    assert!(first.contains("   20.000 ms"), "{first}");
    let second = stdout(&sim(&["--trace", "--seed", "7"], &files));
    assert!(first == second, "two traces differ");
}

#[test]
fn what_is_not_as_expected_is_shown_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = [changed(
        folder.path(),
        "denied.yaml",
        "status: 403",
        "status: 200",
    )];
    let output = sim(&[], &file);
    assert_eq!(output.status.code(), Some(1));
    let printed = stdout(&output);
    let wanted = "@v/v1.3.1.zip): status\n    - 200\n    + 403\n1 of 1 scenario not as expected\n";
    assert!(printed.ends_with(wanted), "{printed}");

    let json = sim(&["--format", "json"], &file);
    assert_eq!(json.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["scenarios"][0]["differences"][0]["seen"], "403");

    let junit = sim(&["--format", "junit"], &file);
    assert_eq!(junit.status.code(), Some(1));
    let junit = stdout(&junit);
    for count in ["tests=\"1\"", "failures=\"1\""] {
        assert!(junit.contains(count), "{junit}");
    }
    assert!(
        junit.contains("<testcase name=\"a denied module\" classname="),
        "{junit}"
    );
    assert!(
        junit.contains("<failure message=\"not as expected\">"),
        "{junit}"
    );
}

#[test]
fn what_is_no_scenario_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        (
            "status: 403",
            "statsu: 403",
            "requests[0].expect: unknown field `statsu`",
        ),
        (
            "main: []",
            "main: [{fault: sleepy}]",
            "upstreams.main[0].fault: unknown variant `sleepy`",
        ),
        (
            "main: []",
            "main: [{after: -1s}]",
            "\"-1s\" is not a valid duration",
        ),
        // The grammar of policies and options.
        (
            "main: []",
            "main: [{after: 1m 30s}]",
            "\"1m 30s\" is not a valid duration",
        ),
        ("policy.json", "gone.json", "cannot read"),
    ];
    table_rows::check(rows, |(from, to, wanted)| {
        let file = changed(folder.path(), "denied.yaml", from, to);
        let output = sim(&[], &[file]);
        let printed = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(printed.contains(wanted), "no {wanted} in\n{printed}");
    });
}
