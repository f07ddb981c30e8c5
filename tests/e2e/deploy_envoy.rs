//! `modgate deploy --target envoy`: real Envoy starts with what it writes, and takes up what it writes again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::http;
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::ports::free_port;
use modgate_harness::process::Process;
use modgate_harness::tools::{dist, tool};
use serde_json::{Value, json};

const LIST: &str = "/t/web/example.org/words/@v/list";

fn policy(version: &str, denied: &str) -> Value {
    json!({
        "version": version, "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "no", "deny": [denied], "reason": "für alle: nein"},
            {"id": "ok", "allow": ["*"]},
        ]},
        "backends": {"first": {"cluster": "first"}},
        "routes": [{"id": "all", "backend": "first"}],
    })
}

struct Files {
    server: Server,
    _dir: tempfile::TempDir,
}

impl Files {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let words =
            Module::new("example.org/words", "v0.1.0").file("go.mod", "module example.org/words\n");
        let server = Server::start(Tree::write(dir.path(), &[words]).unwrap().root()).unwrap();
        Self { server, _dir: dir }
    }

    fn cluster(&self, name: &str) -> String {
        format!("{name}={}", self.server.url())
    }
}

fn deploy(policy: &Value, out: &Path, arguments: &[&str]) -> Output {
    let (out, wasm) = (out.to_string_lossy(), dist("modgate.wasm"));
    let wasm = wasm.to_string_lossy();
    let fixed = [
        "deploy", "-", "--target", "envoy", "--out", &out, "--module", &wasm,
    ];
    modgate(fixed.iter().chain(arguments), policy.to_string().as_bytes())
}

