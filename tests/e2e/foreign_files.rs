//! What other tools write, as people who have it meet it: on both hosts, with real go.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::pki::{Authority, Holder, Identity};
use modgate_harness::ports::free_port;
use modgate_harness::process::{Process, accepts};
use modgate_harness::tools::{dist, root};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

fn policy(more: Value) -> Value {
    let mut policy = json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}},
        "rules": {"org": [{"id": "all", "allow": ["*"]}]},
        "backends": {"main": {"cluster": "backend"}},
        "routes": [{"id": "all", "backend": "main"}],
    });
    for (key, value) in more.as_object().unwrap() {
        policy[key] = value.clone();
    }
    policy
}

/// The zips of `tests/zips`, but the one that cannot be read as it streams.
fn zips() -> Vec<PathBuf> {
    let folder = root().join("tests/zips");
    let files = std::fs::read_dir(folder).unwrap();
    let mut zips: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    zips.retain(|zip| !zip.ends_with("python-streamed-stored.zip"));
    zips.sort();
    zips
}

#[test]
fn go_gets_what_other_tools_have_zipped_with_the_hash_that_its_go_sum_has() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &[Module::new("example.com/m", "v1.0.0")]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    let served = dir.path().join("example.com/m/@v/v1.0.0.zip");
    let module = "example.com/m@v1.0.0";
    // One that is pinned has the hash that go itself computed without the filter.
    let mut pins = Vec::new();
    for zip in zips() {
        std::fs::copy(&zip, &served).unwrap();
        let go = Go::new(format!("http://{}", server.address()), Sumdb::Off);
        let said = go.run(&["mod", "download", "-json", module]);
        let said: Value = serde_json::from_str(said.expect_ok()).unwrap();
        let sum = said["Sum"].as_str().unwrap().to_owned();
        pins.push((zip, format!("example.com/m v1.0.0 {sum}")));
    }
    let mut hashes: Vec<&String> = pins.iter().map(|(_, pin)| pin).collect();
    hashes.sort();
    hashes.dedup();
    assert!(hashes.len() > 1, "folders are part of a hash");
    for pin in hashes {
        let integrity = json!({"mode": "enforce", "pins": [pin], "on_unknown": "allow"});
        for host in Host::both(&policy(json!({"integrity": integrity})), server.address()) {
            for (zip, sum) in &pins {
                std::fs::copy(zip, &served).unwrap();
                let go = host.go("web");
                let said = go.run(&["mod", "download", module]);
                assert_eq!(said.ok(), sum == pin, "{}: {said:?}", zip.display());
            }
        }
    }
}

#[test]
fn a_time_that_means_unknown_passes_no_cooldown() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &[Module::new("corp.example/lib", "v1.0.0")]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    let rules = json!({"org": [{"id": "quarantine", "allow": ["*"], "min_age": "7d"}]});
    let info = dir.path().join("corp.example/lib/@v/v1.0.0.info");
    let rows = [
        ("2024-01-02T03:04:05Z", true),
        ("2009-11-10T23:00:00Z", true),
        ("0001-01-01T00:00:00Z", false),
        ("1970-01-01T00:00:00Z", false),
        ("1979-11-30T00:00:00Z", false),
        ("1980-01-01T00:00:00Z", false),
    ];
    table_rows::check(rows, |(time, passes)| {
        // Ages are remembered by each host.
        std::fs::write(
            &info,
            json!({"Version": "v1.0.0", "Time": time}).to_string(),
        )
        .unwrap();
        for host in Host::both(&policy(json!({"rules": rules})), server.address()) {
            let answer = host.get("/t/web/corp.example/lib/@v/v1.0.0.zip");
            let status = if passes { 200 } else { 403 };
            assert_eq!(answer.status, status, "{time}: {}", answer.body);
            if !passes {
                assert!(answer.body.contains("age: unknown"), "{}", answer.body);
            }
            let list = host.get("/t/web/corp.example/lib/@v/list");
            assert_eq!(list.body.contains("v1.0.0"), passes, "{time}");
            let said = host
                .go("web")
                .run(&["mod", "download", "corp.example/lib@v1.0.0"]);
            assert_eq!(said.ok(), passes, "{time}: {said:?}");
        }
    });
}

