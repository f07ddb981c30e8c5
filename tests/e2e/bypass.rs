//! Nobody gets around it: the bypass corpus, raw over sockets, against real Envoy and the simulator.
//!
//! Beside what each case expects, one invariant holds for all of them, judged by Go's own `net/http`
//! and `golang.org/x/mod` and by plain lists of names: no backend ever receives a request that a Go
//! proxy would decode as something the tenant may not have, and what it receives is the one form in
//! which go would send it.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use modgate_harness::bypass::case::{Case, Expected, load};
use modgate_harness::bypass::client::{Seen, send};
use modgate_harness::bypass::recorder::Recorder;
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::serve::Serve;
use modgate_harness::tools::root;
use modgate_harness::xmod;
use serde_json::{Value, json};

/// What the tenants may have: prefixes of module paths, and those that are taken out again.
const MAY_HAVE: &[(&str, &[&str], &[&str])] = &[
    (
        "web",
        &[
            "golang.org",
            "github.com/BurntSushi/toml",
            "gopkg.in/yaml.v3",
        ],
        &["example.org/secret"],
    ),
    ("payments", &["corp.example/payments"], &[]),
];

/// The client's headers that a backend may receive, and what is said of how a message is carried.
const OF_CLIENTS: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "b3",
    "connection",
    "content-length",
    "disable-module-fetch",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "x-forwarded-for",
    "x-request-id",
];

/// What a backend may receive of the proxy, and of nobody else.
const OF_PROXIES: &[&str] = &[
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-forwarded-proto",
];

/// What clients of the corpus write into headers that are not theirs to write.
const THEIRS: &str = "theirs";

/// Whether a backend may receive this line of a head.
fn may_receive(line: &str) -> bool {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let name = name.to_ascii_lowercase();
    let is_of_client = OF_CLIENTS.contains(&name.as_str());
    is_of_client || (OF_PROXIES.contains(&name.as_str()) && !value.contains(THEIRS))
}

fn policy() -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "identity": [
            {"path_prefix": "/t/{tenant}"},
            {"header": "x-corp-tenant", "trusted": true},
            {"header": "x-old-tenant"}
        ],
        "tenants": {"web": {"rules": ["web"]}, "payments": {"rules": ["payments"]}},
        "rules": {
            "web": [
                {"id": "secret", "deny": MAY_HAVE[0].2},
                {"id": "public", "allow": MAY_HAVE[0].1}
            ],
            "payments": [{"id": "own", "allow": MAY_HAVE[1].1}]
        },
        "backends": {
            "public": {"cluster": "public"},
            "private": {"cluster": "private", "base_path": "/base"}
        },
        "routes": [
            {"id": "v1", "path_prefix": "/go.dev/v1", "rewrite": "/private.proxy/v1", "backend": "private"},
            {"id": "corp", "modules": ["corp.example"], "backend": "private"},
            {"id": "rest", "backend": "public"}
        ],
        "sumdb": {"sum.golang.org": {"backend": "public"}, "db.example/sums": {"backend": "private"}}
    })
}

/// What came of a case on one host.
struct Outcome<'c> {
    case: &'c Case,
    seen: Seen,
    /// The heads that backends received, and what stands before the module in their URLs.
    received: Vec<(Vec<u8>, &'static str)>,
}

fn run<'c>(address: SocketAddr, cases: &'c [Case], backends: &[Recorder; 2]) -> Vec<Outcome<'c>> {
    let outcome = |case| {
        let seen = send(address, case).unwrap();
        let [public, private] = backends;
        let public = public.take().into_iter().map(|head| (head, ""));
        let private = private.take().into_iter().map(|head| {
            let rewritten = String::from_utf8_lossy(&head).contains(" /base/private.proxy/v1/");
            let prefix = if rewritten {
                "/base/private.proxy/v1"
            } else {
                "/base"
            };
            (head, prefix)
        });
        let received = public.chain(private).collect();
        Outcome {
            case,
            seen,
            received,
        }
    };
    cases.iter().map(outcome).collect()
}

