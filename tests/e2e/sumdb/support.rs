//! Modules, a database that knows them, and a developer whom only the filter protects.

use std::net::SocketAddr;
use std::path::Path;

use modgate_go::integrity::GoModHasher;
use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Output, Sumdb};
use modgate_harness::metrics::Figures;
use modgate_harness::serve::Serve;
use modgate_harness::sumdb::Database;
use serde_json::{Value, json};

pub const MODULE: &str = "example.com/Lib@v1.0.0";
pub const GO_MOD: &str = "/t/web/example.com/!lib/@v/v1.0.0.mod";
/// Of another version, for what goes before.
pub const OTHER_MOD: &str = "/t/web/example.com/!lib/@v/v1.1.0.mod";
pub const SHOWN: &str = "example.com/shown@v1.0.0";
pub const PRIVATE: &str = "corp.example/secret@v1.0.0";

/// A folder of modules, served, and a database that has their hashes.
pub struct World {
    dir: tempfile::TempDir,
    pub server: Server,
    pub database: Database,
}

impl World {
    /// With so many other records in the database.
    pub fn new(records: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 7);
        Self {
            server: Server::start(dir.path()).unwrap(),
            database: Database::start(dir.path(), records),
            dir,
        }
    }

    /// A policy that enforces, with these members of `sumdb` beside the usual ones.
    pub fn policy(&self, sumdb: Value) -> Value {
        let mut database = json!({"key": self.database.key(), "backend": "database"});
        for (key, value) in sumdb.as_object().unwrap() {
            database[key] = value.clone();
        }
        policy(database)
    }

    /// The same, and the go.mod of [`MODULE`] is pinned: so go goes on to the zip.
    pub fn pinned(&self, sumdb: Value) -> Value {
        let mut policy = self.policy(sumdb);
        let go_mod = std::fs::read(self.dir.path().join("example.com/!lib/@v/v1.0.0.mod"));
        let mut hasher = GoModHasher::default();
        hasher.feed(&go_mod.unwrap()).unwrap();
        let pin = format!("example.com/Lib v1.0.0/go.mod {}", hasher.finish().unwrap());
        policy["integrity"]["pins"] = json!([pin]);
        policy
    }

    /// The backend has other zips from now on.
    pub fn change(&self) {
        write(self.dir.path(), 8);
    }

    pub fn clusters(&self) -> [(&'static str, SocketAddr); 2] {
        [
            ("backend", self.server.address()),
            ("database", self.database.address()),
        ]
    }

    pub fn envoy(&self, policy: Value) -> Envoy {
        Envoy::start(&Config::new(policy, &self.clusters()))
    }

    pub fn serve(&self, policy: &Value) -> Serve {
        Serve::start(policy, &self.clusters())
    }
}

fn write(folder: &Path, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let noise: Vec<u8> = (0..300_000).map(|_| random.u8(..)).collect();
    let modules = [
        Module::new("example.com/Lib", "v1.0.0").file("noise.bin", noise),
        Module::new("example.com/Lib", "v1.1.0").file("lib.go", "package lib\n"),
        Module::new("example.com/shown", "v1.0.0").file("s.go", "package shown\n"),
        Module::new("corp.example/secret", "v1.0.0").file("s.go", "package secret\n"),
    ];
    Tree::write(folder, &modules).unwrap();
}

pub fn policy(sumdb: Value) -> Value {
    json!({
        "version": "1",
        "default": "allow",
        "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {}, "trial": {"integrity": "shadow"}},
        "backends": {"main": {"cluster": "backend"}, "database": {"cluster": "database"}},
        "routes": [{"id": "all", "backend": "main"}],
        "integrity": {
            "mode": "enforce", "on_unknown": "refuse", "first_seen": ["corp.example"],
            "sumdb": sumdb, "private": ["corp.example"],
            "allow_on_headers_stop_iteration": true
        }
    })
}

/// A developer with an empty cache, whose go asks no database, downloads a module.
pub fn download(proxy: SocketAddr, tenant: &str, module: &str) -> (Go, Output) {
    let go = Go::new(format!("http://{proxy}/t/{tenant}"), Sumdb::Off);
    let said = go.run(&["mod", "download", module]);
    (go, said)
}

/// Nothing of the module that go could use is in its cache.
#[track_caller]
pub fn assert_nothing_kept(go: &Go) {
    assert!(!go.has("example.com/!lib@v1.0.0"));
    let files = go.downloads().join("example.com/!lib/@v");
    let kept = |end: &str| files.join(format!("v1.0.0.{end}")).exists();
    assert!(!kept("zip") && !kept("ziphash"), "{}", files.display());
}

/// The sum of a metric's series with these labels.
pub fn sum(prometheus: &str, metric: &str, labels: &[(&str, &str)]) -> f64 {
    Figures::parse(prometheus).sum(metric, labels)
}

pub const CHECKS: &str = "modgate_integrity_checks_total";
pub const LOOKUPS: &str = "modgate_sumdb_lookups_total";
