//! What the benchmark holds the filter against makes the filter's own calls.

use std::fs;

use modgate_bench::sides::SAME_CALLS;
use modgate_harness::modgate::{modgate, stdout};
use modgate_harness::tools::dist;
use serde_json::json;

/// Two requests as the benchmark has them: series are defined with the first, so the second counts.
fn scenario(module: &str) -> String {
    let request = |at: &str| json!({"path": "/t/web/example.com/module/@v/v1.2.3.info", "at": at});
    json!({
        "name": "a small request",
        "filter": {
            "wasm": module,
            "configuration": {
                "version": "bench",
                "access_log": false,
                "default": "allow",
                "identity": [{"path_prefix": "/t/{tenant}"}],
                "tenants": {"web": {}},
                "backends": {"main": {"cluster": "upstream"}},
                "routes": [{"id": "all", "backend": "main"}]
            }
        },
        "upstreams": {"upstream": [{"headers": {"content-type": "application/json"}, "body": "{}"}]},
        "requests": [request("1s"), request("2s")]
    })
    .to_string()
}

/// The calls into the filter and out of it, by name, from the second request on.
fn calls(module: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario(module)).unwrap();
    let arguments = ["sim", "--trace"].map(str::as_ref);
    let output = modgate(arguments.into_iter().chain([file.as_os_str()]), b"");
    let trace = stdout(&output);
    let (_, second) = trace
        .split_once("request 2 comes")
        .unwrap_or_else(|| panic!("no second request:\n{trace}"));
    let names = second.lines().filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        let (_, name) = before.rsplit_once(' ')?;
        name.starts_with("proxy_").then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn the_reference_makes_the_calls_that_the_filter_makes_for_a_small_request() {
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("same_calls.wasm");
    fs::write(&reference, wat::parse_str(SAME_CALLS).unwrap()).unwrap();
    let of_filter = calls(dist("modgate.wasm").to_str().unwrap());
    assert!(of_filter.len() > 12, "{of_filter:?}");
    assert_eq!(calls(reference.to_str().unwrap()), of_filter);
}
