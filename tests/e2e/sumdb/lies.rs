//! Databases that lie: nothing that they vouch for, and nothing that they cannot prove, is served.

use std::net::SocketAddr;

use modgate_harness::envoy::Envoy;
use modgate_harness::http;
use modgate_harness::metrics::Figures;
use serde_json::json;

use super::support::*;

/// How the database lies, and what is said of it: one of these.
const LIES: [(&str, &str); 14] = [
    ("wrong-hash", "\"result\":\"mismatch\""),
    (
        "unrelated",
        "its record is for example.com/Lib/other@v1.0.0",
    ),
    (
        "unauthenticated",
        "its record is for example.com/Lib/other@v1.0.0",
    ),
    ("empty", "its record has a line that is not a go.sum line"),
    ("conflict", "its record has two hashes for one file"),
    ("bad-signature", "the signature of the tree head is wrong"),
    (
        "foreign-key",
        "the tree head is not signed by the key of the policy",
    ),
    ("forged-tile", "do not match its signed tree head"),
    ("wide-tile", "a tile of the wrong size"),
    ("short-tile", "a tile of the wrong size"),
    ("html", "its response is not a valid record"),
    ("large", "too long"),
    ("swapped-record", "do not match its signed tree head"),
    (
        "fork",
        "its tree is inconsistent with the one seen before|do not match its signed tree head",
    ),
];

/// A database that lies from now on about [`MODULE`], and has been honest to a proxy.
fn begin_to_lie(world: &World, lie: &str, proxy: SocketAddr) {
    download(proxy, "web", SHOWN).1.expect_ok();
    if lie == "swapped-record" {
        // The record is there already, in a tile that is full by now.
        let address = world.database.address();
        http::get(address, "/lookup/example.com/!lib@v1.0.0");
        world.database.grow(600);
    }
    world.database.lie(lie);
}

/// The checks that are counted, at least so many: a stream may end a little after its client has.
fn counted(envoy: &Envoy, labels: &[(&str, &str)], least: f64) -> f64 {
    Figures::once_at_least(|| envoy.prometheus(), CHECKS, labels, least).sum(CHECKS, labels)
}

#[test]
fn nothing_that_a_lying_database_says_reaches_gos_cache() {
    for (lie, why) in LIES {
        let world = World::new(300);
        // Whatever a policy lets pass of a database that says nothing, it is none that lies.
        let mut envoy = world.envoy(world.pinned(json!({"on_unavailable": "allow"})));
        begin_to_lie(&world, lie, envoy.address());
        let (go, said) = download(envoy.address(), "web", MODULE);
        let said = said.expect_failure();
        // Broken off, or refused before: whichever answers first, the backend or the database.
        let refused = said.contains("EOF") || said.contains("502 Bad Gateway");
        assert!(refused, "{lie}: {said}");
        assert_nothing_kept(&go);
        let answer = http::get(envoy.address(), OTHER_MOD);
        assert_eq!(answer.status, 502, "{lie}: {}", answer.body);
        let figures = envoy.prometheus();
        let verified = [("result", "verified"), ("evidence", "sumdb")];
        assert_eq!(sum(&figures, CHECKS, &verified), 2.0, "{lie}");
        let result = if lie == "wrong-hash" {
            "mismatch"
        } else {
            "unproven"
        };
        let refused = [("result", result), ("tenant", "web")];
        assert_eq!(counted(&envoy, &refused, 2.0), 2.0, "{lie}");
        // A tenant in shadow gets it, and it is counted.
        download(envoy.address(), "trial", MODULE).1.expect_ok();
        let passed = [("result", result), ("tenant", "trial"), ("artifact", "zip")];
        assert_eq!(counted(&envoy, &passed, 1.0), 1.0, "{lie}");
        let log = envoy.process().log();
        let reported = why.split('|').any(|why| log.contains(why));
        assert!(reported, "{lie}: {why:?} is not in\n{log}");
    }
}

#[test]
fn the_simulator_believes_no_lie_either() {
    for (lie, why) in LIES {
        let world = World::new(300);
        let mut serve = world.serve(&world.pinned(json!({"on_unavailable": "allow"})));
        begin_to_lie(&world, lie, serve.address());
        let (go, said) = download(serve.address(), "web", MODULE);
        said.expect_failure();
        assert_nothing_kept(&go);
        let answer = http::get(serve.address(), OTHER_MOD);
        assert_eq!(answer.status, 502, "{lie}: {}", answer.body);
        let log = serve.process().log();
        let reported = why.split('|').any(|why| log.contains(why));
        assert!(reported, "{lie}: {why:?} is not in\n{log}");
    }
}

#[test]
fn a_zip_that_the_backend_has_changed_is_broken_off() {
    let world = World::new(300);
    let first = world.envoy(world.pinned(json!({})));
    download(first.address(), "web", MODULE).1.expect_ok();
    world.change();
    // Another Envoy, which has seen nothing: only the database knows what it should be.
    let second = world.envoy(world.pinned(json!({})));
    for envoy in [first, second] {
        let (go, said) = download(envoy.address(), "web", MODULE);
        said.expect_failure();
        assert_nothing_kept(&go);
        let mismatches = [("result", "mismatch"), ("evidence", "sumdb")];
        assert_eq!(sum(&envoy.prometheus(), CHECKS, &mismatches), 1.0);
    }
}
