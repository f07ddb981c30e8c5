//! Private names: nobody's go, and not the filter itself, tells a database of them that is not their own.

use std::io::Write;
use std::net::TcpStream;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::bypass::recorder::Recorder;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::http;
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

const KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

fn policy() -> Value {
    json!({
        "version": "1", "default": "deny", "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}, "guest": {"rules": ["guests", "org"]}},
        "rules": {
            "guests": [{"id": "corp", "deny": ["corp.example"], "hide": true}],
            "org": [{"id": "all", "allow": ["*"]}]
        },
        "backends": {"public": {"cluster": "public"}, "private": {"cluster": "private"}},
        "routes": [
            {"id": "corp", "modules": ["corp.example", "github.com/corp"], "backend": "private"},
            {"id": "rest", "backend": "public"}
        ],
        "sumdb": {
            "sum.golang.org": {"backend": "public", "private": ["github.com/corp"]},
            "sum.corp.example": {"backend": "private", "modules": ["corp.example/own"]},
            "mirror.example": {}
        },
        "integrity": {
            "mode": "enforce", "on_unknown": "allow", "private": ["corp.example"],
            "sumdb": {"key": KEY, "backend": "public", "proxied": true, "on_unavailable": "allow"},
            "allow_on_headers_stop_iteration": true
        }
    })
}

struct World {
    public: Recorder,
    private: Server,
    hosts: [Host; 2],
    _dir: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let module = Module::new("corp.example/team/lib", "v1.0.0").file("a.go", "package lib\n");
        let tree = Tree::write(dir.path(), &[module]).unwrap();
        let private = Server::start(tree.root()).unwrap();
        let public = Recorder::start().unwrap();
        let clusters = [("public", public.address()), ("private", private.address())];
        let policy = policy();
        let hosts = [
            Host::Envoy(Box::new(Envoy::start(&Config::new(
                policy.clone(),
                &clusters,
            )))),
            Host::Serve(Box::new(Serve::start(&policy, &clusters))),
        ];
        Self {
            public,
            private,
            hosts,
            _dir: dir,
        }
    }

    /// The public side has heard nothing that is private.
    #[track_caller]
    fn assert_nothing_sent(&self) {
        for head in self.public.take() {
            let head = String::from_utf8_lossy(&head).to_lowercase();
            assert!(!head.contains("corp"), "{head}");
        }
    }
}

#[test]
fn a_developer_who_forgot_gonosumdb_gets_a_hint_and_the_public_database_no_name() {
    let world = World::start();
    for host in &world.hosts {
        let goproxy = format!("http://{}/t/web", host.address());
        let go = Go::new(&goproxy, Sumdb::Verify);
        let said = go.run(&["mod", "download", "corp.example/team/lib@v1.0.0"]);
        let said = said.expect_failure();
        assert!(
            said.contains("403 Forbidden") && said.contains("set GONOSUMDB=corp.example\n"),
            "{said}"
        );
        world.assert_nothing_sent();

        let set = Go::new(&goproxy, Sumdb::Verify).with("GONOSUMDB", "corp.example");
        set.run(&["mod", "download", "corp.example/team/lib@v1.0.0"])
            .expect_ok();
        assert!(set.has("corp.example/team/lib@v1.0.0"));
        world.assert_nothing_sent();
    }
}

#[test]
fn no_spelling_of_a_private_name_reaches_a_database_that_is_not_its_own() {
    let world = World::start();
    for host in &world.hosts {
        let rows = [
            ("web", "sum.golang.org", "corp.example/team/lib", 403),
            ("web", "mirror.example", "corp.example/team/lib", 403),
            ("web", "sum.golang.org", "corp.example/own/lib", 403),
            ("web", "sum.golang.org", "corp.example", 403),
            ("web", "sum.golang.org", "%63orp.example/team/lib", 403),
            ("web", "sum.golang.org", "corp%2Eexample/team/lib", 403),
            ("web", "sum.golang.org", "corp.example/%21team/lib", 403),
            ("web", "sum.golang.org", "corp.example/!team/!lib", 403),
            ("web", "sum.golang.org", "corp.example%2fteam/lib", 400),
            ("web", "sum.golang.org", "corp.example%252Fteam/lib", 400),
            ("web", "sum.golang.org", "./corp.example/team/lib", 400),
            ("web", "sum.golang.org", "x/../corp.example/team/lib", 400),
            ("web", "sum.golang.org", "!corp.example/team/lib", 400),
            ("web", "sum.golang.org", "CORP.example/team/lib", 400),
            ("web", "sum.golang.org", "github.com/corp/lib", 403),
            ("web", "sum.golang.org", "github.com/!c!o!r!p/lib", 403),
            ("web", "sum.golang.org", "gopkg.in/corp/lib.v1", 403),
            ("web", "sum.corp.example", "github.com/corp/lib", 403),
            ("guest", "sum.golang.org", "corp.example/team/lib", 404),
        ];
        table_rows::check(rows, |(tenant, database, name, status)| {
            let path = format!("/t/{tenant}/sumdb/{database}/lookup/{name}@v1.0.0");
            for method in ["GET", "HEAD"] {
                let answer = http::request(host.address(), method, &path, &[]);
                assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            }
        });
        // Tiles are no place for a name.
        for tile in [
            "8/data/000",
            "8/0/corp",
            "8/corp/000",
            "7/0/000",
            "8/0/x104/x105/x111/x099/x111/x114/112",
        ] {
            let path = format!("/t/web/sumdb/sum.golang.org/tile/{tile}");
            assert_eq!(host.get(&path).status, 400, "{path}");
        }
        // By way of another host's name, as a proxy is asked.
        let mut stream = TcpStream::connect(host.address()).unwrap();
        let target = "http://corp.example/t/web/sumdb/sum.golang.org/lookup/corp.example/x@v1.0.0";
        let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut stream, &mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
        world.assert_nothing_sent();

        // Its own database hears of it, and public names pass.
        world.private.forget_requests();
        host.get("/t/web/sumdb/sum.corp.example/lookup/corp.example/own/lib@v1.0.0");
        let own: Vec<_> = world
            .private
            .requests()
            .into_iter()
            .map(|r| r.path)
            .collect();
        assert_eq!(
            own,
            ["/sumdb/sum.corp.example/lookup/corp.example/own/lib@v1.0.0"]
        );
        let public = host.get("/t/web/sumdb/sum.golang.org/lookup/golang.org/x/text@v0.3.0");
        assert_eq!(public.status, 200);
        assert_eq!(world.public.take().len(), 1);
    }
}

#[test]
fn the_filter_itself_tells_no_database_of_a_private_name() {
    let world = World::start();
    for host in &world.hosts {
        for path in [
            "/t/web/corp.example/team/lib/@v/v1.0.0.zip",
            "/t/web/corp.example/team/lib/@v/v1.0.0.mod",
            "/t/web/github.com/corp/lib/@v/v1.0.0.mod",
            "/t/web/corp.example/!team/lib/@v/v1.0.0.mod",
        ] {
            host.get(path);
        }
        world.assert_nothing_sent();
        // Of a public one it asks.
        host.get("/t/web/golang.org/x/text/@v/v0.3.0.mod");
        let heads = world.public.take();
        let requested =
            |head: &Vec<u8>| String::from_utf8_lossy(head).contains("/lookup/golang.org/x/text@");
        assert!(heads.iter().any(requested), "{heads:?}");
    }
}
