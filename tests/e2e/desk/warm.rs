//! `modgate warm`: everything that a build will want is asked for, and what is wrong is told.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use modgate_goproxy::{Fault, Module, Server, Tree};
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::serve::Serve;
use modgate_harness::tools::root;
use serde_json::{Value, json};

const LIB: &str = "corp.example/Lib";

fn modules() -> [Module; 3] {
    let file = |name, version| Module::new(name, version).file("lib.go", "package lib\n");
    [
        file(LIB, "v1.0.0"),
        file(LIB, "v1.1.0"),
        file("corp.example/secret", "v1.0.0"),
    ]
}

fn proxy() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &modules()).unwrap();
    let server = Server::start(dir.path()).unwrap();
    (dir, server)
}

fn warm(proxy: &str, more: &[&str], input: &str) -> Output {
    let arguments = ["warm", "--proxy", proxy];
    modgate(arguments.iter().chain(more), input.as_bytes())
}

#[test]
fn a_list_is_requested_whole_and_each_file_once() {
    let (_dir, server) = proxy();
    let list = format!("{LIB}@v1.0.0\n# and\n{LIB}@v1.1.0\n{LIB}@v1.0.0\n");
    let done = warm(&server.url(), &["-"], &list);
    assert!(done.status.success(), "{}", stderr(&done));
    let said = stdout(&done);
    assert!(said.contains("2 versions, 6 files"), "{said}");
    assert!(said.contains("failures 0"), "{said}");
    let mut paths: Vec<String> = server.requests().into_iter().map(|r| r.path).collect();
    paths.sort();
    let mut wanted = Vec::new();
    for version in ["v1.0.0", "v1.1.0"] {
        for file in ["info", "mod", "zip"] {
            wanted.push(format!("/corp.example/%21lib/@v/{version}.{file}"));
        }
    }
    assert_eq!(paths, wanted);
}

/// A go.sum as real go writes it, for the modules.
fn go_sum(dir: &Path) -> String {
    let mut text = String::new();
    let cache = dir.join("corp.example/!lib/@v");
    for version in ["v1.0.0", "v1.1.0"] {
        let zip = cache.join(format!("{version}.zip"));
        let said = modgate(["h1".as_ref(), zip.as_os_str()], b"");
        assert!(said.status.success(), "{}", stderr(&said));
        let hash = stdout(&said);
        let hash = hash.split_whitespace().find(|word| word.starts_with("h1:"));
        text.push_str(&format!("{LIB} {version} {}\n", hash.unwrap()));
    }
    text
}

#[test]
fn what_is_not_as_go_sum_says_is_a_failure() {
    let (dir, server) = proxy();
    let sums = go_sum(dir.path());
    let done = warm(&server.url(), &["-"], &sums);
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    assert!(
        stdout(&done).contains("hashes compared 2"),
        "{}",
        stdout(&done)
    );

    let at = dir.path().join("corp.example/!lib/@v");
    std::fs::copy(at.join("v1.0.0.zip"), at.join("v1.1.0.zip")).unwrap();
    let done = warm(&server.url(), &["-"], &sums);
    assert_eq!(done.status.code(), Some(1));
    let said = stdout(&done);
    assert!(
        said.contains(&format!("failed: {LIB}@v1.1.0 .zip: ")),
        "{said}"
    );
    assert!(
        stderr(&done).contains("1 of 6 files failed"),
        "{}",
        stderr(&done)
    );
}

#[test]
fn a_zip_that_is_cut_and_a_proxy_that_fails_are_failures() {
    let (_dir, server) = proxy();
    let zip = "/corp.example/secret/@v/v1.0.0.zip";
    server.set_fault(zip, Fault::BreakOff { after: 40 });
    let list = format!("{LIB}@v1.9.0\ncorp.example/secret@v1.0.0\n");
    let done = warm(&server.url(), &["-", "--json"], &list);
    assert_eq!(done.status.code(), Some(1));
    let said: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap();
    let failures: Vec<(&str, &str)> = said
        .iter()
        .filter(|file| !file["failure"].is_null())
        .map(|file| {
            (
                file["file"].as_str().unwrap(),
                file["failure"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(failures.len(), 2, "{failures:?}");
    // Behind an .info that is not there nothing is asked for.
    assert_eq!(failures[0].0, "info");
    assert!(failures[0].1.starts_with("404 Not Found"), "{failures:?}");
    assert_eq!(failures[1].0, "zip");
    assert!(
        failures[1].1.starts_with("it arrived incomplete"),
        "{failures:?}"
    );
    let nobody = warm("http://127.0.0.1:1", &["-"], &list);
    assert!(
        stdout(&nobody).contains("the request failed"),
        "{}",
        stdout(&nobody)
    );
}

#[test]
fn a_denial_is_reported_in_the_filters_words() {
    let (_dir, server) = proxy();
    let policy = json!({
        "version": "1", "default": "allow", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"*": {"rules": ["r"]}},
        "rules": {"r": [{"id": "no", "deny": ["corp.example/secret"], "reason": "not yours"}]},
        "backends": {"b": {"cluster": "b"}}, "routes": [{"id": "all", "backend": "b"}],
    });
    let serve = Serve::start(&policy, &[("b", server.address())]);
    let url = format!("http://{}/t/ci", serve.address());
    let list = format!("corp.example/secret@v1.0.0\n{LIB}@v1.0.0\n");
    let done = warm(&url, &["-"], &list);
    assert_eq!(done.status.code(), Some(1));
    let said = stdout(&done);
    assert!(
        said.contains("failed: corp.example/secret@v1.0.0 "),
        "{said}"
    );
    assert!(said.contains("denied corp.example/secret"), "{said}");
    assert!(said.contains("failures 1;"), "{said}");
}

#[test]
fn a_tag_that_was_just_pushed_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    Tree::write(dir.path(), &modules()[..1]).unwrap();
    let server = Server::start(dir.path()).unwrap();
    let tag = ["--module", LIB, "--version", "v1.1.0"];
    let at_once = warm(&server.url(), &tag, "");
    assert_eq!(at_once.status.code(), Some(1));
    let (path, url) = (dir.path().to_owned(), server.url());
    let pushed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        Tree::write(&path, &modules()).unwrap();
    });
    let done = warm(&url, &[&tag[..], &["--wait", "60s"]].concat(), "");
    pushed.join().unwrap();
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
}