/// Envoy with the written bootstrap; only its admin interface is elsewhere, since other Envoys run here.
fn envoy(out: &Path, port: u16) -> Process {
    let file = out.join("envoy.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("port_value: 9901", &format!("port_value: {}", free_port()));
    let here = out.join("here.yaml");
    std::fs::write(&here, text).unwrap();
    let mut command = Command::new(tool("envoy"));
    command
        .arg("-c")
        .arg(&here)
        .args(["--disable-hot-restart", "--concurrency", "2"])
        .current_dir(out);
    let mut process = Process::start("envoy", command, out);
    process.wait_until("answering", || {
        http::try_get(address(port), LIST).filter(|answer| answer.status < 500)
    });
    process
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn checked(out: &Path) {
    let files = ["envoy.yaml", "modgate.yaml"].map(|name| out.join(name).display().to_string());
    let said = modgate(["check", "--envoy", &files[0], "--envoy", &files[1]], b"");
    let text = [stdout(&said), stderr(&said)].concat();
    assert!(
        said.status.success() && !text.contains("warning: "),
        "{text}"
    );
}

#[test]
fn envoy_runs_what_is_written_and_takes_up_what_is_written_again() {
    let (files, port) = (Files::start(), free_port());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("envoy");
    let (cluster, listen) = (files.cluster("first"), port.to_string());
    let arguments = ["--cluster", &cluster, "--listen", &listen];
    let wrote = deploy(&policy("1", "example.org/bad"), &out, &arguments);
    assert!(wrote.status.success(), "{}", stderr(&wrote));
    checked(&out);
    let before = std::fs::read(out.join("envoy.yaml")).unwrap();
    let mut envoy = envoy(&out, port);
    assert_eq!(http::get(address(port), LIST).status, 200);
    let denied = http::get(address(port), "/t/web/example.org/bad/@v/list");
    assert_eq!(denied.status, 403);
    assert!(denied.body.contains("für alle: nein"), "{}", denied.body);

    assert!(
        deploy(&policy("2", "example.org/words"), &out, &arguments)
            .status
            .success()
    );
    assert_eq!(
        std::fs::read(out.join("envoy.yaml")).unwrap(),
        before,
        "the same input, other bytes"
    );
    envoy.wait_until("denying", || {
        http::try_get(address(port), LIST).filter(|answer| answer.status == 403)
    });
}

#[test]
fn a_failed_request_goes_on_to_the_next_backend_with_its_secret() {
    let (first, second, port) = (Files::start(), Files::start(), free_port());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("envoy");
    let secret = dir.path().join("token");
    std::fs::write(&secret, "Bearer of-the-backends").unwrap();
    let mut policy = policy("1", "example.org/bad");
    let headers = json!({"authorization": {"secret": "token"}});
    policy["backends"] = json!({
        "first": {"cluster": "first", "headers": headers},
        "second": {"cluster": "second", "headers": headers},
    });
    policy["routes"] =
        json!([{"id": "all", "backends": {"first": 100, "second": 0}, "on_failure": "next"}]);
    let (clusters, listen) = (
        [first.cluster("first"), second.cluster("second")],
        port.to_string(),
    );
    let secret = format!("token={}", secret.display());
    let mut arguments = vec![
        "--cluster",
        &clusters[0],
        "--cluster",
        &clusters[1],
        "--listen",
        &listen,
    ];
    let without = deploy(&policy, &out, &arguments);
    assert!(
        stderr(&without).contains("$.backends.first.headers.authorization: nothing says"),
        "{}",
        stderr(&without)
    );
    assert!(!out.exists());
    arguments.extend(["--secret", &secret]);
    let wrote = deploy(&policy, &out, &arguments);
    assert!(wrote.status.success(), "{}", stderr(&wrote));
    checked(&out);
    let envoy = envoy(&out, port);
    first.server.set_fault(
        "/example.org/words/@v/list",
        Fault::Status(http_status::StatusCode::SERVICE_UNAVAILABLE),
    );
    second.server.forget_requests();
    assert_eq!(
        http::get(address(port), LIST).status,
        200,
        "{}",
        envoy.log()
    );
    let request = format!("{:?}", second.server.requests());
    assert!(request.contains("Bearer of-the-backends"), "{request}");
    for name in ["envoy.yaml", "modgate.yaml"] {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(!text.contains("Bearer"), "{name} has a secret");
    }
}

#[test]
fn what_the_written_listener_lacks_is_refused_at_its_place() {
    type Change = fn(&mut Value);
    let rows: [(&str, &[&str], Change, &str); 8] = [
        (
            "certificates",
            &[],
            |p| p["identity"][0] = json!({"mtls_uri_san": "spiffe://corp/{tenant}"}),
            "$.identity[0].mtls_uri_san: the listener that is written has no TLS",
        ),
        (
            "tokens",
            &[],
            |p| p["identity"][0] = json!({"jwt_claim": "tenant", "payload": "p"}),
            "$.identity[0].jwt_claim: the listener",
        ),
        (
            "a server name",
            &[],
            |p| p["identity"][0] = json!({"sni": "{tenant}.corp.example"}),
            "$.identity[0].sni: the listener",
        ),
        (
            "a route key",
            &[],
            |p| p["route_key"] = json!("0123456789abcdef0123456789abcdef"),
            "$.route_key: Envoy's own routes",
        ),
        (
            "another cluster",
            &[],
            |p| p["backends"]["first"]["cluster"] = json!("second"),
            "$.backends.first.cluster: nothing says where",
        ),
        (
            "an option of Istio",
            &["--namespace", "tools"],
            |_| {},
            "for --target istio or envoy-gateway",
        ),
        (
            "a key's option",
            &["--rotate-key"],
            |_| {},
            "for --target istio or envoy-gateway",
        ),
        ("a bad policy", &[], |p| p["routes"] = json!(1), "$.routes"),
    ];
    table_rows::check(rows, |(_, arguments, change, expected)| {
        let mut policy = policy("1", "example.org/bad");
        change(&mut policy);
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("envoy");
        let all = [&["--cluster", "first=http://127.0.0.1:3000"], arguments].concat();
        let said = deploy(&policy, &out, &all);
        assert_eq!(said.status.code(), Some(1), "{}", stderr(&said));
        assert!(stderr(&said).contains(expected), "{}", stderr(&said));
        assert!(!out.exists(), "something was written");
    });
}
