//! Databases that are honest, slow, or away.

use std::path::Path;
use std::time::{Duration, Instant};

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::chunked::Chunked;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::sumdb::Database;
use serde_json::json;

use super::support::*;

#[test]
fn an_honest_database_is_queried_once_and_what_it_proves_passes() {
    let world = World::new(300);
    let envoy = world.envoy(world.policy(json!({})));
    let (go, said) = download(envoy.address(), "web", MODULE);
    said.expect_ok();
    assert!(go.has("example.com/!lib@v1.0.0"));
    let by_database = [
        ("result", "verified"),
        ("evidence", "sumdb"),
        ("tenant", "web"),
    ];
    let figures = envoy.prometheus();
    assert_eq!(sum(&figures, CHECKS, &by_database), 2.0);
    assert_eq!(sum(&figures, LOOKUPS, &[("result", "proven")]), 1.0);
    assert_eq!(sum(&figures, LOOKUPS, &[("result", "remembered")]), 1.0);
    let requested = world.database.requested();
    assert_eq!(requested[0], "/lookup/example.com/!lib@v1.0.0");
    assert!(
        requested[1..]
            .iter()
            .all(|path| path.starts_with("/tile/8/")),
        "{requested:?}"
    );

    // Another developer costs it nothing, another version one lookup, and of tiles only the new ones.
    download(envoy.address(), "web", MODULE).1.expect_ok();
    assert_eq!(world.database.requested(), requested);
    world.database.grow(300);
    let next = "example.com/Lib@v1.1.0";
    download(envoy.address(), "web", next).1.expect_ok();
    let more = world.database.requested()[requested.len()..].to_vec();
    assert_eq!(more[0], "/lookup/example.com/!lib@v1.1.0");
    assert!(
        more.len() > 1 && more[1..].iter().all(|path| !requested.contains(path)),
        "{more:?}"
    );
}

#[test]
fn the_simulator_asks_as_envoy_does_and_through_a_proxy_too() {
    let world = World::new(300);
    for sumdb in [json!({}), json!({"proxied": true})] {
        let serve = world.serve(&world.policy(sumdb.clone()));
        let before = world.database.requested().len();
        download(serve.address(), "web", MODULE).1.expect_ok();
        let figures = serve.prometheus();
        let by_database = [("result", "verified"), ("evidence", "sumdb")];
        assert_eq!(sum(&figures, CHECKS, &by_database), 2.0, "{sumdb}");
        let requested = world.database.requested()[before..].to_vec();
        let behind = |path: &String| path.starts_with("/sumdb/sum.corp.example/");
        assert_eq!(
            requested.iter().all(behind),
            sumdb != json!({}),
            "{requested:?}"
        );
        assert!(!requested.is_empty());
    }
}

#[test]
fn a_private_module_is_never_heard_of() {
    let world = World::new(3);
    let envoy = world.envoy(world.policy(json!({})));
    for tenant in ["web", "trial"] {
        download(envoy.address(), tenant, PRIVATE).1.expect_ok();
    }
    assert_eq!(world.database.requested(), Vec::<String>::new());
    let seen = [("evidence", "first_seen"), ("tenant", "web")];
    assert_eq!(sum(&envoy.prometheus(), CHECKS, &seen), 2.0);
    // A request that is refused, or has no body, asks nobody either.
    assert_eq!(
        http::request(envoy.address(), "HEAD", GO_MOD, &[]).status,
        200
    );
    let missing = GO_MOD.replace("/t/web/", "/t/nobody/");
    assert_eq!(http::get(envoy.address(), &missing).status, 403);
    assert_eq!(world.database.requested(), Vec::<String>::new());
}

/// No answer, a late one, none that says anything: refused, and served where the policy says so.
#[test]
fn a_database_that_says_nothing_follows_the_policy_in_bounded_time() {
    let world = World::new(3);
    let strict = world.pinned(json!({"timeout": "700ms"}));
    let mut lenient = world.pinned(json!({"timeout": "700ms", "on_unavailable": "allow"}));
    lenient["version"] = json!("2");
    let mut envoy = world.envoy(strict);
    let lies = [
        "silence",
        "slow",
        "error",
        "no-content",
        "no-tiles",
        "not-found",
        "gone",
        "cut",
    ];
    for lie in lies {
        world.database.lie(lie);
        let began = Instant::now();
        let answer = http::get(envoy.address(), OTHER_MOD);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "{lie}: {took:?}");
        assert_eq!(answer.status, 502, "{lie}: {}", answer.body);
        let said = "the checksum database gave no hash: ";
        assert!(answer.body.contains(said), "{lie}: {}", answer.body);
        let (go, said) = download(envoy.address(), "web", MODULE);
        said.expect_failure();
        assert_nothing_kept(&go);
    }
    let figures = envoy.prometheus();
    let times = lies.len() as f64;
    for artifact in ["mod", "zip"] {
        let unavailable = [
            ("result", "unavailable"),
            ("evidence", "sumdb"),
            ("artifact", artifact),
        ];
        assert_eq!(sum(&figures, CHECKS, &unavailable), times, "{artifact}");
    }
    let refused = [("outcome", "integrity")];
    assert_eq!(
        sum(&figures, "modgate_requests_total", &refused),
        2.0 * times
    );

    assert!(envoy.reload(&lenient));
    for lie in lies {
        world.database.lie(lie);
        let (go, said) = download(envoy.address(), "web", MODULE);
        said.expect_ok();
        assert!(go.has("example.com/!lib@v1.0.0"), "{lie}");
    }
    world.database.lie("none");
    download(envoy.address(), "web", MODULE).1.expect_ok();
    let proven = [("result", "proven")];
    assert_eq!(sum(&envoy.prometheus(), LOOKUPS, &proven), 1.0);
}

