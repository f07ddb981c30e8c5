//! `make envoy` as a person would run it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use modgate_harness::tools::root;
use serde_json::Value;

/// What stands in for Grafana: it keeps what it was started with, and answers that it is well.
const STAND_IN: &str = r#"#!/usr/bin/env python3
import http.server, json, os, sys

with open(os.environ["SEEN"], "w") as seen:
    json.dump({"arguments": sys.argv[1:], "environment": dict(os.environ)}, seen)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

at = (os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"]))
http.server.HTTPServer(at, Health).serve_forever()
"#;

/// The one YAML file of a folder of the provisioning, with what Grafana puts in from the environment.
fn provisioned(seen: &Value, folder: &str) -> Value {
    let provisioning = seen["environment"]["GF_PATHS_PROVISIONING"]
        .as_str()
        .unwrap();
    let file = Path::new(provisioning).join(folder).join("modgate.yaml");
    let mut text = std::fs::read_to_string(file).unwrap();
    for name in ["MODGATE_PROMETHEUS", "MODGATE_DASHBOARDS"] {
        let value = seen["environment"][name].as_str().unwrap();
        text = text.replace(&format!("${{{name}}}"), value);
    }
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let with_variable = lines.filter(|line| line.contains("${")).count();
    assert_eq!(with_variable, 0, "{text}");
    plain_yaml::from_str(&text).unwrap()
}

#[test]
fn make_envoy_starts_everything_and_shows_it_in_prometheus() {
    let dir = tempfile::tempdir().unwrap();
    let grafana = dir.path().join("grafana");
    std::fs::write(&grafana, STAND_IN).unwrap();
    std::fs::set_permissions(&grafana, PermissionsExt::from_mode(0o755)).unwrap();
    let seen = dir.path().join("seen.json");
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_envoy-stack"))
        .arg("--check")
        .current_dir(root())
        .env("PATH", format!("{}:{path}", dir.path().display()))
        .env("SEEN", &seen)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("All of it works"), "{said}");

    // A Grafana that is on PATH comes up with the data source and the dashboards.
    let seen: Value = serde_json::from_str(&std::fs::read_to_string(seen).unwrap()).unwrap();
    assert_eq!(seen["arguments"][0], "server");
    let port = seen["environment"]["GF_SERVER_HTTP_PORT"].as_str().unwrap();
    let url = format!("Grafana    http://127.0.0.1:{port}/d/modgate-overview");
    assert!(said.contains(&url), "{said}");
    let source = &provisioned(&seen, "datasources")["datasources"][0];
    assert_eq!(source["type"], "prometheus");
    assert_eq!(source["url"], seen["environment"]["MODGATE_PROMETHEUS"]);
    let provider = &provisioned(&seen, "dashboards")["providers"][0];
    assert_eq!(provider["type"], "file");
    let folder = Path::new(provider["options"]["path"].as_str().unwrap());
    assert!(folder.join("modgate-overview.json").is_file(), "{provider}");
}
