//! docs/start/in-istio.md happens as it is written.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::http;
use modgate_harness::ports::free_port;
use modgate_harness::tools::{dist, root, tool};
use modgate_mesh::{Mesh, NAMESPACE, Pod};
use serde_json::json;

use crate::support::local;

/// The blocks of a page, each with its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((language.to_owned(), block.join("\n")));
    }
    blocks
}

/// A person's shell: what is exported in one block is there in the next.
struct Shell {
    dir: PathBuf,
    mesh: PathBuf,
    /// By which the names of the page lead to the gateway.
    port: u16,
}

impl Shell {
    fn run(&self, script: &str) -> Output {
        let path = [
            tool("kubectl").parent().unwrap().to_owned(),
            dist("modgate").parent().unwrap().to_owned(),
        ];
        let path = path.iter().map(|folder| folder.display().to_string());
        let path: Vec<String> = path.chain([std::env::var("PATH").unwrap()]).collect();
        let environment = self.dir.join("environment");
        // The variables of the blocks before, and those of this one for the next.
        let script = format!(
            "set -e\n[ ! -f {0} ] || . {0}\n{script}\nexport -p | grep -E ' (MODULE|ATHENS|GOPROXY)=' >{0}\n",
            environment.display()
        );
        let home = self.dir.join("home");
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(&self.dir)
            .env("PATH", path.join(":"))
            .env("KUBECONFIG", &self.mesh)
            .env("HOME", &home)
            .env("GOPATH", home.join("go"))
            .env("GOFLAGS", "-modcacherw")
            .env("GOSUMDB", "off")
            .env("http_proxy", format!("http://127.0.0.1:{}", self.port))
            .output()
            .unwrap()
    }

    #[track_caller]
    fn done(&self, script: &str) {
        let output = self.run(script);
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{script}\n{}",
            String::from_utf8_lossy(&said)
        );
    }
}

fn go_proxy(dir: &Path) -> Server {
    let module = |name: &str, version: &str| {
        let file = format!("module {name}\n");
        Module::new(name, version)
            .file("go.mod", file)
            .file("words.go", "package words\n")
    };
    let modules = [
        module("rsc.io/quote", "v1.5.2"),
        module("github.com/boltdb-go/bolt", "v1.3.1"),
    ];
    Server::start(Tree::write(dir, &modules).unwrap().root()).unwrap()
}

#[test]
fn the_way_into_istio_is_as_the_page_says() {
    let (mesh, port) = (Mesh::start(), free_port());
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let files = go_proxy(dirs[0].path());
    let modules = Server::start(dist("modgate.wasm").parent().unwrap()).unwrap();
    let dir = dirs[1].path().to_owned();
    symlink(dist("modgate.wasm"), dir.join("modgate.wasm")).unwrap();
    // Nothing makes pods of it here.
    let labels = json!({"istio": "gateway"});
    mesh.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "gateway", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "istio-proxy", "image": "none"}]}}},
    }).to_string());
    let shell = Shell {
        dir: dir.clone(),
        mesh: mesh.kubeconfig().to_owned(),
        port,
    };

    let page = std::fs::read_to_string(root().join("docs/start/in-istio.md")).unwrap();
    let blocks = blocks(&page);
    let languages: Vec<&str> = blocks
        .iter()
        .map(|(language, _)| language.as_str())
        .collect();
    assert_eq!(
        languages,
        ["sh", "sh", "sh", "sh", "sh", ""],
        "the page has other blocks"
    );
    let here = |text: &str| {
        let text = text
            .replace("https://files.corp.example", &modules.url())
            .replace("http://athens.tools.svc:3000", &files.url());
        text.replace("--host goproxy", &format!("--listen {port} --host goproxy"))
    };
    for (_, block) in &blocks[..3] {
        shell.done(&here(block));
    }
    let pod = Pod::gateway("gateway", ("istio", "gateway"))
        .patched(&dir.join("deploy/extra/pod-template.yaml"));
    let mut proxy = mesh.run(&pod);
    proxy.wait_until("serving", || {
        http::try_get(local(port), "/").filter(|answer| answer.status != 500)
    });

    shell.done(&here(&blocks[3].1));
    let denied = shell.run(&here(&blocks[4].1));
    let said = String::from_utf8_lossy(&denied.stderr);
    assert!(!denied.status.success(), "{said}");
    for line in blocks[5].1.lines() {
        assert!(
            said.lines().any(|have| have == line),
            "no line {line:?} in\n{said}"
        );
    }
    // At most ten commands, each line a command but those that go on.
    let commands = blocks[..5]
        .iter()
        .flat_map(|(_, block)| block.split("END\n").next().unwrap().lines());
    let commands: Vec<&str> = commands
        .filter(|line| !line.starts_with([' ', '{', '}']) && *line != "END")
        .collect();
    assert!(commands.len() <= 10, "too many commands: {commands:#?}");
}
