//! The filter's own questions to a backend: each is the client's request with another path, behind real
//! Envoy and behind the simulator.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{Span, Timestamp};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::go::{Go, Sumdb};
use modgate_harness::hosts::Host;
use modgate_harness::http::{self, Response};
use modgate_harness::pki::{Authority, Holder};
use modgate_harness::recording::{Answer, Recording, Requested};
use serde_json::{Value, json};

const LIB: &str = "corp.example/lib";

fn policy() -> Value {
    json!({
        "version": "1", "default": "deny", "contact": "#go-platform",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}, "week": {"rules": ["week"]}, "free": {"rules": ["all"]}},
        "rules": {
            "org": [{"id": "cve", "deny": [LIB], "versions": ">=1.1.0"}, {"id": "all", "allow": ["*"]}],
            "week": [{"id": "quarantine", "allow": ["*"], "min_age": "7d"}],
            "all": [{"id": "all", "allow": ["*"]}],
        },
        "backends": {"main": {"cluster": "backend", "forward_headers": ["x-jfrog-art-api"]}},
        "routes": [{"id": "all", "backend": "main"}],
    })
}

/// What a module proxy answers: v1.0.0 is old, v1.1.0 young.
fn module(requested: &Requested) -> Answer {
    let info = |version: &str, days: i64| {
        let time = Timestamp::now() - Span::new().hours(24 * days);
        let info = json!({"Version": version, "Time": time.to_string()});
        Answer::text(200, &info.to_string())
    };
    match requested.file() {
        "list" => Answer::text(200, "v1.0.0\nv1.1.0\n"),
        "@latest" | "v1.1.0.info" => info("v1.1.0", 1),
        "v1.0.0.info" => info("v1.0.0", 100),
        file if file.ends_with(".mod") => Answer::text(200, &format!("module {LIB}\n")),
        file if file.ends_with(".zip") => Answer::text(200, "a zip"),
        _ => Answer::text(404, "not found\n"),
    }
}

fn get(host: &Host, tenant: &str, file: &str, headers: &[(&str, &str)]) -> Response {
    let path = format!("/t/{tenant}/{LIB}/{file}");
    http::request(host.address(), "GET", &path, headers)
}