#[test]
fn a_token_comes_from_a_file_and_is_shown_to_nobody() {
    let (dir, server) = proxy();
    let token = dir.path().join("token");
    std::fs::write(&token, "Bearer s3cret\n").unwrap();
    let header = format!("authorization={}", token.display());
    let list = format!("{LIB}@v1.0.0\n{LIB}@v1.9.9\n");
    let done = warm(&server.url(), &["-", "--header-file", &header], &list);
    let requests = server.requests();
    assert!(!requests.is_empty());
    assert!(
        requests
            .iter()
            .all(|r| r.headers["authorization"] == "Bearer s3cret")
    );
    let said = stdout(&done) + &stderr(&done);
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn nothing_is_requested_before_everything_was_read() {
    let (_dir, server) = proxy();
    for (more, input, says) in [
        (
            &["-"][..],
            "corp.example/Lib@v1.0.0\ncorp.example/Lib\n",
            "standard input: line 2: ",
        ),
        (&["-"], "", "there is nothing to fetch"),
        (
            &["--module", LIB, "--version", "v1"],
            "",
            "a whole version, such as v1.2.3",
        ),
        (&["/does/not/exist"], "", "/does/not/exist: "),
    ] {
        let done = warm(&server.url(), more, input);
        assert_eq!(done.status.code(), Some(1), "{more:?}");
        assert!(stderr(&done).contains(says), "{}", stderr(&done));
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_ci_example_runs_it_on_a_pushed_tag() {
    let file = root().join("examples/ci/warm.github.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let workflow: Value = plain_yaml::from_str(&text).unwrap();
    assert_eq!(workflow["on"]["push"]["tags"], json!(["v*.*.*"]));
    let steps = workflow["jobs"]["warm"]["steps"].as_array().unwrap();
    let run = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
    let words: Vec<&str> = run
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    // The same words, with a proxy that is there.
    let (_dir, server) = proxy();
    let url = server.url();
    let words = words.iter().map(|word| match word.trim_matches('"') {
        "$GOPROXY_URL" => url.as_str(),
        "$MODULE" => LIB,
        "$GITHUB_REF_NAME" => "v1.1.0",
        word => word,
    });
    let done = modgate(words.skip(1), b"");
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
}

/// A proxy for `http` that forwards to one server whatever it is asked for, and keeps what it was asked.
fn forward_proxy(to: std::net::SocketAddr) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), sender) = (client, sender.clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let (line, _) = head.split_once("\r\n").unwrap();
                let url = line.split(' ').nth(1).unwrap_or_default();
                let path = url.splitn(4, '/').nth(3).unwrap_or_default();
                let mut server = std::net::TcpStream::connect(to).unwrap();
                let request =
                    format!("GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
                server.write_all(request.as_bytes()).unwrap();
                _ = sender.send(head);
                let mut answer = Vec::new();
                _ = server.read_to_end(&mut answer);
                _ = client.write_all(&answer);
            });
        }
    });
    (address.to_string(), heads)
}

#[test]
fn the_environments_proxy_is_used_except_for_what_it_leaves_out() {
    let (_dir, server) = proxy();
    let (address, heads) = forward_proxy(server.address());
    let run = |no_proxy: &str| {
        let mut command = std::process::Command::new(modgate_harness::tools::dist("modgate"));
        command.args([
            "warm",
            "--proxy",
            "http://goproxy.invalid/base",
            "--module",
            LIB,
        ]);
        command.args(["--version", "v1.0.0"]);
        command.env("HTTP_PROXY", format!("http://ann:s3cret@{address}"));
        command.env("NO_PROXY", no_proxy).output().unwrap()
    };
    // The tree has no such folder, so the proxy's server says 404: it was asked.
    let requested = run("corp.example");
    let said = stdout(&requested);
    assert!(said.contains("404"), "{said}{}", stderr(&requested));
    assert!(!said.contains("s3cret") && !stderr(&requested).contains("s3cret"));
    let head = heads.recv().unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("get http://goproxy.invalid/base/corp.example/%21lib/"),
        "{head}"
    );
    assert!(
        head.contains("proxy-authorization: basic yw5uonmzy3jlda=="),
        "{head}"
    );
    let left_out = run("goproxy.invalid");
    assert!(
        stdout(&left_out).contains("the request failed"),
        "{}",
        stdout(&left_out)
    );
    assert!(heads.try_recv().is_err());
}
