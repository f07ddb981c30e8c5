//! Policies as other tools carry and write them.

use super::{GOOD, assert_lines, check};

fn indented(text: &str, by: usize) -> String {
    let lines = text.lines();
    lines
        .map(|line| format!("{}{line}\n", " ".repeat(by)))
        .collect()
}

/// A filter's configuration in an EnvoyFilter, in a `TypedStruct` of this package or in none.
fn envoy_filter(package: Option<&str>, policy: &str) -> String {
    let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
    let config = |by: usize| {
        let head = indented(
            "config:\n  root_id: modgate\n  configuration:\n    \"@type\": type.googleapis.com/google.protobuf.StringValue\n    value: |",
            by,
        );
        head + &indented(policy, by + 6)
    };
    let typed = match package {
        Some(package) => format!(
            "\"@type\": type.googleapis.com/{package}.TypedStruct\n          type_url: {wasm}\n          value:\n{}",
            config(12)
        ),
        None => format!("\"@type\": {wasm}\n{}", config(10)),
    };
    format!(
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: modgate}}\nspec:\n  \
         configPatches:\n  - applyTo: HTTP_FILTER\n    patch:\n      operation: INSERT_BEFORE\n      value:\n        \
         name: modgate\n        typed_config:\n          {typed}"
    )
}

fn config_map(key: &str, file: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: modgate}}\ndata:\n  other: x\n  {key}: |\n{}",
        indented(file, 4)
    )
}

#[test]
fn a_policy_is_found_in_a_typed_struct_and_in_a_config_map_with_its_places() {
    let bad = GOOD.replace("\"cluster\"", "\"clutser\"");
    let yaml = "version: '1'\ndefault: deny\ntenants: {web: {rules: [org]}}\nrules: {org: [{id: all, allow: ['*']}]}\n\
                backends: {main: {cluster: athens}}\nroutes: [{id: all, backend: main}]\n";
    for carried in [
        envoy_filter(None, &bad),
        envoy_filter(Some("udpa.type.v1"), &bad),
        envoy_filter(Some("xds.type.v3"), &bad),
        config_map("policy.json", &bad),
        // A string in a string.
        config_map("envoy.yaml", &envoy_filter(None, &bad)),
    ] {
        let printed = check(&carried, false);
        let line = carried
            .lines()
            .position(|line| line.contains("clutser"))
            .unwrap()
            + 1;
        let place = format!("standard input:{line}:");
        assert_lines(
            &printed,
            &[&format!("{place} ... did you mean \"cluster\"?")],
        );
        let good = carried.replace("clutser", "cluster");
        assert!(check(&good, true).contains(": ok"), "{good}");
    }
    assert!(check(&config_map("policy.yaml", yaml), true).contains("of the ConfigMap"));
    let printed = check(
        &config_map("policy.yaml", &yaml.replace("deny", "dney")),
        false,
    );
    assert_lines(&printed, &["standard input:8: ... $.default"]);
    let printed = check(
        &config_map("policy.json", "{\n  \"version\": \"1\",\n}"),
        false,
    );
    assert_lines(&printed, &["standard input:9: ... must be JSON"]);
    // Of other strings nothing is said.
    assert!(check(&config_map("notes", "hello: world"), false).contains("no policy"));
}

#[test]
fn what_yaml_takes_for_something_else_is_reported_with_its_line() {
    let yaml = "version: '1'\ndefault: deny\ncontact: '#go'\ntenants: {web: {rules: [org]}}\nrules:\n  org:\n  \
                - id: own\n    deny: [corp.example/secret]\n    reason: ask the owners # them\n  \
                - {id: all, allow: ['*']}\nbackends: {main: {cluster: athens}}\nroutes: [{id: all, backend: main}]\n";
    let plain = check(yaml, true);
    assert!(
        !plain.contains("quote") && !plain.contains("ends before"),
        "{plain}"
    );
    let rows = [
        (
            "'#go'",
            "#go",
            false,
            "standard input:3:1: $.contact: ... quote it: \"#go\"",
        ),
        (
            "the owners # them",
            "in #go-owners",
            true,
            "standard input:9:13: $.rules.org[0].reason: ... ends before #go-owners",
        ),
        (
            "default: deny",
            "default: deny\ndefault: allow",
            false,
            "standard input:3:1: $.default: ... already defined at line 2",
        ),
        (
            "version: '1'",
            "version: yes",
            false,
            "standard input:1:1: $.version: ... quote it",
        ),
        (
            "'1'",
            "{{ .Values.version }}",
            false,
            "standard input:1: ... helm template",
        ),
        (
            "    reason: ask",
            "\treason: ask",
            false,
            "standard input:9:2: ... tabs",
        ),
        (
            "[corp.example/secret]",
            "[corp.example/secret]\n    versions: >=1.2.0",
            false,
            "standard input:9: ... quote a value",
        ),
    ];
    table_rows::check(rows, |(from, to, good, says)| {
        let changed = yaml.replace(from, to);
        assert_ne!(changed, yaml);
        for text in [
            changed.clone(),
            format!("\u{feff}{changed}"),
            changed.replace('\n', "\r\n"),
        ] {
            assert_lines(&check(&text, good), &[says]);
        }
    });
}