/// What a Go command sends, and what a proxy in front of it adds.
const HEADERS: [(&str, &str); 12] = [
    ("user-agent", "Go-http-client/1.1"),
    ("accept-encoding", "gzip"),
    ("authorization", "Basic YWxpY2U6dG9r"),
    ("disable-module-fetch", "true"),
    ("x-jfrog-art-api", "key"),
    ("x-request-id", "7b0a1f1e-8a0e-4d0f-9d0b-3f6f2f0c6d11"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("x-modgate-cluster", "forged"),
    ("x-forwarded-user", "forged"),
    ("if-none-match", "\"x\""),
    ("if-modified-since", "Sat, 01 Nov 2025 00:00:00 GMT"),
    ("range", "bytes=0-1"),
];

#[test]
fn a_lookup_has_the_headers_of_the_request_that_it_is_for() {
    let backend = Recording::start(module);
    for host in Host::both(&policy(), backend.address()) {
        assert_eq!(get(&host, "week", "@v/v1.0.0.zip", &HEADERS).body, "a zip");
        let requested = backend.requested();
        let files: Vec<&str> = requested.iter().map(Requested::file).collect();
        assert_eq!(files, ["v1.0.0.info", "v1.0.0.zip"]);
        let [question, request] = [0, 1].map(|place| {
            let headers = requested[place].headers.iter().cloned();
            headers.collect::<BTreeSet<(String, String)>>()
        });
        let only = |these: &BTreeSet<(String, String)>, those| -> Vec<String> {
            let only = these.difference(those);
            only.map(|(name, value)| format!("{name}: {value}"))
                .collect()
        };
        // What would keep the answer from being read whole.
        assert_eq!(
            only(&request, &question),
            [
                "accept-encoding: gzip",
                "if-modified-since: Sat, 01 Nov 2025 00:00:00 GMT",
                "if-none-match: \"x\"",
                "range: bytes=0-1",
            ]
        );
        // And what the proxy itself says of a request that comes from inside.
        let envoys = [
            "x-envoy-expected-rq-timeout-ms: 300000",
            "x-envoy-internal: true",
        ];
        let own = only(&question, &request);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let (own, rest): (Vec<&str>, Vec<&str>) =
            own.into_iter().partition(|header| !envoys.contains(header));
        assert_eq!(own, ["accept-encoding: identity"], "{rest:?}");
        for name in [
            "authorization",
            "user-agent",
            "disable-module-fetch",
            "x-jfrog-art-api",
            "x-request-id",
            "host",
        ] {
            assert!(requested[0].header(name).is_some(), "{name}: {question:?}");
        }
        assert_eq!(
            requested[0].header("authorization"),
            Some("Basic YWxpY2U6dG9r")
        );
    }
}

#[test]
fn what_proves_an_identity_to_the_filter_is_on_no_question() {
    let mut policy = policy();
    policy["identity"] =
        json!([{"path_prefix": "/t/{tenant}"}, {"header": "x-team", "trusted": true}]);
    let backend = Recording::start(module);
    for host in Host::both(&policy, backend.address()) {
        assert_eq!(
            get(&host, "web", "@v/list", &[("x-team", "web")]).status,
            200
        );
        for requested in backend.requested() {
            assert_eq!(requested.header("x-team"), None, "{requested:?}");
        }
    }
}

#[test]
fn a_refusal_of_a_question_is_the_clients() {
    let backend = Recording::start(|requested| {
        let status = requested.header("x-forwarded-for").map(|_| 0);
        let wanted = requested.header("authorization").unwrap_or("200");
        let answer = Answer::text(
            wanted.parse().unwrap_or(status.unwrap_or(200)),
            "ask the owners\n",
        );
        answer
            .with("retry-after", "30")
            .with("www-authenticate", "Basic realm=\"Artifactory\"")
            .with("set-cookie", "a=b")
    });
    for host in Host::both(&policy(), backend.address()) {
        let rows = [
            ("web", "@v/list"),
            ("web", "@latest"),
            ("web", "@v/main.info"),
            ("week", "@v/v1.0.0.info"),
            ("week", "@v/v1.0.0.zip"),
        ];
        table_rows::check(rows, |(tenant, file)| {
            for status in ["401", "403", "404", "410", "429", "500", "503"] {
                let answer = get(&host, tenant, file, &[("authorization", status)]);
                let what = format!("{tenant} {file} {status}");
                assert_eq!(answer.status.to_string(), status, "{what}");
                assert_eq!(answer.body, "ask the owners\n", "{what}");
                assert_eq!(answer.header("retry-after"), Some("30"), "{what}");
                let realm = Some("Basic realm=\"Artifactory\"");
                assert_eq!(answer.header("www-authenticate"), realm, "{what}");
                assert_eq!(answer.header("set-cookie"), None, "{what}");
            }
        });
    }
}

/// A module of before there were modules.
const OLD: &str = "corp.example/old";

#[test]
fn whichever_lookup_a_backend_refuses_the_client_learns_when_to_retry() {
    // Which file it refuses, and how, the client says.
    let backend = Recording::start(|requested| {
        let wanted = requested.header("authorization").unwrap_or_default();
        let (file, status) = wanted.split_once(' ').unwrap_or_default();
        if requested.file() == file {
            return Answer::text(status.parse().unwrap(), "not now\n").with("retry-after", "30");
        }
        match (
            requested.path.starts_with(&format!("/{OLD}/")),
            requested.file(),
        ) {
            (true, "list") => {
                Answer::text(200, "v1.0.0\nv2.0.0+incompatible\nv3.0.0+incompatible\n")
            }
            (true, "@latest") => Answer::text(200, r#"{"Version":"v3.0.0+incompatible"}"#),
            _ => module(requested),
        }
    });
    let mut policy = policy();
    let org = policy["rules"]["org"].as_array_mut().unwrap();
    org.insert(0, json!({"id": "old", "deny": [OLD], "versions": ">=3"}));
    for host in Host::both(&policy, backend.address()) {
        let rows = [
            ("list", "web", LIB, "@v/list", "list"),
            ("latest", "web", LIB, "@latest", "@latest"),
            ("list for the latest", "web", LIB, "@latest", "list"),
            (
                "its go.mod for retractions",
                "web",
                LIB,
                "@latest",
                "v1.1.0.mod",
            ),
            ("info of the latest", "web", LIB, "@latest", "v1.0.0.info"),
            (
                "go.mod for retractions",
                "web",
                LIB,
                "@v/list",
                "v1.1.0.mod",
            ),
            (
                "go.mod of before modules",
                "web",
                OLD,
                "@latest",
                "v1.0.0.mod",
            ),
            ("branch", "web", LIB, "@v/main.info", "main.info"),
            (
                "age of the newest of a list",
                "week",
                LIB,
                "@v/list",
                "v1.1.0.info",
            ),
            ("age of the latest", "week", LIB, "@latest", "v1.1.0.info"),
            (
                "age of an info",
                "week",
                LIB,
                "@v/v1.0.0.info",
                "v1.0.0.info",
            ),
            ("age of a zip", "week", LIB, "@v/v1.0.0.zip", "v1.0.0.info"),
        ];
        table_rows::check(rows, |(question, tenant, module, file, refused)| {
            for status in [401, 429, 503] {
                let path = format!("/t/{tenant}/{module}/{file}");
                let refused = format!("{refused} {status}");
                let headers = [("authorization", refused.as_str())];
                let answer = http::request(host.address(), "GET", &path, &headers);
                let reported = (answer.status, answer.header("retry-after"), &*answer.body);
                assert_eq!(reported, (status, Some("30"), "not now\n"), "{question}");
            }
        });
    }
}

#[test]
fn of_a_refusals_body_the_client_gets_what_go_prints() {
    let backend = Recording::start(|requested| match requested.header("authorization") {
        Some("html") => Answer {
            status: 403,
            headers: vec![("content-type", "text/html".to_owned())],
            body: b"<html>login</html>".to_vec(),
        },
        Some("bell") => Answer::text(403, "\x07\x1b[2J"),
        _ => Answer::text(403, &"line\n".repeat(1000)),
    });
    for host in Host::both(&policy(), backend.address()) {
        let body = |which| get(&host, "web", "@v/list", &[("authorization", which)]).body;
        assert_eq!(body("html"), "");
        assert_eq!(body("bell"), "");
        assert_eq!(body("long"), "line\n".repeat(8));
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_list_is_never_read_as_an_empty_one() {
    let backend = Recording::start(|requested| {
        let plain = module(requested);
        let coding = requested.header("authorization").unwrap_or_default();
        if requested.file() != "list" || coding.is_empty() {
            return plain;
        }
        let compressed = gzip(&plain.body);
        let body = if coding == "broken" {
            compressed[..9].to_vec()
        } else {
            compressed
        };
        let coding = if coding == "broken" { "gzip" } else { coding };
        let answer = Answer { body, ..plain };
        if coding == "unsaid" {
            return answer;
        }
        answer.with("content-encoding", coding)
    });
    for host in Host::both(&policy(), backend.address()) {
        let list = |coding| get(&host, "web", "@v/list", &[("authorization", coding)]);
        assert_eq!(
            (list("gzip").status, list("gzip").body.as_str()),
            (200, "v1.0.0\n")
        );
        let rows = [
            ("br", "a content coding that was not asked for"),
            ("broken", "called gzip and is not"),
            ("unsaid", "its list is no text"),
        ];
        table_rows::check(rows, |(coding, why)| {
            let answer = list(coding);
            assert_eq!(answer.status, 502, "{coding}: {}", answer.body);
            assert!(answer.body.contains(why), "{coding}: {}", answer.body);
        });
    }
}

/// A backend at which alice has the module, and bob has not.
fn hers(requested: &Requested) -> Answer {
    match requested.header("authorization") {
        Some("Basic alice") => module(requested),
        Some(_) => Answer::text(403, "not yours\n"),
        None => Answer::text(401, "who are you?\n").with("www-authenticate", "Basic realm=x"),
    }
}

#[test]
fn what_one_user_was_shown_is_not_answered_to_another() {
    let backend = Recording::start(hers);
    let wanted = [
        ("web", "@v/list"),
        ("web", "@latest"),
        ("week", "@v/list"),
        ("week", "@v/v1.0.0.info"),
        ("week", "@v/v1.0.0.zip"),
        // Denied to everybody who may see it, and not to be seen by others.
        ("week", "@v/v1.1.0.zip"),
        ("week", "@v/v1.1.0.info"),
    ];
    for order in [
        ["Basic alice", "Basic bob", ""],
        ["", "Basic bob", "Basic alice"],
    ] {
        for host in Host::both(&policy(), backend.address()) {
            let all_of = |user: &str| {
                let credentials = [("authorization", user)];
                let credentials = &credentials[..usize::from(!user.is_empty())];
                let answers = wanted.map(|(tenant, file)| get(&host, tenant, file, credentials));
                for ((tenant, file), answer) in wanted.iter().zip(&answers) {
                    let said = (answer.status, answer.body.as_str());
                    let what = format!("{user:?} {tenant} {file}: {said:?}");
                    match user {
                        "" => assert_eq!(said, (401, "who are you?\n"), "{what}"),
                        "Basic bob" => assert_eq!(said, (403, "not yours\n"), "{what}"),
                        _ if file.contains("v1.1.0") => {
                            assert!(
                                said.0 == 403 && said.1.contains("the version is too new"),
                                "{what}"
                            );
                        }
                        _ => assert_eq!(said.0, 200, "{what}"),
                    }
                }
            };
            order.iter().for_each(|user| all_of(user));
            // Each user's own is remembered, and nobody else's.
            backend.requested();
            order.iter().for_each(|user| all_of(user));
            let requested = backend.requested();
            let ages = |user: Option<&str>| {
                let of_user = requested
                    .iter()
                    .filter(|requested| requested.header("authorization") == user);
                of_user
                    .filter(|requested| requested.file() == "v1.1.0.info")
                    .count()
            };
            assert_eq!(ages(Some("Basic alice")), 0, "{requested:?}");
            assert!(ages(Some("Basic bob")) > 0 && ages(None) > 0);
        }
    }
}

#[test]
fn what_was_shown_by_way_of_a_redirect_is_not_answered_to_another() {
    // Who is asked first does not know the users, and sends on to who does.
    let first = Recording::start(|requested| {
        Answer::text(302, "").with(
            "location",
            format!("https://proxy.example{}", requested.path),
        )
    });
    let second = Recording::start(hers);
    let mut policy = policy();
    policy["backends"] = json!({
        "main": {
            "cluster": "backend", "headers": {"authorization": {"secret": "token"}},
            "redirects": [{"to": "https://proxy.example", "rewrite": "/up"}],
        },
        "other": {"cluster": "other"},
    });
    policy["routes"] = json!([
        {"id": "up", "path_prefix": "/up", "rewrite": "/", "backend": "other"},
        {"id": "all", "backend": "main"},
    ]);
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "Basic of the first").unwrap();
    let clusters = [("backend", first.address()), ("other", second.address())];
    for host in Host::both_routed(&policy, &clusters, &[("token", secret.path())]) {
        for _ in 0..2 {
            for (user, denied) in [("alice", "the version is too new"), ("bob", "not yours")] {
                let authorization = format!("Basic {user}");
                let credentials = [("authorization", authorization.as_str())];
                let answer = get(&host, "week", "@v/v1.1.0.zip", &credentials);
                assert_eq!(answer.status, 403, "{user}: {}", answer.body);
                assert!(answer.body.contains(denied), "{user}: {}", answer.body);
            }
        }
        for requested in first.requested() {
            assert_eq!(
                requested.header("authorization"),
                Some("Basic of the first")
            );
        }
    }
}

#[test]
fn real_go_with_a_token_of_its_own_works_behind_rules_about_versions() {
    let authority = Authority::new();
    let server = authority.issue(&Holder {
        names: &["localhost"],
        ..Holder::default()
    });
    let dir = tempfile::tempdir().unwrap();
    let tree = [("v1.0.0", 100), ("v1.1.0", 1)].map(|(version, days)| {
        let module = modgate_goproxy::Module::new(LIB, version).file("lib.go", "package lib\n");
        module.time(Timestamp::now() - Span::new().hours(24 * days))
    });
    modgate_goproxy::Tree::write(dir.path(), &tree).unwrap();
    let root = dir.path().to_owned();
    // base64 of alice:sesame
    let backend = Recording::start(move |requested| {
        if requested.header("authorization") != Some("Basic YWxpY2U6c2VzYW1l") {
            return Answer::text(401, "who are you?\n").with("www-authenticate", "Basic realm=x");
        }
        match std::fs::read(root.join(requested.path.trim_start_matches('/'))) {
            Ok(body) => Answer {
                body,
                ..Answer::text(200, "")
            },
            Err(_) => Answer::text(404, "not found\n"),
        }
    });
    let config = Config::new(policy(), &[("backend", backend.address())]);
    let envoy = Envoy::start_with(&config, |listener| listener.serve_https(&server, None));
    let rows = [
        ("web", "alice", Ok("v1.0.0")),
        ("week", "alice", Ok("v1.0.0")),
        ("free", "alice", Ok("v1.1.0")),
        ("web", "mallory", Err("401 Unauthorized")),
        ("week", "mallory", Err("401 Unauthorized")),
    ];
    table_rows::check(rows, |(tenant, user, ends)| {
        let port = envoy.address().port();
        let goproxy = format!("https://localhost:{port}/t/{tenant}");
        let go = Go::new(&goproxy, Sumdb::Off).trusting(&authority);
        let netrc = format!("machine localhost:{port} login {user} password sesame\n");
        std::fs::write(go.home().join(".netrc"), netrc).unwrap();
        let got = go.run(&["get", &format!("{LIB}@latest")]);
        match ends {
            Ok(version) => {
                got.expect_ok();
                assert!(go.has(&format!("{LIB}@{version}")), "{tenant} {user}");
            }
            Err(why) => {
                let said = got.expect_failure();
                assert!(
                    said.contains(why) && said.contains("who are you?"),
                    "{said}"
                );
            }
        }
    });
}

/// Two backends, of which the first sends everything on to where `to` says.
fn sent_on(
    to: impl Fn(&Requested) -> String + Send + Sync + 'static,
    redirects: &Value,
) -> (Value, Recording, Recording) {
    let first = Recording::start(move |requested| {
        Answer::text(302, "there\n").with("location", to(requested))
    });
    let second = Recording::start(module);
    let mut policy = policy();
    policy["backends"] = json!({
        "main": {"cluster": "backend", "redirects": redirects},
        "other": {"cluster": "other", "base_path": "/base", "authority": "other.example",
            "headers": {"x-token": {"secret": "token"}}},
    });
    policy["routes"] = json!([
        {"id": "up", "path_prefix": "/up", "rewrite": "/", "backend": "other"},
        {"id": "all", "backend": "main"},
    ]);
    (policy, first, second)
}

#[test]
fn a_lookup_carries_credentials_only_to_the_backend_that_gets_them_anyway() {
    let key = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let (files, database) = (Recording::start(module), Recording::start(module));
    let mut policy = policy();
    policy["backends"]["other"] = json!({"cluster": "other"});
    for (backend, carries) in [("main", true), ("other", false)] {
        // A go.mod stays back until the database has answered.
        policy["integrity"] = json!({
            "mode": "enforce", "on_unknown": "allow", "allow_on_headers_stop_iteration": true,
            "sumdb": {"key": key, "backend": backend, "proxied": true},
        });
        let clusters = [("backend", files.address()), ("other", database.address())];
        for host in Host::both_routed(&policy, &clusters, &[]) {
            get(&host, "free", "@v/v1.0.0.mod", &HEADERS);
            let mut requested = files.requested();
            requested.extend(database.requested());
            let is_lookup = |requested: &&Requested| {
                requested.path.starts_with("/sumdb/sum.golang.org/lookup/")
            };
            let lookup = requested.iter().find(is_lookup);
            let lookup = lookup.unwrap_or_else(|| panic!("nothing was looked up: {requested:?}"));
            let wanted = if carries {
                [Some("Basic YWxpY2U6dG9r"), Some("Go-http-client/1.1")]
            } else {
                [None, Some("modgate")]
            };
            assert_eq!(
                ["authorization", "user-agent"].map(|name| lookup.header(name)),
                wanted,
                "{lookup:?}"
            );
        }
    }
}

#[test]
fn a_redirect_that_the_policy_leads_to_a_backend_is_followed() {
    let redirects = json!([{"to": "https://proxy.example", "rewrite": "/up"}]);
    let (policy, first, second) = sent_on(
        |requested| format!("https://proxy.example{}", requested.path),
        &redirects,
    );
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "of the other").unwrap();
    let clusters = [("backend", first.address()), ("other", second.address())];
    let credentials = [("authorization", "Basic alice"), ("x-token", "forged")];
    for host in Host::both_routed(&policy, &clusters, &[("token", secret.path())]) {
        assert_eq!(get(&host, "web", "@v/list", &credentials).body, "v1.0.0\n");
        let requested = first.requested();
        let files: Vec<&str> = requested.iter().map(Requested::file).collect();
        assert_eq!(files, ["list", "v1.1.0.mod"]);
        for requested in second.requested() {
            assert!(
                requested.path.starts_with("/base/corp.example/lib/@v/"),
                "{requested:?}"
            );
            // As a client's request there: see the second half.
            assert_eq!(requested.header("authorization"), Some("Basic alice"));
            assert_eq!(requested.header("x-token"), Some("of the other"));
        }
        let latest = get(&host, "web", "@latest", &credentials);
        assert!(latest.body.contains("v1.0.0"), "{}", latest.body);
        assert_eq!(
            get(&host, "week", "@v/v1.1.0.info", &credentials).status,
            403
        );
        second.requested();

        // The client is led the same way.
        let led = get(&host, "free", "@v/list", &credentials);
        let place = format!("/t/free/up/{LIB}/@v/list");
        assert_eq!(led.header("location"), Some(place.as_str()));
        assert_eq!(
            http::request(host.address(), "GET", &place, &credentials).status,
            200
        );
        let [led] = &second.requested()[..] else {
            panic!("it was asked more than once, or not at all");
        };
        assert_eq!(led.header("authorization"), Some("Basic alice"));
        assert_eq!(led.header("x-token"), Some("of the other"));
        first.requested();
    }
}

#[test]
fn no_other_redirect_is_followed() {
    let redirects = json!([
        {"to": "https://cdn.example", "pass": true},
        {"to": "/a", "rewrite": "/"},
        {"to": "/", "rewrite": "/"},
    ]);
    // Where to is in the request.
    let location =
        |requested: &Requested| requested.header("authorization").unwrap_or("/").to_owned();
    let (policy, first, second) = sent_on(location, &redirects);
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "of the other").unwrap();
    let clusters = [("backend", first.address()), ("other", second.address())];
    for host in Host::both_routed(&policy, &clusters, &[("token", secret.path())]) {
        let rows = [
            ("https://evil.example/x", "no redirect to evil.example"),
            (
                "https://cdn.example/x?sig=secret",
                "only the client can ask",
            ),
            ("/corp.example/lib/@v/list", "in a circle"),
            ("/a/corp.example/other/@v/list", "leads to no backend"),
            ("/a/corp.example/lib/@v/v1.0.0.info", "another file"),
        ];
        table_rows::check(rows, |(to, why)| {
            let answer = get(&host, "web", "@v/list", &[("authorization", to)]);
            assert_eq!(answer.status, 502, "{to}: {}", answer.body);
            assert!(answer.body.contains(why), "{to}: {}", answer.body);
            assert_eq!(first.requested().len(), 1, "{to}");
            assert!(second.requested().is_empty(), "{to}");
        });
    }
}

#[test]
fn a_chain_of_redirects_is_followed_a_few_times() {
    let redirects = json!([{"to": "/", "rewrite": "/"}]);
    let next = |requested: &Requested| {
        let Some(rest) = requested.path.strip_prefix("/r") else {
            return format!("/r1{}", requested.path);
        };
        let (number, path) = rest.split_once('/').unwrap();
        format!("/r{}/{path}", number.parse::<u32>().unwrap() + 1)
    };
    let (mut policy, first, second) = sent_on(next, &redirects);
    let numbered = (1..9).map(|number| {
        json!({"id": format!("r{number}"), "path_prefix": format!("/r{number}"), "backend": "main"})
    });
    let all = json!({"id": "all", "backend": "main"});
    policy["routes"] = numbered.chain([all]).collect();
    policy["backends"].as_object_mut().unwrap().remove("other");
    let clusters = [("backend", first.address()), ("other", second.address())];
    for host in Host::both_routed(&policy, &clusters, &[]) {
        let answer = get(&host, "web", "@v/list", &[]);
        assert_eq!(answer.status, 502, "{}", answer.body);
        assert!(answer.body.contains("more than 4 times"), "{}", answer.body);
        assert_eq!(first.requested().len(), 5);
    }
}
