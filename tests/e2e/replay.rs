//! `modgate replay` as a person runs it: on the access logs of real proxies, and on logs that others
//! could have written.

use std::path::Path;
use std::process::Output;

use modgate_goproxy::{Module, Server, Tree};
use modgate_harness::envoy::{Config, Envoy};
use modgate_harness::http;
use modgate_harness::modgate::{modgate, stderr, stdout};
use modgate_harness::serve::Serve;
use serde_json::{Value, json};

fn policy() -> Value {
    json!({
        "version": "1", "default": "deny",
        "identity": [{"path_prefix": "/t/{tenant}"}],
        "tenants": {"web": {"rules": ["org"]}, "ops": {"rules": ["org"]}},
        "rules": {"org": [
            {"id": "own", "allow": ["corp.example"]},
            {"id": "public", "allow": ["golang.org"]},
        ]},
        "backends": {"main": {"cluster": "backend"}},
        "routes": [
            {"id": "mirror", "path_prefix": "/mirror/v1", "rewrite": "/", "backend": "main"},
            {"id": "all", "backend": "main"},
        ],
    })
}

/// The same with another rule in front.
fn with_rule(rule: Value) -> Value {
    let mut changed = policy();
    changed["version"] = json!("2");
    let rules = changed["rules"]["org"].as_array_mut();
    rules.unwrap().insert(0, rule);
    changed
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

fn replay(log: &[u8], policy: &Value, candidate: Option<&Value>, more: &[&str]) -> Output {
    let files = Files::new();
    let policy = files.write("policy.json", policy.to_string());
    let mut arguments = vec!["replay", "-", "--policy", &policy];
    let other;
    if let Some(candidate) = candidate {
        other = files.write("candidate.json", candidate.to_string());
        arguments.extend(["--candidate", &other]);
    }
    arguments.extend(more);
    modgate(arguments, log)
}

#[track_caller]
fn report(log: &[u8], policy: &Value, candidate: Option<&Value>, more: &[&str]) -> Value {
    let output = replay(log, policy, candidate, &[&["--json"], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn backend(dir: &Path) -> Server {
    let modules = ["v1.0.0", "v1.1.0"].map(|v| Module::new("corp.example/Lib", v));
    Tree::write(dir, &modules).unwrap();
    Server::start(dir).unwrap()
}

#[test]
fn real_logs_of_both_hosts_are_replayed_against_a_changed_policy() {
    let dir = tempfile::tempdir().unwrap();
    let server = backend(dir.path());
    let clusters = [("backend", server.address())];
    let config = Config::new(policy(), &clusters);
    let mut envoy = Envoy::start_with(&config, |listener| listener.close_at_once());
    let mut serve = Serve::start(&policy(), &clusters);
    let requested = [
        "/t/web/corp.example/!lib/@v/list",
        "/t/web/corp.example/%21lib/@v/v1.0.0.zip",
        "/t/web/corp.example/!lib/@v/v1.0.0.zip",
        "/t/web/mirror/v1/corp.example/!lib/@v/v1.1.0.info",
        "/t/ops/corp.example/!lib/@v/v1.1.0.mod",
        "/t/ops/corp.example/!lib/@v/main.info",
        "/t/ops/elsewhere.example/x/@v/list",
        "/t/nobody/corp.example/!lib/@v/list",
        "/t/web/%1b[2J\"",
        "/healthz",
    ];
    for (address, process) in [
        (envoy.address(), envoy.process()),
        (serve.address(), serve.process()),
    ] {
        for path in requested {
            http::get(address, path);
        }
        let lines = process.json_lines(requested.len());
        let log: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let same = report(log.as_bytes(), &policy(), Some(&policy()), &[]);
        assert_eq!(same["changes"], json!([]), "{same}");
        assert_eq!(same["evaluated"], 7, "{same}");
        assert_eq!(same["logged_otherwise"], 0, "{same}");

        let deny = json!({"id": "old", "deny": ["corp.example"], "versions": "<v1.1.0"});
        let reported = report(log.as_bytes(), &policy(), Some(&with_rule(deny)), &[]);
        assert_eq!(reported["newly_denied"], 2, "{reported}");
        let change = &reported["changes"][0];
        let expected = json!({
            "requests": 2, "tenant": "web", "module": "corp.example/Lib", "versions": ["v1.0.0"],
            "operations": ["zip"], "newly": "denied", "policy_rule": "org/own",
            "candidate_rule": "org/old",
        });
        assert_eq!(*change, expected);
        // The list of web and the branch of ops, of which some versions may be left out.
        assert_eq!(reported["as_a_whole"], 2, "{reported}");

        // What stands before the module chooses the route, and that can be gone.
        let mut unrouted = policy();
        unrouted["routes"] = json!([
            {"id": "mirror", "path_prefix": "/mirror/v1", "modules": ["golang.org"], "rewrite": "/", "backend": "main"},
            {"id": "all", "backend": "main"},
        ]);
        let reported = report(log.as_bytes(), &policy(), Some(&unrouted), &[]);
        let change = &reported["changes"][0];
        assert_eq!(
            (&change["versions"], &change["candidate_rule"]),
            (&json!(["v1.1.0"]), &json!("route"))
        );
        assert_eq!(reported["newly_denied"], 1, "{reported}");
    }
}

#[test]
fn a_rollout_is_compared_with_the_rules_in_force_at_every_stage() {
    let log = b"web /corp.example/a/@v/v1.0.0.zip\nops /corp.example/a/@v/v1.0.0.zip\n\
                web golang.org/x/text/@v/list\nweb /t/web/example.org/new/@latest";
    for stage in ["off", "shadow", "enforce"] {
        let mut policy = policy();
        policy["rules"]["next"] = json!([
            {"id": "freeze", "deny": ["corp.example"]},
            {"id": "all", "allow": ["*"]},
        ]);
        policy["tenants"]["web"]["rollout"] = json!({"candidate": ["next"], "stage": stage});
        let reported = report(log, &policy, None, &[]);
        assert_eq!(
            (&reported["newly_denied"], &reported["newly_allowed"]),
            (&1.into(), &1.into()),
            "{stage} {reported}"
        );
        let tenants = reported["tenants"].as_array().unwrap();
        let counts = |i: usize| {
            let tenant: &Value = &tenants[i];
            let side = |side: &str| tenant[side]["allowed"].as_u64().unwrap();
            (tenant["tenant"].clone(), side("policy"), side("candidate"))
        };
        assert_eq!(counts(0), ("ops".into(), 1, 1), "{stage}");
        assert_eq!(counts(1), ("web".into(), 2, 2), "{stage}");
        let failed = replay(log, &policy, None, &["--fail-on-newly-denied"]);
        assert_eq!(failed.status.code(), Some(1));
        assert!(stderr(&failed).contains("1 of 4 requests are newly denied"));
    }
    let none = replay(log, &policy(), None, &[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("no tenant of") && stderr(&none).contains("--candidate"));
    // Nothing is newly denied where more is allowed.
    let wider = with_rule(json!({"id": "all", "allow": ["*"]}));
    let good = replay(log, &policy(), Some(&wider), &["--fail-on-newly-denied"]);
    assert!(good.status.success(), "{}", stderr(&good));
}

#[test]
fn an_age_is_old_enough_unless_it_is_said() {
    // The go.mod file of a young version is served, so its age has no say.
    let log = b"web /corp.example/a/@v/v1.0.0.zip\nweb /corp.example/a/@v/v1.0.0.info\n\
        web /corp.example/a/@v/v1.0.0.mod\nweb /golang.org/x/@v/list\n";
    let quarantine = with_rule(json!({"id": "quarantine", "allow": ["*"], "min_age": "7d"}));
    let reported = report(log, &policy(), Some(&quarantine), &[]);
    assert_eq!(
        (&reported["newly_denied"], &reported["by_age"]),
        (&0.into(), &2.into())
    );
    let reported = report(log, &policy(), Some(&quarantine), &["--age", "6d"]);
    assert_eq!(
        (&reported["newly_denied"], &reported["by_age"]),
        (&2.into(), &2.into())
    );
    assert_eq!(reported["changes"][0]["candidate_rule"], "org/quarantine");
    let text = stdout(&replay(log, &policy(), Some(&quarantine), &[]));
    assert!(
        text.contains(
            "a rule with min_age applies to 2 requests; every version was assumed to be old enough"
        ),
        "{text}"
    );
    let wrong = replay(log, &policy(), Some(&quarantine), &["--age", "a week"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_tenant_that_a_policy_does_not_know_is_reported() {
    let log = b"ghost /corp.example/a/@v/list\nghost /golang.org/x/text/@v/list\n";
    let reported = report(log, &policy(), Some(&policy()), &[]);
    assert_eq!(reported["tenants"][0]["policy"]["refused"], 2, "{reported}");
    assert_eq!(
        reported["tenants"][0]["policy"]["evaluated_as"],
        Value::Null
    );
    let mut anyone = policy();
    anyone["tenants"]["*"] = json!({"rules": ["org"]});
    let reported = report(log, &anyone, Some(&policy()), &[]);
    assert_eq!(reported["newly_denied"], 2, "{reported}");
    assert_eq!(reported["changes"][0]["candidate_rule"], "identity");
    let text = stdout(&replay(log, &anyone, Some(&policy()), &[]));
    for note in [
        "the policy has no tenant ghost: 2 requests evaluated as *",
        "the candidate has no tenant ghost: 2 requests refused",
    ] {
        assert!(text.contains(note), "{text}");
    }
}

#[test]
fn a_hostile_log_is_counted_by_reason_and_steers_no_terminal() {
    let line = |members: Value| {
        let mut line = json!({
            "modgate": "0123456789ab", "tenant": "web", "operation": "zip",
            "module": "corp.example/a", "version": "v1.0.0", "decision": "allow",
            "path": "/t/web/corp.example/a/@v/v1.0.0.zip",
        });
        for (key, value) in members.as_object().unwrap() {
            line[key] = value.clone();
        }
        line.to_string()
    };
    let long = "a".repeat(1100);
    let readable = [
        line(json!({})),
        // The path of another proxy's prefix, a path that was cut, or none: the other members tell.
        line(json!({"path": "/goproxy/web/corp.example/a/@v/v1.0.0.zip"})),
        line(json!({"path": format!("/t/web/{long}...")})),
        line(json!({"path": ""})),
        // A path that says another module than the line is not believed.
        line(json!({"path": "/t/web/elsewhere.example/a/@v/v1.0.0.zip"})),
        line(json!({"operation": "list", "version": "-", "path": "-"})),
        "web /corp.example/a/@latest".to_owned(),
        "web /sumdb/sum.golang.org/lookup/corp.example/a@v1.0.0".to_owned(),
    ];
    let no_request = [
        r#"{"time":"2026-11-23T13:39:57.502Z","status":503,"modgate":"-"}"#.to_owned(),
        line(json!({"tenant": "-"})),
        line(json!({"module": "-", "operation": "other"})),
        "web /sumdb/sum.golang.org/tile/8/0/000".to_owned(),
    ];
    let mut unreadable: Vec<Vec<u8>> = [
        "",
        "web",
        "\u{1b}[31mweb \u{1b}]0;owned\u{7} x",
        "{\"tenant\": \"we",
        "{\"tenant\": \"web\", \"tenant\": \"ops\", \"module\": \"a.b\"}",
        "{\"status\": 200}",
        "[2026-11-23 12:00:00.000][1][info] starting",
        "we/b /corp.example/a/@v/list",
        "web /corp.example/A/@v/list",
        "web /corp.example/a/@v/../../x/@v/list",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    unreadable.push(b"web /corp.example/\xff/@v/list".to_vec());
    unreadable.push(vec![b'x'; 1 << 20]);
    for members in [
        json!({"tenant": "\u{1b}[2J"}),
        json!({"module": "corp.example/\u{1b}[2J", "path": "-"}),
        json!({"module": format!("corp.example/{long}..."), "path": "-"}),
        json!({"version": "v1", "path": "-"}),
        json!({"operation": "rm", "path": "-"}),
        json!({"tenant": null}),
    ] {
        unreadable.push(line(members).into_bytes());
    }
    let mut log = Vec::new();
    for good in readable.iter().chain(&no_request) {
        log.extend(good.as_bytes());
        log.extend(b"\r\n");
    }
    for bad in &unreadable {
        log.extend(bad);
        log.push(b'\n');
    }
    let deny = with_rule(json!({"id": "stop", "deny": ["corp.example/a"]}));
    let reported = report(&log, &policy(), Some(&deny), &[]);
    let lines = |is_no_request: bool| -> u64 {
        let all = reported["not_evaluated"].as_array().unwrap().iter();
        let of_kind = all.filter(|unread| unread["is_no_request"] == is_no_request);
        of_kind
            .map(|unread| unread["lines"].as_u64().unwrap())
            .sum()
    };
    assert_eq!(reported["evaluated"], readable.len(), "{reported}");
    assert_eq!(reported["newly_denied"], readable.len(), "{reported}");
    assert_eq!(lines(true), no_request.len() as u64, "{reported}");
    assert_eq!(lines(false), unreadable.len() as u64, "{reported}");
    let empty = &reported["not_evaluated"][0]["first"][0];
    assert!(empty["line"].as_u64().unwrap() > 8, "{reported}");

    let output = replay(&log, &policy(), Some(&deny), &[]);
    let (out, err) = (stdout(&output), stderr(&output));
    let steers = |c: char| c != '\n' && c.is_control();
    assert!(!out.contains(steers) && !err.contains(steers), "{out}{err}");
    assert!(out.contains("standard input:13: ") && out.contains("neither JSON nor"));

    // A log in which nothing can be evaluated proves nothing.
    let nothing = replay(b"x\n\n", &policy(), Some(&deny), &[]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("nothing was evaluated"));
}

#[test]
fn changes_are_reported_by_module_and_by_version_where_it_matters() {
    let mut log = String::new();
    for i in 0..30 {
        for _ in 0..=i {
            log += &format!("web /corp.example/m{i}/@v/v1.0.0.zip\n");
        }
        log += &format!("web /corp.example/m{i}/@v/v2.0.0+incompatible.zip\n");
    }
    let deny = with_rule(json!({"id": "stop", "deny": ["corp.example/m2[0-9]"]}));
    let reported = report(log.as_bytes(), &policy(), Some(&deny), &["--top", "3"]);
    let changes = reported["changes"].as_array().unwrap();
    let modules: Vec<_> = changes
        .iter()
        .map(|c| c["module"].as_str().unwrap())
        .collect();
    let wanted = ["corp.example/m29", "corp.example/m28", "corp.example/m27"];
    assert_eq!(modules, wanted);
    assert_eq!(
        (&changes[0]["requests"], &changes[0]["versions"]),
        (&31.into(), &Value::Null)
    );
    assert_eq!(reported["more_changes"], 7);
    let old = with_rule(json!({"id": "old", "deny": ["corp.example"], "versions": "<v2"}));
    let reported = report(log.as_bytes(), &policy(), Some(&old), &["--top", "1"]);
    assert_eq!(reported["changes"][0]["versions"], json!(["v1.0.0"]));

    let files = Files::new();
    let (first, second) = (files.write("1.log", &log), files.write("2.log", "web x\n"));
    let policy_file = files.write("policy.json", policy().to_string());
    let with = files.write("new.json", deny.to_string());
    let sides = ["--policy", &policy_file, "--candidate", &with];
    let output = modgate([&["replay", &first, &second][..], &sides].concat(), b"");
    let text = stdout(&output);
    assert!(text.contains("2.log:1: web x"), "{text}");
    let missing = modgate([&["replay", "missing.log"][..], &sides].concat(), b"");
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("missing.log: No such file"));
    let twice = modgate(["replay", "-", "--policy", "-"], b"");
    assert!(stderr(&twice).contains("standard input"));
}

/// Requests as the access log has them.
const REQUESTED: [&str; 3] = [
    "/t/web/corp.example/!lib/@v/v1.0.0.zip",
    "/t/web/golang.org/x/text/@v/list",
    "/t/ops/corp.example/%21lib/@latest",
];

/// Lines of Modgate's access log for them.
fn access_lines() -> Vec<String> {
    let of = |path: &str, tenant: &str, operation: &str, module: &str, version: &str| {
        json!({"time": "2026-11-30T17:54:27.369Z", "modgate": "9976708114fc", "tenant": tenant,
               "operation": operation, "module": module, "version": version,
               "decision": "allow", "path": path})
        .to_string()
    };
    vec![
        of(REQUESTED[0], "web", "zip", "corp.example/Lib", "v1.0.0"),
        of(REQUESTED[1], "web", "list", "golang.org/x/text", ""),
        of(REQUESTED[2], "ops", "latest", "corp.example/Lib", ""),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_log_is_read_as_runtimes_and_shells_leave_it() {
    let lines = access_lines();
    let each = |make: &dyn Fn(&String) -> String| -> Vec<u8> {
        lines
            .iter()
            .map(|line| make(line) + "\n")
            .collect::<String>()
            .into_bytes()
    };
    let time = "2026-11-30T17:00:00.123456789Z";
    let plain = each(&Clone::clone);
    let values: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let halves = |line: &String, how: &dyn Fn(&str, bool) -> String| {
        let (start, end) = line.split_at(line.len() / 2);
        format!("{}\n{}", how(start, false), how(end, true))
    };
    let docker = |text: &str, ends: bool| {
        let end = if ends { "\n" } else { "" };
        json!({"log": format!("{text}{end}"), "stream": "stdout", "time": time}).to_string()
    };
    let utf16 = |text: &[u8]| -> Vec<u8> {
        let text = format!("\u{feff}{}", std::str::from_utf8(text).unwrap());
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let candidate = with_rule(json!({"id": "no-lib", "deny": ["corp.example/Lib"]}));
    let whole = report(&plain, &policy(), Some(&candidate), &[]);
    assert_eq!(
        (&whole["evaluated"], &whole["newly_denied"]),
        (&json!(3), &json!(2))
    );
    let rows = [
        ("CRLF", each(&|line| format!("{line}\r"))),
        (
            "a byte-order mark",
            [b"\xef\xbb\xbf".as_slice(), &plain].concat(),
        ),
        ("UTF-16", utf16(&plain)),
        ("gzip", gzip(&plain)),
        (
            "gzip twice",
            [gzip(&plain[..100]), gzip(&plain[100..])].concat(),
        ),
        ("Docker", each(&|line| docker(line, true))),
        ("Docker in pieces", each(&|line| halves(line, &docker))),
        ("CRI", each(&|line| format!("{time} stdout F {line}"))),
        (
            "CRI in pieces",
            each(&|line| {
                halves(line, &|part, ends| {
                    format!("{time} stdout {} {part}", if ends { "F" } else { "P" })
                })
            }),
        ),
        (
            "kubectl --timestamps",
            each(&|line| format!("{time} {line}")),
        ),
        (
            "kubectl --prefix",
            each(&|line| format!("[pod/goproxy-1/envoy] {line}")),
        ),
        (
            "both",
            each(&|line| format!("[pod/goproxy-1/envoy] {time} {line}")),
        ),
        ("docker compose", each(&|line| format!("envoy-1  | {line}"))),
        ("an array", serde_json::to_vec(&values).unwrap()),
        (
            "a pretty array",
            serde_json::to_vec_pretty(&values).unwrap(),
        ),
        (
            "pretty objects",
            values
                .iter()
                .map(|v| serde_json::to_string_pretty(v).unwrap() + "\n")
                .collect::<String>()
                .into_bytes(),
        ),
    ];
    table_rows::check(rows, |(what, log)| {
        let read = report(&log, &policy(), Some(&candidate), &[]);
        for key in [
            "evaluated",
            "newly_denied",
            "not_evaluated",
            "changes",
            "tenants",
        ] {
            assert_eq!(read[key], whole[key], "{what}: {read}");
        }
    });
}

#[test]
fn the_log_of_a_proxy_without_modgate_is_replayed_for_a_tenant() {
    let candidate = with_rule(json!({"id": "no-lib", "deny": ["corp.example/Lib"]}));
    let bare = REQUESTED.map(|path| {
        path.split_once("/t/web")
            .or(path.split_once("/t/ops"))
            .unwrap()
            .1
    });
    let in_all = |make: &dyn Fn(&str) -> String, paths: &[&str]| -> Vec<u8> {
        paths
            .iter()
            .map(|path| make(path) + "\n")
            .collect::<String>()
            .into_bytes()
    };
    /// A line of a log about a request for a path.
    type Line<'l> = &'l dyn Fn(&str) -> String;
    let forms: [(&str, Line<'_>); 8] = [
        ("paths", &|path| path.to_owned()),
        ("common", &|path| {
            format!("10.0.0.1 - - [30/Nov/2026:17:00:00 +0000] \"GET {path} HTTP/1.1\" 200 53")
        }),
        ("combined", &|path| {
            format!(
                "10.0.0.1 - ann [30/Nov/2026:17:00:00 +0000] \"GET {path} HTTP/2.0\" 200 53 \"-\" \"Go-http-client/1.1\""
            )
        }),
        ("Istio", &|path| {
            format!(
                "[2026-11-30T17:00:00.000Z] \"GET {path} HTTP/1.1\" 200 - via_upstream - \"-\" 0 53 5 4 \"-\" \"Go-http-client/1.1\" \"9a7c\" \"goproxy.corp.example\" \"10.0.0.1:3000\" outbound|3000||athens 10.0.0.2:1 - default"
            )
        }),
        ("Athens", &|path| {
            format!(
                "INFO[5:00PM]: incoming request\thttp-method=GET http-path={path} http-status=200"
            )
        }),
        ("Athens in JSON", &|path| {
            json!({"http-method": "GET", "http-path": path, "level": "info"}).to_string()
        }),
        ("Istio in JSON", &|path| {
            json!({"method": "GET", "path": path, "response_code": 200}).to_string()
        }),
        ("below another path", &|path| {
            format!(
                "1.1.1.1 - - [x] \"GET https://repo.corp.example/api/go/all{path} HTTP/1.1\" 200 1"
            )
        }),
    ];
    for (what, form) in forms {
        let log = in_all(form, &bare);
        let read = report(&log, &policy(), Some(&candidate), &["--tenant", "web"]);
        assert_eq!(read["evaluated"], 3, "{what}: {read}");
        assert_eq!(read["newly_denied"], 2, "{what}: {read}");
        assert_eq!(read["tenants"][0]["tenant"], "web", "{what}: {read}");
        if what == "below another path" {
            continue;
        }
        // A tenant that the path names needs no other, and is not taken for another.
        for more in [&[][..], &["--tenant", "web"]] {
            let read = report(&in_all(form, &REQUESTED), &policy(), Some(&candidate), more);
            assert_eq!(read["evaluated"], 3, "{what}: {read}");
            let tenants = read["tenants"].as_array().unwrap();
            let names: Vec<_> = tenants
                .iter()
                .map(|t| t["tenant"].as_str().unwrap())
                .collect();
            assert_eq!(names, ["ops", "web"], "{what}");
        }
        let unknown = replay(&log, &policy(), Some(&candidate), &[]);
        assert_eq!(unknown.status.code(), Some(1), "{what}");
        assert!(
            stdout(&unknown).contains("--tenant"),
            "{}",
            stdout(&unknown)
        );
    }
    // What is none is counted, and shown with its number.
    let log = b"started\n\"GET /golang.org/x/text/@v/list HTTP/1.1\" 200\n\"POST /golang.org/x/text/@v/list HTTP/1.1\" 405\n{\"level\":\"info\"}\n";
    let read = report(log, &policy(), Some(&candidate), &["--tenant", "web"]);
    assert_eq!((&read["evaluated"], &read["lines"]), (&json!(1), &json!(4)));
    let unevaluated = read["not_evaluated"].as_array().unwrap();
    let mut shown: Vec<u64> = unevaluated
        .iter()
        .map(|why| why["first"][0]["line"].as_u64().unwrap())
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, [1, 3, 4], "{read}");
    let zstd = replay(b"\x28\xb5\x2f\xfdxxxx", &policy(), Some(&candidate), &[]);
    assert!(stderr(&zstd).contains("zstd") && zstd.status.code() == Some(1));
}
