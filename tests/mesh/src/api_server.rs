//! An API server with its etcd.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use modgate_harness::pki::key_pair;
use modgate_harness::ports::free_port;
use modgate_harness::process::Process;
use modgate_harness::tools::tool;

/// Whoever sends it is an administrator.
const TOKEN: &str = "an-administrator";

/// A running API server, and the file by which others reach it.
#[derive(Debug)]
pub(crate) struct ApiServer {
    kubeconfig: PathBuf,
    // In the order in which they are to end.
    _server: Process,
    _etcd: Process,
}

impl ApiServer {
    /// Starts both with their files in a folder, and waits until objects can be written.
    pub(crate) fn start(dir: &Path) -> Self {
        let (client, peer) = (free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut etcd = Command::new(tool("etcd"));
        etcd.arg("--data-dir").arg(dir.join("etcd"));
        etcd.args([
            "--listen-client-urls",
            &url(client),
            "--advertise-client-urls",
            &url(client),
        ]);
        etcd.args([
            "--listen-peer-urls",
            &url(peer),
            "--initial-advertise-peer-urls",
            &url(peer),
        ]);
        etcd.args([
            "--initial-cluster",
            &format!("default={}", url(peer)),
            "--unsafe-no-fsync",
        ]);
        let etcd = Process::start("etcd", etcd, dir);

        let port = free_port();
        let [private, public] = ["accounts.pem", "accounts.pub"].map(|name| dir.join(name));
        for (file, text) in [&private, &public].into_iter().zip(key_pair()) {
            write(file, &text);
        }
        let tokens = dir.join("tokens.csv");
        write(&tokens, &format!("{TOKEN},admin,admin,system:masters\n"));
        let mut server = Command::new(tool("kube-apiserver"));
        server.arg(format!("--etcd-servers={}", url(client)));
        server.args([
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
        ]);
        server.arg(format!("--cert-dir={}", dir.join("certificates").display()));
        server.arg(format!("--token-auth-file={}", tokens.display()));
        server.arg(format!("--service-account-key-file={}", public.display()));
        server.arg(format!(
            "--service-account-signing-key-file={}",
            private.display()
        ));
        server.args([
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            // Nothing here makes the accounts' tokens, for which it would wait.
            "--disable-admission-plugins=ServiceAccount",
        ]);
        let mut server = Process::start("kube-apiserver", server, dir);
        let kubeconfig = dir.join("kubeconfig");
        write(&kubeconfig, &kubeconfig_text(port));
        server.wait_until("ready", || {
            let ready = kubectl(&kubeconfig, &["get", "--raw", "/readyz"], "");
            ready.status.success().then_some(())
        });
        Self {
            kubeconfig,
            _server: server,
            _etcd: etcd,
        }
    }

    /// The file by which others reach it, as an administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs kubectl with this standard input.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        kubectl(&self.kubeconfig, arguments, input)
    }
}

fn kubectl(kubeconfig: &Path, arguments: &[&str], input: &str) -> Output {
    let child = Command::new(tool("kubectl"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(arguments)
        // Its cache of what the server knows is in the home directory, and of another server.
        .arg("--cache-dir")
        .arg(kubeconfig.with_file_name("kubectl-cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("kubectl does not start: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // What it does not want it does not read.
        let _ = stdin.write_all(input.as_bytes());
    }
    child
        .wait_with_output()
        .unwrap_or_else(|error| panic!("kubectl: {error}"))
}

fn kubeconfig_text(port: u16) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: mesh\n\
         clusters: [{{name: mesh, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: admin, user: {{token: {TOKEN}}}}}]\n\
         contexts: [{{name: mesh, context: {{cluster: mesh, user: admin}}}}]\n"
    )
}

/// Writes a file of a mesh.
pub(crate) fn write(file: &Path, text: &str) {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    }
    fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}
