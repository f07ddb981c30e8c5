//! The server as clients see it: raw requests, and the real `go` command.

use super::super::{Go, Module, Sandbox, Tree, samples};
use super::*;
use http::StatusCode;
use std::io::{Read, Write};
use std::net::TcpStream;

fn served(modules: &[Module]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let tree = Tree::write(folder.path(), modules).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (folder, server)
}

/// The whole answer to one request, as it stands on the wire.
fn exchange(server: &Server, request_line: &str) -> String {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    write!(
        socket,
        "{request_line} HTTP/1.1\r\nhost: goproxy\r\nx-tried: yes\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    // A connection that is cut in the middle may end in an error; what came counts.
    _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn lib() -> Module {
    Module::new("corp.example/Lib", "v1.2.0").file("lib.go", "package lib\n")
}

#[test]
fn a_file_comes_with_its_length_type_and_time() {
    let (_folder, server) = served(&[lib()]);
    let answer = exchange(&server, "GET /corp.example/%21lib/@v/list");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-length: 7\r\n"), "{answer}");
    assert!(
        answer.contains("last-modified: Mon, 01 Jan 2024 12:00:00 GMT\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("etag: \"17a637614a0c8000-7\"\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nv1.2.0\n"), "{answer}");
    let info = exchange(&server, "GET /corp.example/!lib/@v/v1.2.0.info?x=1");
    assert!(info.contains("content-type: application/json"), "{info}");
}

#[test]
fn what_is_missing_is_a_404_that_go_can_print() {
    let (_folder, server) = served(&[lib()]);
    for path in ["/corp.example/Lib/@v/list", "/corp.example/!lib/@v", "/"] {
        let answer = exchange(&server, &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nNot Found\n"), "{answer}");
    }
}

#[test]
fn head_has_the_headers_of_get_and_other_methods_are_refused() {
    let (_folder, server) = served(&[lib()]);
    let head = exchange(&server, "HEAD /corp.example/!lib/@v/list");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-length: 7\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let post = exchange(&server, "POST /corp.example/!lib/@v/list");
    assert!(post.starts_with("HTTP/1.1 405"), "{post}");
    assert!(post.contains("allow: GET, HEAD\r\n"), "{post}");
}

#[test]
fn requests_are_recorded_as_they_came() {
    let (_folder, server) = served(&[lib()]);
    exchange(&server, "GET /corp.example/%21lib/%40v/list?a=%62");
    exchange(&server, "HEAD /..%2fsecret");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].path, "/corp.example/%21lib/%40v/list?a=%62");
    assert_eq!(requests[0].headers["x-tried"], "yes");
    assert_eq!(requests[1].method, http::Method::HEAD);
    assert_eq!(requests[1].path, "/..%2fsecret");
    server.forget_requests();
    assert!(server.requests().is_empty());
}

#[test]
fn faults_hold_for_their_path_until_they_are_cleared() {
    let (_folder, server) = served(&[lib()]);
    let list = "GET /corp.example/%21lib/@v/list";
    let status = StatusCode::SERVICE_UNAVAILABLE;
    server.set_fault("/corp.example/!lib/@v/list", Fault::Status(status));
    assert!(exchange(&server, list).starts_with("HTTP/1.1 503"));
    let info = exchange(&server, "GET /corp.example/%21lib/@v/v1.2.0.info");
    assert!(info.starts_with("HTTP/1.1 200"), "{info}");

    let cut = Fault::BreakOff { after: 3 };
    server.set_fault("/corp.example/!lib/@v/list", cut);
    let broken = exchange(&server, list);
    assert!(broken.contains("content-length: 7\r\n"), "{broken}");
    assert!(broken.ends_with("\r\n\r\nv1."), "{broken}");

    server.clear_faults();
    assert!(exchange(&server, list).ends_with("v1.2.0\n"));
}

#[test]
fn a_large_file_comes_whole() {
    let folder = tempfile::tempdir().unwrap();
    let content = "0123456789abcdef".repeat(20_000);
    std::fs::write(folder.path().join("large"), &content).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let answer = exchange(&server, "GET /large");
    assert!(answer.ends_with(&format!("\r\n\r\n{content}")));
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    // More than a client that does not read lets through.
    std::fs::write(&file, vec![b'x'; 64 << 20]).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let mut socket = TcpStream::connect(server.address()).unwrap();
    write!(socket, "GET /large HTTP/1.1\r\nhost: goproxy\r\n\r\n").unwrap();
    let mut start = [0; 512];
    socket.read_exact(&mut start).unwrap();
    std::fs::write(&file, "x").unwrap();
    let mut rest = Vec::new();
    _ = socket.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20, "{} bytes came", rest.len());
}

#[test]
fn a_dropped_server_stops_and_a_missing_folder_is_reported() {
    let (folder, server) = served(&[lib()]);
    let address = server.address();
    // It does not wait for a client that keeps its connection.
    let _idle = TcpStream::connect(address).unwrap();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    let error = Server::start(folder.path().join("none")).unwrap_err();
    assert!(error.to_string().starts_with("cannot serve "), "{error}");
}

#[test]
fn go_gets_the_samples_and_they_build() {
    let folder = tempfile::tempdir().unwrap();
    let all = [samples::public(), samples::private()].concat();
    let tree = Tree::write(folder.path(), &all).unwrap();
    let server = Server::start(tree.root()).unwrap();
    let go = Sandbox::new(&Go::find().unwrap(), server.url()).unwrap();

    let listed = go
        .run(&["list", "-m", "-versions", "example.org/words"])
        .unwrap();
    assert_eq!(
        listed.stdout, "example.org/words v0.1.0 v0.2.0 v0.3.0 v0.4.0-beta.1\n",
        "{}",
        listed.stderr
    );

    go.write(
        "app.go",
        "package app\n\nimport (\n\t_ \"corp.example/ledger\"\n\t_ \"corp.example/ledger/audit\"\n\
         \t_ \"example.org/clock\"\n\t_ \"example.org/words/v2/plural\"\n\
         \t_ \"hosting.example/BurntToast/Slices\"\n)\n",
    )
    .unwrap();
    let got = go.run(&["get", "./..."]).unwrap();
    assert!(got.ok, "{}", got.stderr);
    let built = go.run(&["build", "./..."]).unwrap();
    assert!(built.ok, "{}", built.stderr);
    let go_mod = std::fs::read_to_string(go.module().join("go.mod")).unwrap();
    for line in [
        "corp.example/ledger v1.3.0",
        "corp.example/money v1.0.0",
        "example.org/clock v1.1.1",
        "example.org/words v0.3.0",
        "example.org/words/v2 v2.0.0",
        "hosting.example/BurntToast/Slices v0.1.0",
    ] {
        assert!(go_mod.contains(line), "{line} is not in:\n{go_mod}");
    }
    assert!(
        server
            .requests()
            .iter()
            .any(|r| r.path == "/hosting.example/%21burnt%21toast/%21slices/@v/v0.1.0.zip")
    );

    // What go has stored is a file tree again.
    let cache = Server::start(go.mod_cache().join("cache/download")).unwrap();
    let second = Sandbox::new(&Go::find().unwrap(), cache.url()).unwrap();
    let again = second
        .run(&["mod", "download", "-json", "corp.example/ledger@v1.3.0"])
        .unwrap();
    assert!(again.ok, "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains(r#""Sum": "h1:"#), "{}", again.stdout);
}
