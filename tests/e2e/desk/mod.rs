//! `modgate check`, `explain` and `test`, as a person runs them.

mod carried;
mod completions;
mod deploy;
mod warm;

use std::path::PathBuf;
use std::process::Output;

use modgate_harness::modgate::{modgate as run, stdout};
use modgate_harness::tools::root;
use serde_json::Value;

fn modgate(arguments: &[&str], input: &str) -> Output {
    run(arguments, input.as_bytes())
}

fn example(name: &str) -> PathBuf {
    root().join(name)
}

/// What `check` prints of a text, which must be refused or not.
#[track_caller]
fn check(text: &str, good: bool) -> String {
    let output = modgate(&["check", "-"], text);
    let printed = stdout(&output);
    assert_eq!(output.status.code(), Some(i32::from(!good)), "{printed}");
    printed
}

#[track_caller]
fn assert_lines(printed: &str, wanted: &[&str]) {
    for line in wanted {
        let (place, hint) = line.split_once(" ... ").unwrap();
        let found = printed
            .lines()
            .any(|l| l.contains(place) && l.contains(hint));
        assert!(found, "no line {place} ... {hint} in\n{printed}");
    }
}

const GOOD: &str = r#"{
  "version": "1", "default": "deny",
  "tenants": {"*": {"rules": ["org"]}, "web": {"rules": ["org"]}},
  "rules": {"org": [
    {"id": "bad", "deny": ["corp.example/secret"], "hide": true},
    {"id": "own", "allow": ["corp.example"]}
  ]},
  "identity": [{"path_prefix": "/t/{tenant}"}, {"mtls_uri_san": "spiffe://corp/ns/{tenant}"}],
  "backends": {"main": {"cluster": "athens", "base_path": "/proxy"}},
  "routes": [{"id": "all", "backend": "main"}]
}"#;

#[test]
fn every_mistake_has_its_line_and_column() {
    let bad = GOOD
        .replace("\"default\": \"deny\"", "\"default\": \"dney\"")
        .replace("\"hide\": true", "\"hidden\": true, \"id\": \"twice\"")
        .replace("\"backend\": \"main\"", "\"backend\": \"mian\"");
    let printed = check(&bad, false);
    assert_lines(
        &printed,
        &[
            "standard input:2:19: $.default: ... did you mean \"deny\"?",
            "standard input:5:52: $.rules.org[0].hidden: ... unknown field",
            "standard input:5:68: $.rules.org[0].id: ... already defined at line 5",
            "standard input:10:28: $.routes[0].backend: ... did you mean \"main\"?",
            "refused ... 4 errors",
        ],
    );
}

#[test]
fn a_policy_is_found_wherever_it_is_carried() {
    let indented = |text: &str, by: usize| {
        let lines = text
            .lines()
            .map(|line| format!("{}{line}\n", " ".repeat(by)));
        lines.collect::<String>()
    };
    let bad = GOOD.replace("\"cluster\"", "\"clutser\"");
    let wasm_plugin = format!(
        "kind: ConfigMap\napiVersion: v1\n---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: m}}\nspec:\n  pluginConfig:\n{}",
        indented(&bad, 4)
    );
    let extension = format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {{name: m}}\nspec:\n  wasm:\n    pluginConfig:\n{}",
        indented(&bad, 6)
    );
    let gateway = format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {{name: m}}\nspec:\n  wasm:\n  - name: modgate\n    config:\n{}",
        indented(&bad, 6)
    );
    let envoy = std::fs::read_to_string(example("envoy/modgate.yaml")).unwrap();
    assert!(check(&envoy, true).contains("the configuration of the filter \"modgate\": ok"));
    let envoy = envoy.replace("\"cluster\"", "\"clutser\"");
    for (text, place) in [
        (wasm_plugin, "spec.pluginConfig of the WasmPlugin \"m\""),
        (
            extension,
            "spec.wasm.pluginConfig of the TrafficExtension \"m\"",
        ),
        (
            gateway,
            "spec.wasm[0].config of the EnvoyExtensionPolicy \"m\"",
        ),
        (envoy, "the configuration of the filter \"modgate\""),
    ] {
        let printed = check(&text, false);
        assert!(printed.contains(place), "{printed}");
        // The very line, also inside a string.
        let at = text
            .lines()
            .position(|line| line.contains("clutser"))
            .unwrap();
        let column = text.lines().nth(at).unwrap().find("\"clutser").unwrap() + 1;
        let wanted = format!("standard input:{}:{column}: $.backends.", at + 1);
        assert_lines(
            &printed,
            &[&format!("{wanted} ... did you mean \"cluster\"?")],
        );
    }
    let none = check("kind: ConfigMap\napiVersion: v1\n", false);
    assert!(none.contains("no policy"), "{none}");
}

