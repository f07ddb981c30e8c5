//! Real projects behind rules about versions. Their graphs name many versions that their builds never
//! take; what real go chooses and builds is the same as without a filter, behind real Envoy and behind the
//! simulator.

use std::fs;
use std::path::Path;
use std::thread;

use modgate_goproxy::Server;
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::tools::upstream_goproxy;
use serde_json::{Value, json};

/// A project, and whether only its graph is read: the three large ones have from 300 to 400 modules.
struct Project {
    name: &'static str,
    module: &'static str,
    is_large: bool,
}

const PROJECTS: [Project; 5] = [
    Project {
        name: "go-git",
        module: "github.com/go-git/go-git/v5@v5.13.2",
        is_large: false,
    },
    Project {
        name: "vault-api",
        module: "github.com/hashicorp/vault/api@v1.15.0",
        is_large: false,
    },
    Project {
        name: "helm",
        module: "helm.sh/helm/v3@v3.16.4",
        is_large: true,
    },
    Project {
        name: "hugo",
        module: "github.com/gohugoio/hugo@v0.139.0",
        is_large: true,
    },
    // Of go 1.16, so nothing of its graph is pruned.
    Project {
        name: "glow",
        module: "github.com/charmbracelet/glow@v1.5.1",
        is_large: true,
    },
];

const GRAPH: [&[&str]; 2] = [&["list", "-m", "all"], &["mod", "graph"]];

const BUILD: [&[&str]; 5] = [
    &["mod", "tidy"],
    &["mod", "download", "all"],
    &["mod", "vendor"],
    &["work", "init", "."],
    &["work", "sync"],
];

/// A developer whose module is the project; of a large one what says its graph.
fn developer(goproxy: &str, project: &Project, source: &Path) -> Go {
    let go = Go::new(goproxy, Sumdb::Off)
        .with("GOWORK", "")
        .with("GOFLAGS", "-modcacherw");
    if !project.is_large {
        copy(source, &go.module());
        return go;
    }
    for name in ["go.mod", "go.sum"] {
        let text = fs::read_to_string(source.join(name));
        go.write(name, &text.unwrap());
    }
    go
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::write(&to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// What the commands print: which versions are chosen.
#[track_caller]
fn run(project: &Project, go: &Go, by: &str) -> Vec<String> {
    let build = BUILD.iter().filter(|_| !project.is_large);
    let commands = GRAPH.iter().chain(build).chain(&GRAPH[..1]);
    commands
        .map(|command| {
            let ran = go.run(command);
            let name = project.name;
            assert!(ran.ok(), "{name}, {by}: go {command:?}: {ran:?}");
            ran.expect_ok().to_owned()
        })
        .collect()
}

/// The modules of a graph with the versions that are chosen.
fn chosen(listed: &str) -> impl Iterator<Item = (&str, &str)> {
    listed.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?))
    })
}

/// A denial of all that is below what is chosen, for modules of which every graph has many versions.
fn range(listed: &str) -> Value {
    let denied = chosen(listed).filter(|(module, _)| module.starts_with("golang.org/x/"));
    let denied = denied.enumerate().map(|(i, (module, version))| {
        let versions = format!("<{version}");
        json!({"id": format!("m{i}"), "deny": [module], "exact": true, "versions": versions})
    });
    let all = json!({"id": "all", "allow": ["*"]});
    denied.chain([all]).collect()
}

/// A rule for each chosen version, and nothing else.
fn approved(listed: &str) -> Value {
    let rules = chosen(listed).enumerate().map(|(i, (module, version))| {
        let version = format!("={version}");
        json!({"id": format!("m{i}"), "allow": [module], "exact": true, "versions": version})
    });
    rules.collect()
}

#[test]
fn go_chooses_and_builds_the_same_behind_rules_about_versions() {
    // What the machine's own go gets, once; its module cache is then the proxy behind the filter.
    let direct = Go::new(upstream_goproxy(), Sumdb::Off);
    let sources = PROJECTS.each_ref().map(|project| {
        let source = direct.run(&["mod", "download", "-json", project.module]);
        let source: Value = serde_json::from_str(source.expect_ok()).unwrap();
        source["Dir"].as_str().unwrap().to_owned()
    });
    let cache = direct.downloads().join("../..");
    let cache = cache.to_string_lossy();
    let expected: Vec<Vec<String>> = thread::scope(|scope| {
        let runs = PROJECTS.each_ref().map(|project| {
            let place = PROJECTS.iter().position(|p| p.name == project.name);
            let source = Path::new(&sources[place.unwrap()]);
            let cache = cache.as_ref();
            scope.spawn(move || {
                let go = developer(&upstream_goproxy(), project, source).with("GOMODCACHE", cache);
                run(project, &go, "without a filter")
            })
        });
        runs.map(|run| run.join().unwrap()).into()
    });
    let server = Server::start(direct.downloads()).unwrap();

    let mut document = json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {},
        "rules": {
            "cooldown": [{"id": "month", "allow": ["*"], "min_age": "30d"}],
        },
        "backends": {"main": {"cluster": "backend", "kind": "static"}},
        "routes": [{"id": "all", "backend": "main"}],
    });
    let policies = |project: &Project| {
        let name = project.name;
        [
            "cooldown".to_owned(),
            format!("{name}-range"),
            format!("{name}-approved"),
        ]
    };
    for (project, expected) in PROJECTS.iter().zip(&expected) {
        let [cooldown, ranges, list] = policies(project);
        document["rules"][&ranges] = range(&expected[0]);
        document["rules"][&list] = approved(&expected[0]);
        for policy in [cooldown, ranges, list] {
            document["tenants"][&policy] = json!({"rules": [policy]});
        }
    }
    let hosts = Host::both(&document, server.address());
    thread::scope(|scope| {
        for ((project, expected), source) in PROJECTS.iter().zip(&expected).zip(&sources) {
            let hosts = &hosts;
            scope.spawn(move || {
                for (host, policy) in hosts.iter().flat_map(|h| policies(project).map(|p| (h, p))) {
                    let goproxy = format!("http://{}/t/{policy}", host.address());
                    let go = developer(&goproxy, project, Path::new(source));
                    let chosen = run(project, &go, &policy);
                    assert_eq!(&chosen, expected, "{}, {policy}", project.name);
                }
            });
        }
    });
    // Versions that nothing builds were read all the same.
    for host in &hosts {
        for policy in ["glow-range", "glow-approved"] {
            let old = "golang.org/x/net/@v/v0.0.0-20190404232315-eb5bcb51f2a3";
            let status = |file: &str| host.get(&format!("/t/{policy}/{old}.{file}")).status;
            assert_eq!((status("mod"), status("zip")), (200, 403), "{policy}");
        }
    }
}
