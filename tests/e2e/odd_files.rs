//! What stands where a file should: a FIFO that nobody writes to, a folder, a socket, a device, or far more than fits.
//! `serve` names it, goes on and can be stopped; a command that reads once takes what a shell's `<(command)` is.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::http;
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::policies::three_tenants;
use modgate_harness::process::Process;
use modgate_harness::serve::Serve;
use modgate_harness::tools::dist;
use serde_json::{Value, json};

const CHANGED: &str = "/t/web/github.com/boltdb-go/bolt/@v/v1.3.1.mod";

/// What [`CHANGED`] is answered where the policy denies it, and where it does not: the backend lacks it.
const DENIED: u16 = 403;
const REQUESTED: u16 = 404;

fn allowing() -> Value {
    let mut policy = three_tenants("static");
    policy["rules"]["org"] = json!([{"id": "public", "allow": ["*"]}]);
    policy
}

fn backend() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::write(dir.path(), &[Module::new("example.org/words", "v0.1.0")]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    (dir, server)
}

/// Makes one of these in a folder.
fn make(folder: &Path, what: &str) -> PathBuf {
    let place = folder.join(what);
    match what {
        "a FIFO" => {
            let made = Command::new("mkfifo").arg(&place).status().unwrap();
            assert!(made.success());
        }
        "a folder" => std::fs::create_dir(&place).unwrap(),
        // The place stays when the listener has gone.
        "a socket" => drop(UnixListener::bind(&place).unwrap()),
        "a device" => symlink("/dev/zero", &place).unwrap(),
        "more than 64 MiB" => File::create(&place).unwrap().set_len(65 << 20).unwrap(),
        _ => panic!("{what}"),
    }
    place
}

const ODD: [&str; 5] = [
    "a folder",
    "a socket",
    "a device",
    "more than 64 MiB",
    "a FIFO",
];

#[test]
fn what_takes_the_policys_place_is_named_and_stops_nothing() {
    let (_dir, server) = backend();
    let clusters = [("backend", server.address())];
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    let put = |content: &Value| {
        let new = folder.path().join("new");
        std::fs::write(&new, content.to_string()).unwrap();
        std::fs::rename(&new, &policy).unwrap();
    };
    put(&three_tenants("static"));
    let mut serve = Serve::start_from(&policy, &clusters);
    let address = serve.address();
    let mut status = DENIED;
    for what in ODD {
        std::fs::remove_file(&policy).unwrap();
        let odd = make(folder.path(), what);
        std::fs::rename(&odd, &policy).unwrap();
        serve.process().wait_for_log(what);
        assert_eq!(http::get(address, CHANGED).status, status, "{what}");
        // And the next good one is taken up.
        if policy.is_dir() {
            std::fs::remove_dir(&policy).unwrap();
        }
        let (next, then) = match status {
            DENIED => (allowing(), REQUESTED),
            _ => (three_tenants("static"), DENIED),
        };
        put(&next);
        status = then;
        serve.process().wait_until("taking the policy", || {
            (http::get(address, CHANGED).status == status).then_some(())
        });
    }
    std::fs::remove_file(&policy).unwrap();
    std::fs::rename(make(folder.path(), "a FIFO"), &policy).unwrap();
    let named = |serve: &mut Serve| serve.process().log().matches("a FIFO").count();
    while named(&mut serve) < 2 && serve.process().is_running() {
        std::thread::sleep(Duration::from_millis(20));
    }
    serve.process().terminate();
    assert!(serve.process().wait_for_end().success());
}

#[test]
fn serve_does_not_wait_for_a_file_that_nobody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, three_tenants("static").to_string()).unwrap();
    let fifo = make(folder.path(), "a FIFO");
    let rows = [
        ("--policy", &[][..]),
        ("--ca-file", &["--policy"]),
        ("--wasm", &["--policy"]),
    ];
    table_rows::check(rows, |(option, others)| {
        let mut command = Command::new(dist("modgate"));
        command.args(["serve", "--upstream=backend=http://127.0.0.1:9"]);
        command.args(["--listen=127.0.0.1:0", "--admin=127.0.0.1:0"]);
        command.arg(option).arg(&fifo);
        for other in others {
            command.arg(other).arg(&policy);
        }
        let mut process = Process::start("modgate-serve", command, folder.path());
        assert!(!process.wait_for_end().success(), "{option}");
        let log = process.log();
        let is_named = log.contains("a FIFO") && log.contains(&fifo.display().to_string());
        assert!(is_named, "{option}: {log}");
    });
}

#[test]
fn a_secret_that_nobody_writes_stops_no_worker() {
    let (_dir, server) = backend();
    let folder = tempfile::tempdir().unwrap();
    let fifo = make(folder.path(), "a FIFO");
    let mut policy = allowing();
    for backend in policy["backends"].as_object_mut().unwrap().values_mut() {
        backend["headers"] = json!({"authorization": {"secret": "token"}});
    }
    let arguments = [format!("--secret=token={}", fifo.display())];
    let clusters = [("backend", server.address())];
    let mut serve = Serve::start_with(&policy, &clusters, &arguments);
    for _ in 0..4 {
        assert_eq!(http::get(serve.address(), CHANGED).status, 502);
    }
    serve.process().wait_for_log("the secret token: ");
    assert!(serve.process().log().contains("a FIFO"));
    // The file is read for each request, so it may come later.
    std::fs::remove_file(&fifo).unwrap();
    std::fs::write(&fifo, "Basic x").unwrap();
    assert_eq!(http::get(serve.address(), CHANGED).status, REQUESTED);
}

#[test]
fn a_command_reads_once_what_a_shell_hands_it_and_not_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = make(folder.path(), "a FIFO");
    let written = std::thread::spawn({
        let fifo = fifo.clone();
        move || std::fs::write(fifo, three_tenants("static").to_string())
    });
    let checked = modgate(["check".as_ref(), fifo.as_os_str()], b"");
    assert!(checked.status.success(), "{}", stderr(&checked));
    written.join().unwrap().unwrap();
    let socket = make(folder.path(), "a socket");
    let rows = [
        ("check", Path::new("/dev/zero"), "more than 256 MiB"),
        ("sim", Path::new("/dev/zero"), "more than 16 MiB"),
        ("check", &*socket, "a socket"),
        ("check", folder.path(), "a folder"),
    ];
    table_rows::check(rows, |(command, file, why)| {
        let output = modgate([command.as_ref(), file.as_os_str()], b"");
        assert!(!output.status.success(), "{command} {}", file.display());
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert!(said.contains(why), "{command} {}: {said}", file.display());
    });
}
