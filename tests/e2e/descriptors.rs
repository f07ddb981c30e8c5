//! `modgate serve` with no file descriptors left: it says so, a few times, and goes on when there are some again.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::http;
use modgate_harness::policies::three_tenants;
use modgate_harness::serve::Serve;

const LIST: &str = "/t/web/example.org/words/@v/list";

/// The same command with so many descriptors.
fn limited(command: &Command, descriptors: u32) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\""),
        ])
        .arg(command.get_program())
        .args(command.get_args());
    shell
}

#[test]
fn a_proxy_without_descriptors_logs_little_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let words = Module::new("example.org/words", "v0.1.0").file("w.go", "package words\n");
    let tree = Tree::write(dir.path(), &[words]).unwrap();
    let server = Server::start(tree.root()).unwrap();
    let arguments = [
        format!("--upstream=backend=http://{}", server.address()),
        "--workers=2".to_owned(),
        "--access-log=off".to_owned(),
    ];
    let policy = three_tenants("static");
    let mut serve = Serve::launch(&policy, &arguments, |command| limited(&command, 256));
    assert_eq!(http::get(serve.address(), LIST).status, 200);

    let clients: Vec<_> = (0..300)
        .map(|_| TcpStream::connect(serve.address()).unwrap())
        .collect();
    // In this time it tries a hundred times.
    std::thread::sleep(Duration::from_secs(3));
    let said = "cannot accept a connection: ";
    let log = serve.process().log();
    let lines = log.lines().filter(|line| line.contains(said)).count();
    assert!((1..=2).contains(&lines), "{lines} lines:\n{log}");
    assert!(log.lines().count() < 20, "{log}");

    drop(clients);
    let address = serve.address();
    let process = serve.process();
    process.wait_until("an answer", || {
        http::try_get(address, LIST).filter(|answer| answer.status == 200)
    });
}