#[test]
fn yaml_is_read_as_kubernetes_reads_it() {
    let yaml = "version: 1.10\ndefault: deny\ntenants:\n  web: &own {rules: [org]}\n  ops:\n    <<: *own\n    \
                require: [no]\n  on: *own\nrules: {org: [{id: all, allow: ['*']}]}\n\
                backends: {main: {cluster: c}}\nbackends: {main: {cluster: c}}\nroutes: [{id: all, backend: main}]\n";
    let printed = check(yaml, false);
    assert_lines(
        &printed,
        &[
            "standard input:1:1: $.version: ... quote it",
            "standard input:7:15: $.tenants.ops.require[0]: ... quote it",
            "standard input:8:3: $.tenants.true: ... quote it",
            "standard input:11:1: $.backends: ... already defined at line 10",
        ],
    );
    let good = yaml
        .replace("1.10", "'1.10'")
        .replace("    require: [no]\n", "")
        .replace("  on:", "  'on':")
        .replacen("backends: {main: {cluster: c}}\n", "", 1);
    assert!(check(&good, true).contains("3 tenants, 1 rule, 1 route; 0 warnings"));
    let tab = check("version: '1'\n\tdefault: deny\n", false);
    assert!(tab.contains("standard input:2:"), "{tab}");
    // YAML would take it, the filter does not.
    check(&GOOD.replace("\"main\"}]\n}", "\"main\"}],\n}"), false);
    // JSON that YAML does not know.
    check(
        &GOOD
            .replace("\"1\"", "\"\\ud83d\\ude00\"")
            .replace("\"version\"", "\"contact\": \"x\",\t\"version\""),
        false,
    );
    check(&GOOD.replace("  ", "\t"), true);
    check(&"[".repeat(100_000), false);
    check(&"x: {y: ".repeat(10_000), false);
    let bomb = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, i| {
        text + &format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}, *a{0}]\n", i - 1)
    });
    assert!(check(&bomb, false).contains("too many values"));
}

