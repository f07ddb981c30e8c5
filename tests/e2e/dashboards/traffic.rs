//! What the clients do, and what became of it as they saw it.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use modgate_goproxy::{Module, Tree};
use modgate_harness::http;
use serde_json::{Value, json};

/// How many modules two backends share; every fourth is in no cache.
const SHARED: usize = 40;

fn shared(i: usize) -> String {
    let name = if i.is_multiple_of(4) { "cold" } else { "warm" };
    format!("shared.example/{name}{i}")
}

/// Writes the modules that the backends have.
pub fn write_modules(folder: &std::path::Path) {
    let named = [
        ("corp.example/lib", "v1.2.0"),
        ("corp.example/lib", "v1.3.0-beta.1"),
        ("corp.example/fall", "v1.0.0"),
        ("corp.example/old", "v1.0.0"),
        ("corp.example/wrong", "v1.0.0"),
        ("other.example/m", "v1.0.0"),
        ("public.example/m", "v1.0.0"),
    ];
    let named = named.map(|(path, version)| Module::new(path, version));
    let shared = (0..SHARED).map(|i| Module::new(shared(i), "v1.0.0"));
    let with_code = |module: Module| module.file("m.go", "package m\n");
    let modules: Vec<Module> = named.into_iter().chain(shared).map(with_code).collect();
    Tree::write(folder, &modules).unwrap();
}

/// The policy, with `web`'s candidate in this stage.
pub fn policy(version: &str, rollout: Value) -> Value {
    json!({
        "version": version, "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {
            "web": {"rules": ["org"], "rollout": rollout},
            "bank": {"rules": ["org"]},
        },
        "rules": {
            "org": [
                {"id": "typosquat", "deny": ["github.com/boltdb-go/bolt"], "reason": "typosquat"},
                {"id": "public", "allow": ["*"]},
            ],
            "next": [
                {"id": "freeze", "deny": ["corp.example/old"], "reason": "no longer kept"},
                {"id": "rest", "allow": ["*"]},
            ],
        },
        "backends": {"one": {"cluster": "one"}, "two": {"cluster": "two"}},
        "routes": [
            {"id": "other", "modules": ["other.example"], "backend": "two"},
            {"id": "shared", "modules": ["shared.example"], "backends": {"one": 70, "two": 30}},
            {"id": "rest", "backend": "one"},
        ],
        "routes_rollout": {
            "stage": "shadow", "candidate": [{"id": "all", "backend": "two"}],
        },
        "integrity": {
            "mode": "enforce",
            // Of something else.
            "pins": ["corp.example/wrong v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
            "sumdb": {
                "key": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
                "backend": "one",
                "on_unavailable": "allow",
            },
            "private": ["corp.example", "other.example", "shared.example"],
            "first_seen": ["corp.example"],
            "on_unknown": "allow",
            "allow_on_headers_stop_iteration": true,
        },
        "splits": {
            "lib": {
                "module": "corp.example/lib",
                "variants": {"stable": "v1.2.0", "beta": "v1.3.0-beta.1"},
                "control": "stable",
                "assign": [{"tenants": ["bank"], "variant": "beta"}, {"variant": "stable"}],
            },
            "fall": {
                "module": "corp.example/fall",
                "variants": {"old": "v1.0.0", "new": "v1.1.0"},
                "control": "old",
                "assign": [{"variant": "new"}],
            },
            "tried": {
                "module": "corp.example/old",
                "variants": {"last": "v1.0.0"},
                "control": "last",
                "assign": [{"weights": {"last": 100}, "by": "tenant"}],
                "rollout": {"stage": "shadow"},
            },
        },
    })
}

/// What became of `bank`'s requests for `.info` files, as it saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// How many there were.
    pub requests: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many of the answers were hits.
    pub hits: u32,
}

/// The seconds since 1970.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// One round of requests: one list for `bank` and three for `web`, and so on.
fn round(proxy: SocketAddr, i: usize, seen: &mut Seen) {
    let get = |path: &str| http::try_get(proxy, path);
    for path in [
        "/t/web/corp.example/lib/@v/list",
        "/t/web/corp.example/lib/@v/list",
        "/t/web/corp.example/lib/@v/list",
        "/t/bank/corp.example/lib/@v/list",
        "/t/web/corp.example/fall/@v/list",
        "/t/web/corp.example/lib/@v/v1.2.0.zip",
        "/t/web/corp.example/old/@v/list",
        "/t/web/corp.example/old/@v/v1.0.0.mod",
        "/t/web/other.example/m/@v/v1.0.0.mod",
        "/t/bank/public.example/m/@v/v1.0.0.mod",
        "/t/bank/github.com/boltdb-go/bolt/@v/list",
        "/t/web/github.com/boltdb-go/bolt/@v/list",
        "/t/web/corp.example/lib/@v/v1.9.9.info",
        "/t/bank/corp.example/lib/@v/v1.2.0.zip",
    ] {
        get(path);
    }
    if i.is_multiple_of(20) {
        // Broken off.
        get("/t/bank/corp.example/wrong/@v/v1.0.0.zip");
    }
    for path in [
        "/t/bank/other.example/m/@v/v1.0.0.info".to_owned(),
        format!("/t/bank/{}/@v/v1.0.0.info", shared(i % SHARED)),
        format!("/t/bank/{}/@v/v1.0.0.info", shared((i + 1) % SHARED)),
    ] {
        let answer = get(&path).unwrap();
        seen.requests += 1;
        seen.failed += u32::from(answer.status >= 500);
        seen.hits += u32::from(answer.header("x-cache") == Some("HIT"));
    }
}

/// Rounds for a while at each proxy, ten a second at most.
pub fn run(proxies: &[SocketAddr], during: Duration) -> Seen {
    std::thread::scope(|scope| {
        let start = |proxy: &SocketAddr| {
            let proxy = *proxy;
            scope.spawn(move || run_at(proxy, during))
        };
        let running: Vec<_> = proxies.iter().map(start).collect();
        let seen = running.into_iter().map(|thread| thread.join().unwrap());
        seen.fold(Seen::default(), |all, one| Seen {
            requests: all.requests + one.requests,
            failed: all.failed + one.failed,
            hits: all.hits + one.hits,
        })
    })
}

fn run_at(proxy: SocketAddr, during: Duration) -> Seen {
    let start = Instant::now();
    let mut seen = Seen::default();
    let mut next = start;
    for i in 0.. {
        if start.elapsed() >= during {
            break;
        }
        round(proxy, i, &mut seen);
        next += Duration::from_millis(100);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    seen
}
