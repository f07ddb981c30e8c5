//! The Go proxy behind the filter, and where the mesh gets the filter from.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::http;
use modgate_harness::ports::free_port;
use modgate_harness::tools::dist;
use modgate_mesh::{Deploy, Mesh, NAMESPACE, Pod, Proxy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The cluster of the policy.
pub(crate) const CLUSTER: &str = "files";

/// What the policy serves.
pub(crate) const LIST: &str = "/t/web/example.org/words/@v/list";

/// What it serves, as the Go proxy itself names it.
pub(crate) const BARE_LIST: &str = "/example.org/words/@v/list";

/// A Go proxy with two modules, and a web server with the filter.
pub(crate) struct Parts {
    pub(crate) files: Server,
    modules: Server,
    _dir: TempDir,
}

impl Parts {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let module = |name: &str| {
            let file = format!("module {name}\n");
            Module::new(name, "v0.1.0")
                .file("go.mod", file)
                .file("words.go", "package words\n")
        };
        let tree = Tree::write(
            dir.path(),
            &[module("example.org/words"), module("example.org/bad")],
        )
        .unwrap();
        let files = Server::start(tree.root()).unwrap();
        let modules = Server::start(dist("modgate.wasm").parent().unwrap()).unwrap();
        Self {
            files,
            modules,
            _dir: dir,
        }
    }

    /// The arguments by which a mesh gets the filter.
    pub(crate) fn module(&self) -> Vec<String> {
        let url = format!("{}/modgate.wasm", self.modules.url());
        ["--module", &url, "--sha256", &sha256()]
            .map(str::to_owned)
            .into()
    }

    /// A gateway at a port, for every name.
    pub(crate) fn at_gateway(&self, port: u16) -> Vec<String> {
        self.at_gateway_of("*", port)
    }

    /// A gateway at a port, for a name.
    pub(crate) fn at_gateway_of(&self, host: &str, port: u16) -> Vec<String> {
        let fixed = format!(
            "--target istio --at gateway --namespace {NAMESPACE} --selector istio=gateway --host"
        );
        let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        arguments.extend([host.to_owned(), "--listen".to_owned(), port.to_string()]);
        arguments.extend([
            "--cluster".to_owned(),
            format!("{CLUSTER}={}", self.files.url()),
        ]);
        arguments.extend(self.module());
        arguments
    }

    /// The sidecar of the pods with the label `app=athens`, which listens at a port.
    pub(crate) fn at_sidecar(&self, port: u16) -> Vec<String> {
        let fixed =
            format!("--target istio --at sidecar --namespace {NAMESPACE} --selector app=athens");
        let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        arguments.extend([
            "--cluster".to_owned(),
            format!("{CLUSTER}=http://127.0.0.1:{port}"),
        ]);
        arguments.extend(self.module());
        arguments
    }
}

/// A gateway that serves a policy, and all that is behind it.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) deploy: Deploy,
    // In the order in which they are to end.
    pub(crate) proxy: Proxy,
    pub(crate) mesh: Mesh,
    pub(crate) parts: Parts,
}

impl Gateway {
    /// One for this name, with the annotations that `modgate deploy` writes.
    pub(crate) fn serving(host: &str) -> Self {
        let (parts, mesh, port) = (Parts::start(), Mesh::start(), free_port());
        let deploy = Deploy::new(&policy(1), parts.at_gateway_of(host, port));
        mesh.apply_folder(&deploy.folder());
        let pod = Pod::gateway("gateway", ("istio", "gateway"));
        let mut proxy = mesh.run(&pod.patched(&deploy.file("extra/pod-template.yaml")));
        let address = local(port);
        answers(&mut proxy, address, LIST, Some(200));
        Self {
            address,
            deploy,
            proxy,
            mesh,
            parts,
        }
    }
}

/// Waits until a path has this status; `None` is a connection that ends without an answer.
pub(crate) fn answers(proxy: &mut Proxy, address: SocketAddr, path: &str, expected: Option<u16>) {
    proxy.wait_until(&format!("answering {path} with {expected:?}"), || {
        (status(address, path) == expected).then_some(())
    });
}

/// Asserts that whoever knows no key gets this status for everything, and that nothing reaches the Go proxy.
#[track_caller]
pub(crate) fn nobody_gets_a_module(
    parts: &Parts,
    deploy: &Deploy,
    (address, cluster): (SocketAddr, &str),
    expected: Option<u16>,
) {
    let before = parts.files.requests().len();
    for value in known_values(deploy, cluster) {
        for path in [LIST, BARE_LIST, "/example.org/words/@v/v0.1.0.zip"] {
            let found = ask(address, path, value.as_deref()).map(|answer| answer.status);
            assert_eq!(found, expected, "{value:?}, {path}");
        }
    }
    assert_eq!(
        parts.files.requests().len(),
        before,
        "the Go proxy was reached"
    );
}

/// The filter's, as `sha256sum` prints it.
pub(crate) fn sha256() -> String {
    let output = std::process::Command::new("sha256sum")
        .arg(dist("modgate.wasm"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

/// The policy of the tests, of a version.
pub(crate) fn policy(version: u32) -> Value {
    json!({
        "version": version.to_string(),
        "default": "deny",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "typosquat", "deny": ["example.org/bad"], "reason": "typosquat of example.org/good"},
            {"id": "public", "allow": ["*"]},
        ]},
        "backends": {"main": {"cluster": CLUSTER}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// The answer to a path, with a value of the header by which routes know the filter.
pub(crate) fn ask(address: SocketAddr, path: &str, forged: Option<&str>) -> Option<http::Response> {
    let header = forged.map(|value| ("x-modgate-cluster", value));
    let headers: Vec<_> = header.into_iter().collect();
    http::try_request(address, "GET", path, &headers).ok()
}

/// The status alone, as soon as it is there: behind a denial Envoy keeps a connection open for a second.
pub(crate) fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .ok()?;
    let head = http::head("GET", path, &[]);
    stream.write_all(head.as_bytes()).ok()?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    let text = std::str::from_utf8(&start).ok()?;
    text.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// Every value of the header that somebody can know who does not know a key.
fn known_values(deploy: &Deploy, cluster: &str) -> Vec<Option<String>> {
    let [_, key, _] = deploy.keys();
    let mut values = vec![
        None,
        Some(String::new()),
        Some(CLUSTER.to_owned()),
        Some(cluster.to_owned()),
        Some(format!(":{cluster}")),
        Some(format!("{}:{cluster}", "0".repeat(48))),
        Some(format!("{}:{cluster}", "-".repeat(48))),
        // Almost a key.
        Some(format!("{}:{cluster}", &key[1..])),
        Some(format!("{}:{cluster}", key.to_uppercase())),
    ];
    values.extend(cluster.split('|').map(|part| Some(part.to_owned())));
    values
}

pub(crate) fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