#[test]
fn the_simulator_ends_a_lookup_in_time_too() {
    let world = World::new(3);
    let serve = world.serve(&world.policy(json!({"timeout": "700ms"})));
    world.database.lie("silence");
    let began = Instant::now();
    let answer = http::get(serve.address(), GO_MOD);
    assert_eq!(answer.status, 502, "{}", answer.body);
    let (go, said) = download(serve.address(), "web", MODULE);
    said.expect_failure();
    assert_nothing_kept(&go);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_database_that_is_not_there_is_one_that_says_nothing() {
    let world = World::new(3);
    let closed = ("database", ([127, 0, 0, 1], 9).into());
    let clusters = [world.clusters()[0], closed];
    let config = Config::new(world.policy(json!({})), &clusters);
    let envoy = Envoy::start(&config);
    let answer = http::get(envoy.address(), GO_MOD);
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body.contains("gave no hash"), "{}", answer.body);
}

/// Both workers of one Envoy hold the database to what either has seen.
#[test]
fn a_head_is_kept_by_all_workers_and_through_changes_of_the_policy() {
    let world = World::new(300);
    let policy = world.policy(json!({}));
    let mut config = Config::new(policy.clone(), &world.clusters());
    config.concurrency = 2;
    let mut envoy = Envoy::start(&config);
    download(envoy.address(), "web", MODULE).1.expect_ok();
    let mut next = policy;
    next["version"] = json!("2");
    assert!(envoy.reload(&next));
    world.database.lie("fork");
    for _ in 0..8 {
        let answer = http::get(envoy.address(), GO_MOD);
        assert_eq!(answer.status, 502, "{}", answer.body);
        assert!(
            answer.body.contains("could not be verified"),
            "{}",
            answer.body
        );
    }
    world.database.lie("none");
    assert_eq!(http::get(envoy.address(), GO_MOD).status, 200);
}

/// A go.mod may be larger than what Envoy can hold of an answer, with a length or without: 64 KiB as
/// shipped. What the filter gives it to hold ends below.
#[test]
fn a_go_mod_of_any_size_is_checked() {
    std::thread::scope(|threads| {
        for requirements in [0, 520, 700, 1400, 20_000] {
            threads.spawn(move || check_long(requirements));
        }
    });
}

fn check_long(requirements: usize) {
    let dir = tempfile::tempdir().unwrap();
    write_long(dir.path(), requirements);
    let length = std::fs::read(dir.path().join(LONG)).unwrap().len();
    let server = Server::start(dir.path()).unwrap();
    let chunked = Chunked::start(dir.path(), false).unwrap();
    let database = Database::start(dir.path(), 3);
    database.lie("slow");
    for backend in [server.address(), chunked.address()] {
        let sumdb = json!({"key": database.key(), "backend": "database"});
        let clusters = [("backend", backend), ("database", database.address())];
        let mut envoy = Envoy::start(&Config::new(policy(sumdb), &clusters));
        let path = format!("/t/web/{LONG}");
        // The first is held until the database has answered, the second is not.
        for round in 0..2 {
            let answer = http::try_request(envoy.address(), "GET", &path, &[]);
            let log = envoy.process().log();
            let answer = answer.unwrap_or_else(|e| panic!("{requirements} {round}: {e}\n{log}"));
            assert_eq!(answer.status, 200, "{requirements} {round}: {log}");
            assert_eq!(answer.body.len(), length, "{requirements} {round}");
        }
        // Another one, of which the database has told already what it should be.
        write_long(dir.path(), requirements + 1);
        let refused = match http::try_request(envoy.address(), "GET", &path, &[]) {
            Ok(answer) => answer.status == 502 || answer.body.len() < length,
            // A body in chunks that breaks off.
            Err(_) => true,
        };
        assert!(refused, "{requirements}");
        let mismatches = sum(&envoy.prometheus(), CHECKS, &[("result", "mismatch")]);
        let log = envoy.process().log();
        assert_eq!(mismatches, 1.0, "{requirements}: {log}");
        write_long(dir.path(), requirements);
    }
}

const LONG: &str = "example.com/long/@v/v1.0.0.mod";

fn write_long(folder: &Path, requirements: usize) {
    let mut module = Module::new("example.com/long", "v1.0.0").file("l.go", "package long\n");
    for n in 0..requirements {
        module = module.requires(format!("example.com/required/number{n}"), "v1.0.0");
    }
    Tree::write(folder, &[module]).unwrap();
}