#[test]
fn a_policy_in_yaml_or_a_config_map_is_served_and_a_bad_one_keeps_the_last() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &[Module::new("corp.example/lib", "v1.0.0")]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    // By its name it need not be JSON.
    let file = dir.path().join("policy.yaml");
    std::fs::write(&file, policy(json!({})).to_string()).unwrap();
    let (port, admin) = (free_port(), free_port());
    let mut command = Command::new(dist("modgate"));
    command.arg("serve").arg("--policy").arg(&file);
    command.args([
        "--upstream",
        &format!("backend=http://{}", server.address()),
    ]);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--admin", &format!("127.0.0.1:{admin}")]);
    let mut serve = Process::start("modgate-serve", command, dir.path());
    serve.wait_until("ready", || accepts(admin));
    let list = "/t/web/corp.example/lib/@v/list";
    let deny = "version: '2'\ndefault: deny\nidentity: [{path_prefix: '/t/{tenant}'}]\n\
                tenants: {web: {rules: [org]}}\nrules:\n  org:\n  - {id: own, deny: [corp.example]}\n  \
                - {id: all, allow: ['*']}\nbackends: {main: {cluster: backend}}\n\
                routes: [{id: all, backend: main}]\n";
    let indented = deny
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect::<String>();
    let allow = policy(json!({})).to_string();
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  policy.yaml: |\n{indented}"
    );
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let status = |wanted: u16| {
        until(|| (http::get(address, list).status == wanted).then_some(()));
    };
    status(200);
    for text in [
        deny.to_owned(),
        format!("\u{feff}{deny}"),
        deny.replace('\n', "\r\n"),
        map,
    ] {
        std::fs::write(&file, &text).unwrap();
        status(403);
        std::fs::write(&file, format!("\u{feff}{allow}")).unwrap();
        status(200);
    }
    for (text, says) in [
        (
            deny.replace("default: deny", "default: dney"),
            ":2:1: $.default: ",
        ),
        (
            deny.replace("default: deny", "default: deny\ncontact: #go-platform"),
            "quote it",
        ),
        (format!("{deny}---\n{deny}"), "several policies"),
        (
            deny.replace("{web:", "{{ .Values.tenant }}:"),
            "helm template",
        ),
        (format!("{deny}\tx: y\n"), "is refused"),
        (String::new(), "no policy"),
    ] {
        let kept = |log: &str| log.matches("the last valid one stays active").count();
        let before = kept(&serve.log());
        std::fs::write(&file, &text).unwrap();
        let log = until(|| Some(serve.log()).filter(|log| kept(log) > before));
        let line = log.lines().rfind(|line| line.contains("stays active"));
        assert!(
            line.is_some_and(|line| line.contains(says)),
            "{says}: {line:?}"
        );
        assert_eq!(http::get(address, list).status, 200, "{text}");
    }
}

/// Waits for something, half a minute at most.
fn until<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An `https` server of one answer, for whoever trusts the authority.
fn tls_server(identity: &Identity) -> SocketAddr {
    let chain = CertificateDer::from_pem_slice(identity.chain.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, client);
                // Whoever does not trust it goes away.
                if head_of(&mut stream).is_some() {
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nv1.9.0\n";
                    _ = stream.write_all(answer.as_bytes());
                    stream.conn.send_close_notify();
                    _ = stream.flush();
                }
            });
        }
    });
    address
}

/// What a client sends before the first empty line.
fn head_of(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// A proxy that makes a tunnel to one server, wherever it is asked to lead; what it was asked.
fn tunnel(to: SocketAddr) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requested) = channel();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let head = head_of(&mut client).unwrap();
                let server = TcpStream::connect(to).unwrap();
                _ = sender.send(head);
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let (mut from, mut back) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (mut up, mut down) = (server, client);
                let there = std::thread::spawn(move || {
                    _ = std::io::copy(&mut from, &mut up);
                    _ = up.shutdown(Shutdown::Write);
                });
                _ = std::io::copy(&mut back, &mut down);
                _ = down.shutdown(Shutdown::Write);
                _ = there.join();
            });
        }
    });
    (address, requested)
}

#[test]
fn serve_reaches_an_upstream_through_the_environments_proxy_and_trusts_a_given_authority() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let identity = authority.issue(&Holder {
        names: &["goproxy.invalid"],
        ..Holder::default()
    });
    let (proxy, requested) = tunnel(tls_server(&identity));
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let file = dir.path().join("policy.json");
    std::fs::write(&file, policy(json!({})).to_string()).unwrap();
    for (arguments, status) in [
        (vec!["--ca-file", ca.to_str().unwrap()], 200),
        (vec![], 502),
    ] {
        let (address, admin) = (free_port(), free_port());
        let mut command = Command::new(dist("modgate"));
        command.arg("serve").arg("--policy").arg(&file);
        command.args(["--upstream", "backend=https://goproxy.invalid:8443"]);
        command.args(["--listen", &format!("127.0.0.1:{address}")]);
        command
            .args(["--admin", &format!("127.0.0.1:{admin}")])
            .args(&arguments);
        command.env("HTTPS_PROXY", format!("http://ann:s3cret@{proxy}"));
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        let mut process = Process::start("modgate-serve", command, dir.path());
        process.wait_until("ready", || accepts(admin));
        let at = SocketAddr::from(([127, 0, 0, 1], address));
        let answer = http::get(at, "/t/web/corp.example/lib/@v/list");
        assert_eq!(answer.status, status, "{arguments:?}: {}", answer.body);
        assert_eq!(answer.body == "v1.9.0\n", status == 200);
        let head = requested.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(
            head.starts_with("CONNECT goproxy.invalid:8443 HTTP/1.1"),
            "{head}"
        );
        let authorization = "proxy-authorization: basic yw5uonmzy3jlda==";
        assert!(head.to_ascii_lowercase().contains(authorization), "{head}");
        assert!(!process.log().contains("s3cret"));
    }
}