#[test]
fn warnings_leave_a_policy_good() {
    let text = GOOD.replace(
        "{\"id\": \"own\"",
        "{\"id\": \"all\", \"allow\": [\"*\"]},\n    {\"id\": \"own\"",
    );
    let printed = check(&text, true);
    assert_lines(
        &printed,
        &["warning: standard input:7:5: $.rules.org[2]: ... org/all before it already matches"],
    );
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(&log, "web /corp.example/lib/@v/list\n").unwrap();
    let output = modgate(
        &["check", "--json", "--log", log.to_str().unwrap(), "-"],
        GOOD,
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = said[0]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{said}");
    assert_eq!(warnings[0]["path"], "$.rules.org[0].deny[0]");
    assert_eq!(
        (&warnings[0]["line"], &warnings[0]["column"]),
        (&5.into(), &28.into())
    );
}

#[test]
fn every_policy_that_is_shown_is_good() {
    let mut shown = 0;
    for page in [
        "docs/start/tutorial.md",
        "docs/start/first-policy.md",
        "docs/reference/policy.md",
    ] {
        let text = std::fs::read_to_string(example(page)).unwrap();
        for block in text.split("```json\n").skip(1) {
            let block = block.split("```").next().unwrap();
            if block.contains("\"routes\"") && block.starts_with('{') {
                check(block, true);
                shown += 1;
            }
        }
    }
    assert!(shown >= 4);
    for name in ["demo", "envoy", "split"] {
        let file = format!("examples/{name}/policy.json");
        check(&std::fs::read_to_string(example(&file)).unwrap(), true);
    }
}

fn explain(arguments: &[&str]) -> Value {
    let all = [&["explain", "--json", "--policy", "-"], arguments].concat();
    let output = modgate(&all, GOOD);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn explain_says_who_decided_and_what_goes_upstream() {
    let reported = explain(&["--tenant", "web", "corp.example/Lib@v1.0.0"]);
    let rules = &reported[0]["rules"];
    assert_eq!(rules[0]["patterns"][0]["why"], "\"Lib\" is not \"secret\"");
    assert_eq!(
        (&rules[1]["rule"], &rules[1]["matches"]),
        (&"org/own".into(), &true.into())
    );
    let requests = reported[0]["requests"].as_array().unwrap();
    let operations: Vec<_> = requests
        .iter()
        .map(|r| r["operation"].as_str().unwrap())
        .collect();
    assert_eq!(operations, ["list", "info", "mod", "zip"]);
    assert_eq!(
        requests[3]["upstream"],
        "/proxy/corp.example/%21lib/@v/v1.0.0.zip"
    );
    assert_eq!(
        (&requests[3]["backend"], &requests[3]["cluster"]),
        (&"main".into(), &"athens".into())
    );

    let hidden = explain(&["--tenant", "web", "corp.example/secret@latest"]);
    let request = &hidden[0]["requests"][0];
    assert_eq!(
        (&request["decision"], &request["status"]),
        (&"hide".into(), &404.into())
    );
    assert_eq!(request["rule"], "org/bad");
    // Above the module that may be had, go is sent on; its files are refused.
    let above = explain(&["--tenant", "web", "github.com/x@v1.0.0"]);
    assert_eq!(above[0]["requests"][3]["decision"], "deny");
    assert_eq!(above[0]["requests"][3]["rule"], "default");
}

#[test]
fn explain_says_which_source_named_the_tenant() {
    let fact = "connection.uri_san_peer_certificate=spiffe://corp/ns/web";
    let reported = explain(&["--fact", fact, "corp.example/lib@list"]);
    assert_eq!(
        (&reported[0]["tenant"], &reported[0]["identity"]),
        (&"web".into(), &"mtls_uri_san".into())
    );
    let reported = explain(&["--path-prefix", "/t/web", "corp.example/lib@list"]);
    assert_eq!(
        (&reported[0]["tenant"], &reported[0]["identity"]),
        (&"web".into(), &"path_prefix".into())
    );
    let reported = explain(&[
        "--path-prefix",
        "/t/ops",
        "--fact",
        fact,
        "corp.example/lib@list",
    ]);
    let request = &reported[0]["requests"][0];
    assert_eq!(
        (&request["status"], &request["rule"]),
        (&403.into(), &"identity".into())
    );
    // Without anybody, everybody.
    let reported = explain(&["corp.example/lib"]);
    let tenants: Vec<_> = reported
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["tenant"])
        .collect();
    assert_eq!(tenants, ["*", "web"]);
    let output = modgate(&["explain", "--policy", "-", "corp.example/lib"], GOOD);
    assert!(
        stdout(&output).contains("list allow  latest allow  by org/own"),
        "{}",
        stdout(&output)
    );
    assert!(!stdout(&output).contains('\u{1b}'));
    let wrong = modgate(&["explain", "--policy", "-", "lib@v1"], GOOD);
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn tests_of_a_policy_are_run() {
    let demo = std::fs::read_to_string(example("examples/demo/policy.json")).unwrap();
    let output = modgate(&["test", "-"], &demo);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains("4 passed, 0 failed"));
    let changed = demo.replace(
        "\"deny\": [\"example.org/w0rds\"]",
        "\"deny\": [\"example.org/wOrds\"]",
    );
    let output = modgate(&["test", "-"], &changed);
    assert_eq!(output.status.code(), Some(1));
    assert_lines(
        &stdout(&output),
        &[
            "$.tests[1] ... a typosquat is refused",
            "expected deny ... got allow by org/public",
            "3 passed ... 1 failed",
        ],
    );
    let none = modgate(&["test", "-"], GOOD);
    assert_eq!(none.status.code(), Some(1));
}