/// What is wrong with an outcome by the case's own expectation.
fn unexpected(outcome: &Outcome<'_>, expected: &[Expected]) -> Option<String> {
    let targets: Vec<_> = outcome
        .received
        .iter()
        .map(|(head, _)| target(head))
        .collect();
    let fits = |expected: &Expected| match expected {
        Expected::Status(status) => outcome.seen == Seen::Status(*status) && targets.is_empty(),
        Expected::Answered(status) => outcome.seen == Seen::Status(*status),
        Expected::Closed => outcome.seen == Seen::Closed,
        Expected::Forwarded(path) => {
            outcome.seen == Seen::Status(200) && targets.iter().any(|target| target == path)
        }
    };
    (!expected.iter().any(fits)).then(|| {
        let seen = outcome.seen;
        format!("expected {expected:?}, saw {seen:?}, a backend received {targets:?}")
    })
}

fn target(head: &[u8]) -> String {
    let line = String::from_utf8_lossy(head);
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// What is wrong with a request that a backend received, by Go's reading of it.
fn violation(tenant: &str, head: &[u8], go: &Value) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().skip(1).take_while(|line| !line.is_empty());
    let forbidden = lines.find(|line| !may_receive(line));
    if let Some(line) = forbidden {
        return Some(format!("a backend received the header {line:?}"));
    }
    if text.replace("\r\n", "").contains(['\r', '\n', '\0']) {
        return Some(format!(
            "a backend received a line break of its own: {text:?}"
        ));
    }
    let value = go["Value"].as_str().unwrap_or_default();
    if go["OK"] != true {
        return Some(format!(
            "a backend received what Go cannot read ({value}): {text:?}"
        ));
    }
    let mut fields = value.split(' ');
    let (method, canonical, module) = (fields.next()?, fields.next()?, fields.next()?);
    if !matches!(method, "GET" | "HEAD") || target(head) != canonical {
        return Some(format!(
            "go would send {method} {canonical}, a backend received {text:?}"
        ));
    }
    let (_, allowed, denied) = MAY_HAVE.iter().find(|(name, ..)| *name == tenant)?;
    let covers = |prefix: &&str| {
        let rest = module.strip_prefix(*prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let may_have = module.is_empty() || (allowed.iter().any(covers) && !denied.iter().any(covers));
    (!may_have).then(|| format!("BYPASS: {tenant} got at {module}: {text:?}"))
}

#[test]
fn no_case_gets_anything_past_the_filter() {
    let corpus = root().join("tests/bypass");
    let cases = load(&corpus);
    assert!(cases.len() >= 300, "only {} cases were found", cases.len());
    let record = || [Recorder::start().unwrap(), Recorder::start().unwrap()];
    let (behind_envoy, behind_serve) = (record(), record());
    fn clusters(of: &[Recorder; 2]) -> [(&'static str, SocketAddr); 2] {
        [("public", of[0].address()), ("private", of[1].address())]
    }
    let config = Config::new(policy(), &clusters(&behind_envoy));
    let envoy = Envoy::start_with(&config, |listener| listener.close_at_once());
    let serve = Serve::start(&policy(), &clusters(&behind_serve));
    let (by_envoy, by_serve) = std::thread::scope(|scope| {
        let envoy = scope.spawn(|| run(envoy.address(), &cases, &behind_envoy));
        let serve = scope.spawn(|| run(serve.address(), &cases, &behind_serve));
        (envoy.join().unwrap(), serve.join().unwrap())
    });

    let mut failures = Vec::new();
    let mut received = Vec::new();
    for (host, outcomes) in [("envoy", &by_envoy), ("serve", &by_serve)] {
        for outcome in outcomes {
            let case = outcome.case;
            let expected = if host == "envoy" {
                &case.envoy
            } else {
                &case.serve
            };
            if let Some(what) = unexpected(outcome, expected) {
                failures.push(format!("{host} {} ({}): {what}", case.name, case.about));
            }
            for (head, prefix) in &outcome.received {
                received.push((host, case, head, *prefix));
            }
        }
    }
    let question = |(_, _, head, prefix): &(&str, &Case, &Vec<u8>, &str)| json!({"Kind": "received", "A": STANDARD.encode(head), "B": prefix});
    let questions: Vec<Value> = received.iter().map(question).collect();
    for ((host, case, head, _), go) in received.iter().zip(xmod::ask(&questions)) {
        if let Some(what) = violation(&case.tenant, head, &go) {
            failures.push(format!("{host} {}: {what}", case.name));
        }
    }
    println!(
        "{} cases on two hosts, {} requests reached a backend, {} failures",
        cases.len(),
        received.len(),
        failures.len()
    );
    // Or nothing was compared with anything.
    assert!(received.len() > 50);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
